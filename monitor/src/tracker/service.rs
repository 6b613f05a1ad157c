//! The services of the operator: which processes belong to them, and whether
//! using one reveals something about a person's health.

use std::sync::Arc;

use super::pattern::glob;
use crate::event::Process;

/// One service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// The operator's name for it.
    pub name: Arc<str>,
    /// Whether being a user of it reveals something about health.
    pub health: bool,
    /// Path of the executable; `*` stands for any characters.
    pub exe: Option<String>,
    /// Path of the cgroup, including those below it; or with `*`.
    pub cgroup: Option<String>,
    /// The systemd unit; `*` stands for any characters.
    pub unit: Option<String>,
    /// The beginning of a container id, or with `*`.
    pub container: Option<String>,
}

impl Service {
    /// Whether all given patterns match the process.
    fn means(&self, process: &Process) -> bool {
        let fits = |pattern: &Option<String>, value: &Option<String>, prefix: Prefix| match pattern
        {
            None => true,
            Some(pattern) => value
                .as_deref()
                .is_some_and(|value| prefix.fits(pattern, value)),
        };
        let any = [&self.exe, &self.cgroup, &self.unit, &self.container];
        any.iter().any(|pattern| pattern.is_some())
            && fits(&self.exe, &process.exe, Prefix::No)
            && fits(&self.cgroup, &process.cgroup, Prefix::Folder)
            && fits(&self.unit, &process.unit, Prefix::No)
            && fits(&self.container, &process.container, Prefix::Yes)
    }
}

/// Whether a pattern without `*` matches more than itself.
#[derive(Clone, Copy)]
enum Prefix {
    No,
    Yes,
    Folder,
}

impl Prefix {
    fn fits(self, pattern: &str, value: &str) -> bool {
        if pattern.contains('*') {
            return glob(pattern, value, 0);
        }
        let rest = match self {
            Self::Folder => value.strip_prefix(pattern.trim_end_matches('/')),
            Self::No | Self::Yes => value.strip_prefix(pattern),
        };
        rest.is_some_and(|rest| match self {
            Self::No => rest.is_empty(),
            Self::Yes => true,
            Self::Folder => rest.is_empty() || rest.starts_with('/'),
        })
    }
}

/// All services, in the operator's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Services(Arc<[Service]>);

impl Services {
    /// These services; if several match a process, the first counts.
    pub fn new(services: Vec<Service>) -> Self {
        Self(services.into())
    }

    /// The service that `process` belongs to.
    pub fn find(&self, process: &Process) -> Option<&Service> {
        self.0.iter().find(|service| service.means(process))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_given_pattern_has_to_fit_and_the_first_service_counts() {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let service = |name: &str, [exe, cgroup, unit, container]: [&str; 4]| Service {
            name: name.into(),
            health: name == "intake",
            exe: text(exe),
            cgroup: text(cgroup),
            unit: text(unit),
            container: text(container),
        };
        let services = Services::new(vec![
            service("nothing", ["", "", "", ""]),
            service("intake", ["/srv/*/bin/intake", "", "intake*.service", ""]),
            service("shop", ["", "/system.slice/shop", "", ""]),
            service("pod", ["", "", "", "0123abcd"]),
            service("php", ["/usr/bin/php", "", "", ""]),
        ]);
        for ([exe, cgroup, unit, container], expected) in [
            (
                ["/srv/a/bin/intake", "", "intake-2.service", ""],
                Some("intake"),
            ),
            (["/srv/a/bin/intake", "", "other.service", ""], None),
            (["/srv/a/bin/intake", "", "", ""], None),
            (["", "/system.slice/shop/x", "", ""], Some("shop")),
            (["", "/system.slice/shop", "", ""], Some("shop")),
            (["", "/system.slice/shopping", "", ""], None),
            (["", "", "", "0123abcd4567"], Some("pod")),
            (["/usr/bin/php8", "", "", ""], None),
            (["/usr/bin/php", "", "", ""], Some("php")),
            (["", "", "", ""], None),
        ] {
            let process = Process {
                exe: text(exe),
                cgroup: text(cgroup),
                unit: text(unit),
                container: text(container),
                ..Process::default()
            };
            let found = services.find(&process);
            assert_eq!(
                found.map(|found| &*found.name),
                expected,
                "{exe} {cgroup} {unit}"
            );
            assert!(found.is_none_or(|found| found.health == (&*found.name == "intake")));
        }
    }
}
