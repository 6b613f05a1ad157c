//! The sections on recipients and services, and the catalog and services made
//! of them.
//!
//! Input: the sections, and the list files that they name. Output: the
//! [`Catalog`] with the operator's lists and policy, and the [`Services`]. An
//! error names the file, the line and the reason.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Deserializer, de::Error as _};

use super::Config;
use crate::tracker::{
    Catalog, CatalogError, Host, MAX_NAMES, MAX_OWN, Policy, Service, Services, Tracker,
    parse_catalog, parse_list,
};

/// The longest list that is read, in bytes.
const MAX_LIST_BYTES: u64 = 64 * 1024 * 1024;
/// The most lists.
const MAX_LISTS: usize = 64;
/// The most services.
const MAX_SERVICES: usize = 256;
/// The longest name of a service, in bytes.
const MAX_NAME: usize = 64;

/// Trackers besides those of the catalog.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrackersSection {
    /// Files: hosts files, lists of names or of `||name^` rules; and, by the
    /// ending `.toml`, catalogs of the operator's own.
    #[serde(deserialize_with = "lists")]
    pub lists: Vec<PathBuf>,
}

/// What the operator declares about recipients.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicySection {
    /// Hosts of the operator, each with everything below it.
    #[serde(deserialize_with = "first_parties")]
    pub first_parties: Vec<String>,
    /// Ids of trackers, and hosts, with whom there is a business associate
    /// agreement.
    #[serde(deserialize_with = "agreements")]
    pub baa: Vec<String>,
}

/// A service of the operator's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceSection {
    /// Its name in findings.
    pub name: String,
    /// Path of its executable; `*` stands for any characters.
    pub exe: Option<String>,
    /// Its cgroup, with those below; `*` stands for any characters.
    pub cgroup: Option<String>,
    /// Its systemd unit; `*` stands for any characters.
    pub unit: Option<String>,
    /// The beginning of its container's id; `*` stands for any characters.
    pub container: Option<String>,
    /// Whether being a user of the service says something about health.
    pub health: bool,
}

/// Recipients and services.
#[derive(Clone, Debug)]
pub struct Recipients {
    /// The catalog, with the operator's lists and policy.
    pub catalog: Catalog,
    /// The operator's services.
    pub services: Services,
    /// How many lines of each list named no host.
    pub skipped: Vec<(PathBuf, usize)>,
}

/// Why there are no [`Recipients`].
#[derive(Debug, thiserror::Error)]
pub enum RecipientsError {
    /// A list could not be read.
    #[error("cannot read the list {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A list is wrong.
    #[error("{}:{source}", path.display())]
    List {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: CatalogError,
    },
    /// The lists are too long together.
    #[error("{}: {reason}", path.display())]
    TooMany {
        /// The file that was too much.
        path: PathBuf,
        /// What there are too many of.
        reason: String,
    },
    /// An agreement with nobody.
    #[error("policy.baa: item {index} is no id of a tracker; `phiwatch trackers` lists them")]
    Agreement {
        /// Which item, from 1.
        index: usize,
    },
}

impl Recipients {
    /// Reads the lists that `config` names.
    pub fn load(config: &Config) -> Result<Self, RecipientsError> {
        let mut own: Vec<Tracker> = Vec::new();
        let mut imported: Vec<Host> = Vec::new();
        let mut skipped = Vec::new();
        for path in &config.trackers.lists {
            let text = read(path).map_err(|source| RecipientsError::Read {
                path: path.clone(),
                source,
            })?;
            let wrong = |source| RecipientsError::List {
                path: path.clone(),
                source,
            };
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                own.extend(parse_catalog(&text).map_err(wrong)?);
            } else {
                let list = parse_list(&text).map_err(wrong)?;
                skipped.push((
                    path.clone(),
                    list.exceptions + list.cosmetic + list.unsupported,
                ));
                imported.extend(list.hosts);
            }
            let too_many = |reason: String| RecipientsError::TooMany {
                path: path.clone(),
                reason,
            };
            if own.len() > MAX_OWN {
                return Err(too_many(format!("more than {MAX_OWN} entries of your own")));
            }
            if imported.len() > MAX_NAMES {
                return Err(too_many(format!(
                    "more than {MAX_NAMES} names in all lists"
                )));
            }
        }
        let catalog = Catalog::builtin().with_lists(own, imported);
        let PolicySection { first_parties, baa } = &config.policy;
        for (index, item) in baa.iter().enumerate() {
            let known = item.contains('.') || catalog.entries().iter().any(|own| *own.id == **item);
            if !known {
                return Err(RecipientsError::Agreement { index: index + 1 });
            }
        }
        // The section has been validated when it was read.
        let policy = Policy::new(first_parties, baa).unwrap_or_default();
        let services = config.service.iter().map(service).collect();
        Ok(Self {
            catalog: catalog.with_policy(policy),
            services: Services::new(services),
            skipped,
        })
    }
}

