//! The filters of the command line, all of which must match.

use super::{Filter, glob};
use crate::{
    event::Timestamp,
    finding::{Finding, Severity},
};

/// How many digits of a container's id are enough.
const MIN_CONTAINER: usize = 6;

/// Which findings are shown. Of filters of one kind one must match, and every
/// kind must. An empty selection matches everything.
#[derive(Debug, Default)]
pub struct Selection {
    /// Nothing before this, in nanoseconds since the Unix epoch.
    pub since: Option<u64>,
    /// Nothing after this, in nanoseconds since the Unix epoch.
    pub until: Option<u64>,
    /// Names or ids of processes.
    pub processes: Vec<String>,
    /// Ids of trackers.
    pub trackers: Vec<String>,
    /// Nothing milder than this.
    pub severity: Option<Severity>,
    /// Classes of data.
    pub classes: Vec<String>,
    /// Hosts, each with all below it.
    pub hosts: Vec<String>,
    /// An expression.
    pub filter: Option<Filter>,
}

impl Selection {
    /// Whether everything is shown.
    pub const fn is_empty(&self) -> bool {
        let Self {
            since,
            until,
            processes,
            trackers,
            severity,
            classes,
            hosts,
            filter,
        } = self;
        since.is_none()
            && until.is_none()
            && processes.is_empty()
            && trackers.is_empty()
            && severity.is_none()
            && classes.is_empty()
            && hosts.is_empty()
            && filter.is_none()
    }

    /// Whether `finding` is shown.
    pub fn matches(&self, finding: &Finding) -> bool {
        self.fits_time(finding)
            && self.severity.is_none_or(|least| finding.severity >= least)
            && one_fits(&self.trackers, |id| *id == *finding.recipient.tracker)
            && one_fits(&self.classes, |class| {
                finding.classes().any(|own| own.as_str() == class)
            })
            && one_fits(&self.hosts, |name| {
                let page = finding.request.as_ref().and_then(|own| own.host.as_deref());
                is_below(name, &finding.recipient.host)
                    || page.is_some_and(|host| is_below(name, host))
            })
            && one_fits(&self.processes, |name| is_process(name, finding))
            && (self.filter.as_ref()).is_none_or(|filter| filter.matches(finding))
    }

    fn fits_time(&self, finding: &Finding) -> bool {
        let Timestamp(time) = finding.time;
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time <= until)
    }
}

fn one_fits(wanted: &[String], fits: impl FnMut(&String) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(fits)
}

/// Whether `host` is `name` or below it.
fn is_below(name: &str, host: &str) -> bool {
    let name = name.trim_start_matches("*.").trim_matches('.');
    let host = host.trim_end_matches('.');
    let Some(start) = host.len().checked_sub(name.len()) else {
        return false;
    };
    let ends = host
        .get(start..)
        .is_some_and(|end| end.eq_ignore_ascii_case(name));
    ends && (start == 0 || host.get(..start).is_some_and(|rest| rest.ends_with('.')))
}

/// Whether `name` names the process: its id, its name, its executable with or
/// without the folder, its unit with or without `.service`, its service, its
/// container or the beginning of that.
fn is_process(name: &str, finding: &Finding) -> bool {
    let process = &finding.process;
    let pid = process.pid.map(|pid| pid.to_string());
    let file = |path: &str| path.rsplit('/').next().map(str::to_owned);
    let exe = process.exe.as_deref();
    let unit = process.unit.as_deref();
    let names = [
        pid,
        process.comm.clone(),
        exe.map(str::to_owned),
        exe.and_then(file),
        unit.map(str::to_owned),
        unit.and_then(|unit| unit.strip_suffix(".service"))
            .map(str::to_owned),
        process.service.clone(),
        process.container.clone(),
    ];
    let is_beginning = name.len() >= MIN_CONTAINER
        && (process.container.as_deref()).is_some_and(|container| container.starts_with(name));
    is_beginning || names.iter().flatten().any(|own| glob::fits(name, own))
}