fn service(section: &ServiceSection) -> Service {
    let ServiceSection {
        name,
        exe,
        cgroup,
        unit,
        container,
        health,
    } = section.clone();
    Service {
        name: Arc::from(name),
        health,
        exe,
        cgroup,
        unit,
        container,
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let mut file = File::open(path)?.take(MAX_LIST_BYTES + 1);
    if file.read_to_string(&mut text)? as u64 > MAX_LIST_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "the list is longer than 64 MiB",
        ));
    }
    Ok(text)
}

fn lists<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
    let paths = Vec::<PathBuf>::deserialize(deserializer)?;
    if paths.len() > MAX_LISTS {
        return Err(D::Error::custom(format!("must be {MAX_LISTS} at most")));
    }
    if paths.iter().all(|path| path.is_absolute()) {
        Ok(paths)
    } else {
        Err(D::Error::custom("must be absolute paths"))
    }
}

fn first_parties<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let hosts = Vec::<String>::deserialize(deserializer)?;
    match Policy::new(&hosts, &[]) {
        Ok(_) => Ok(hosts),
        Err(_) => Err(D::Error::custom("must be host names, like clinic.example")),
    }
}

fn agreements<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let items = Vec::<String>::deserialize(deserializer)?;
    match Policy::new(&[], &items) {
        Ok(_) => Ok(items),
        Err(_) => Err(D::Error::custom("must be ids of trackers, or host names")),
    }
}

/// The services, each with a name and at least one criterion.
pub(super) fn services<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<ServiceSection>, D::Error> {
    let services = Vec::<ServiceSection>::deserialize(deserializer)?;
    if services.len() > MAX_SERVICES {
        return Err(D::Error::custom(format!("must be {MAX_SERVICES} at most")));
    }
    for service in &services {
        if !(1..=MAX_NAME).contains(&service.name.trim().len()) {
            return Err(D::Error::custom(format!(
                "every service needs a name of at most {MAX_NAME} bytes"
            )));
        }
        let known_by = [
            &service.exe,
            &service.cgroup,
            &service.unit,
            &service.container,
        ];
        if known_by.iter().all(|pattern| pattern.is_none()) {
            return Err(D::Error::custom(
                "every service needs one of exe, cgroup, unit and container",
            ));
        }
    }
    Ok(services)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Recipients, String> {
        let config = Config::parse(text, Path::new("p")).map_err(|error| error.to_string())?;
        Recipients::load(&config).map_err(|error| error.to_string())
    }

    #[test]
    fn lists_policy_and_services_come_together() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let hosts = path("hosts.txt", "0.0.0.0 t.example.net graph.facebook.com\n");
        let own = path(
            "own.toml",
            "[[tracker]]\nid = \"own\"\nowner = \"O\"\ncategory = \"ads\"\nhosts = [\".own.example\"]\n",
        );
        let text = format!(
            "[trackers]\nlists = [{hosts:?}, {own:?}]\n[policy]\nfirst_parties = [\"clinic.example\"]\n\
             baa = [\"segment\", \"t.example.net\"]\n[[service]]\nname = \"intake\"\nexe = \"/a\"\n\
             health = true\n"
        );
        let recipients = load(&text).unwrap();
        let found = |host: &str, path: &str| {
            let found = recipients.catalog.match_request(Some(host), "POST", path)?;
            Some(format!("{} {}", found.tracker.id, found.weight.as_str()))
        };
        for (host, path, expected) in [
            ("t.example.net", "/", Some("imported R1")),
            ("a.own.example", "/", Some("own R3")),
            ("api.segment.io", "/v1/batch", Some("segment R1")),
            ("graph.facebook.com", "/v1.0/1/events", Some("meta R3")),
            ("graph.facebook.com", "/v1.0/1/messages", None),
            ("a.clinic.example", "/g/collect", None),
        ] {
            assert_eq!(found(host, path).as_deref(), expected, "{host}");
        }
        let process = crate::event::Process {
            exe: Some("/a".to_owned()),
            ..Default::default()
        };
        assert!(recipients.services.find(&process).unwrap().health);

        for (name, text, expected) in [
            ("bad.txt", "a.example\nno host\n", "bad.txt:2: neither"),
            (
                "bad.toml",
                "\n[[tracker]]\nid = \"A\"\nowner = \"\"\ncategory = \"ads\"\n",
                "bad.toml:3: an id",
            ),
            ("worse.toml", "[[tracker]]\nid = 1\n", "worse.toml:2: "),
        ] {
            let list = path(name, text);
            let error = load(&format!("trackers.lists = [{list:?}]")).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        let error = load("trackers.lists = [\"/no/such/list\"]").unwrap_err();
        assert!(error.contains("/no/such/list"), "{error}");
    }

    #[test]
    fn what_the_sections_refuse() {
        for (text, expected) in [
            ("policy.baa = [\"nobody\"]", "item 1 is no id of a tracker"),
            ("policy.first_parties = [\"a b\"]", "must be host names"),
            ("policy.baa = [\"a..b\"]", "must be ids of trackers"),
            ("trackers.lists = [\"x\"]", "must be absolute paths"),
            ("[[service]]\nexe = \"/a\"", "needs a name"),
            ("[[service]]\nname = \"a\"", "needs one of exe"),
            (
                "[[service]]\nname = \"a\"\nexo = \"/a\"",
                "did you mean exe?",
            ),
        ] {
            let error = load(text).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
