//! `phiwatch trackers`: the catalog, or why a request goes to a tracker.
//!
//! Input: the configuration, and optionally a host and a path. Output: a table,
//! sentences or JSON.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;
use serde::Serialize;

use super::{ExitStatus, Failure, OrFail as _, recipients};
use crate::{
    config::Config,
    tracker::{BodyShape, Catalog, Confidence, Match, MatchedBy, PathRule, Role, Tracker, Weight},
};

/// `phiwatch trackers`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  phiwatch trackers
  phiwatch trackers graph.facebook.com /v26.0/1234/events")]
pub struct TrackersArgs {
    /// A host name to look up
    #[arg(value_name = "HOST")]
    pub host: Option<String>,
    /// The path of a request to it
    #[arg(value_name = "PATH", requires = "host")]
    pub path: Option<String>,
    /// The method of the request
    #[arg(long, value_name = "METHOD", default_value = "POST", requires = "host")]
    pub method: String,
    /// The configuration, whose lists and policy count [default:
    /// /etc/phiwatch/phiwatch.toml if it exists]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// One complete entry.
#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    owner: &'a str,
    category: &'static str,
    weight: &'static str,
    confidence: &'static str,
    /// Hosts that identify the tracker alone; with a leading dot, also those
    /// below.
    hosts: Vec<String>,
    /// Hosts on which a rule has to match.
    shared: Vec<String>,
    rules: Vec<Rule<'a>>,
    protocol: Vec<Rule<'a>>,
    /// Identifier classes that the platform documents as hashed.
    hashed: &'a [&'static str],
}

#[derive(Serialize)]
struct Rule<'a> {
    methods: &'a str,
    host: &'a str,
    path: &'a str,
    role: &'static str,
    /// The shape that the body must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'static str>,
}

/// Why a request goes to a tracker, or that it does not.
#[derive(Serialize)]
struct Answer<'a> {
    host: &'a str,
    method: Option<&'a str>,
    path: Option<&'a str>,
    first_party: bool,
    tracker: Option<Row<'a>>,
    matched_by: Option<&'static str>,
    pattern: Option<&'a str>,
    housekeeping: bool,
    agreement: bool,
    weight: Option<&'static str>,
    needs_body: Option<&'static str>,
    explanation: String,
}

/// Prints the catalog, or what `args.host` is.
pub fn execute(args: &TrackersArgs) -> Result<(), Failure> {
    let config = Config::load(args.config.as_deref()).or_fail(ExitStatus::Config)?;
    let catalog = recipients(&config)?.catalog;
    print(&mut io::stdout().lock(), args, &catalog).or_fail(ExitStatus::Io)
}

fn print(out: &mut impl Write, args: &TrackersArgs, catalog: &Catalog) -> io::Result<()> {
    let Some(host) = &args.host else {
        return list(out, args.json, catalog);
    };
    let path = args.path.as_deref();
    let path = path.map(|path| path.split(['?', '#']).next().unwrap_or_default());
    let found = match path {
        Some(path) => catalog.match_request(Some(host), &args.method, path),
        None => None,
    };
    let by_host = match path {
        Some(_) => None,
        None => catalog.match_host(host),
    };
    let tracker = found
        .as_ref()
        .map(|found| &found.tracker)
        .or(by_host.as_ref().map(|found| &found.tracker));
    let text = match (&found, &by_host) {
        (Some(found), _) => explain(host, found),
        (None, Some(found)) => explain_host(host, &found.tracker, found.alone),
        (None, None) => absent(host, path, catalog),
    };
    if !args.json {
        return writeln!(out, "{text}");
    }
    let answer = Answer {
        host,
        method: path.map(|_| args.method.as_str()),
        path,
        first_party: catalog.is_first_party(host),
        tracker: tracker.map(|tracker| row(tracker)),
        matched_by: found
            .as_ref()
            .map(|found| found.matched_by.as_str())
            .or(by_host.as_ref().map(|found| {
                if found.alone {
                    "host"
                } else {
                    "host, with some paths only"
                }
            })),
        pattern: found.as_ref().and_then(|found| found.pattern.as_deref()),
        housekeeping: found.as_ref().is_some_and(|found| found.housekeeping),
        agreement: found.as_ref().is_some_and(|found| found.agreement),
        weight: found
            .as_ref()
            .map(|found| found.weight.as_str())
            .or(tracker.map(|tracker| tracker.category.weight().as_str())),
        needs_body: found
            .as_ref()
            .and_then(|found| found.needs_body_shape)
            .map(BodyShape::as_str),
        explanation: text,
    };
    serde_json::to_writer_pretty(&mut *out, &answer)?;
    writeln!(out)
}

fn row(tracker: &Tracker) -> Row<'_> {
    let hosts = |alone: bool| {
        let own = tracker.hosts.iter().filter(|host| host.alone == alone);
        own.map(ToString::to_string).collect()
    };
    Row {
        id: &tracker.id,
        owner: &tracker.owner,
        category: tracker.category.as_str(),
        weight: tracker.category.weight().as_str(),
        confidence: tracker.confidence.as_str(),
        hosts: hosts(true),
        shared: hosts(false),
        rules: tracker.paths.iter().map(rule).collect(),
        protocol: tracker.protocol.iter().map(rule).collect(),
        hashed: &tracker.hashed,
    }
}

fn rule(rule: &PathRule) -> Rule<'_> {
    Rule {
        methods: &rule.methods,
        host: if rule.host.is_empty() {
            "*"
        } else {
            &rule.host
        },
        path: &rule.path,
        role: rule.role.as_str(),
        body: rule.shape.map(BodyShape::as_str),
    }
}

/// How many hosts a line of the table lists; others are only counted.
const MAX_HOSTS: usize = 3;

fn list(out: &mut impl Write, json: bool, catalog: &Catalog) -> io::Result<()> {
    let rows: Vec<Row<'_>> = catalog.entries().iter().map(|entry| row(entry)).collect();
    if json {
        serde_json::to_writer_pretty(&mut *out, &rows)?;
        return writeln!(out);
    }
    let width = |of: fn(&Row<'_>) -> usize, title: &str| {
        rows.iter().map(of).max().unwrap_or(0).max(title.len())
    };
    let id = width(|row| row.id.chars().count(), "TRACKER");
    let owner = width(|row| row.owner.chars().count(), "OWNER");
    let category = width(|row| row.category.len(), "CATEGORY");
    writeln!(
        out,
        "{:id$}  {:owner$}  {:category$}  WEIGHT  CONFIDENCE  HOSTS",
        "TRACKER", "OWNER", "CATEGORY"
    )?;
    for row in rows {
        let hosts: Vec<&String> = row.hosts.iter().chain(&row.shared).collect();
        let mut shown: Vec<&str> = hosts
            .iter()
            .take(MAX_HOSTS)
            .map(|host| host.as_str())
            .collect();
        let more = format!("and {} more", hosts.len().saturating_sub(MAX_HOSTS));
        if hosts.len() > MAX_HOSTS {
            shown.push(&more);
        }
        writeln!(
            out,
            "{:id$}  {:owner$}  {:category$}  {:6}  {:10}  {}",
            row.id,
            row.owner,
            row.category,
            row.weight,
            row.confidence,
            shown.join(" ")
        )?;
    }
    Ok(())
}

/// Who a tracker is, in words.
fn introduce(text: &mut String, tracker: &Tracker) {
    let owner = &*tracker.owner;
    let sure = match tracker.confidence {
        Confidence::High => "",
        Confidence::Medium => " (from documentation)",
        Confidence::Low => " (common knowledge, not verified)",
    };
    let category = tracker.category.as_str().replace('_', " ");
    text.extend([&tracker.id, " of ", owner, ", ", &*category, sure, ". "]);
}

fn weighs(weight: Weight) -> &'static str {
    match weight {
        Weight::R3 => {
            "Severity: R3, advertising and identity: the heaviest recipients; health data beside \
             an identifier is high or critical."
        }
        Weight::R2 => "Severity: R2, another third party: as severe as the data is.",
        Weight::R1 => {
            "Severity: R1, an agreement is declared in [policy]: recorded two levels milder."
        }
    }
}

fn explain(host: &str, found: &Match) -> String {
    let is = if found.needs_body_shape.is_some() {
        "may be"
    } else {
        "is"
    };
    let mut text = format!("{host} {is} a tracker: ");
    introduce(&mut text, &found.tracker);
    let pattern = found.pattern.as_deref().unwrap_or_default();
    let why = match found.matched_by {
        MatchedBy::Host | MatchedBy::Script => {
            "The host alone tells it; no rule about paths matched.".to_owned()
        }
        MatchedBy::HostAndPath => format!("The host and the path rule {pattern} tell it."),
        MatchedBy::Protocol => format!(
            "The host is not known; the path has the shape {pattern} of this tracker's protocol, \
             as behind a proxy or gateway. Who runs it is not known, so it never weighs as \
             advertising."
        ),
    };
    text.push_str(&why);
    if let Some(shape) = found.needs_body_shape {
        text.extend([
            " Others have this path too, so it counts only if the body has the keys of ",
            shape.as_str(),
            ".",
        ]);
    }
    text.push_str(if found.housekeeping {
        " This call is housekeeping: it reads settings or reports, and is no leak unless a direct \
         identifier or explicit health data stands in it. "
    } else {
        " This call can carry events or people. "
    });
    text.push_str(weighs(found.weight));
    hashing(&mut text, &found.tracker);
    text
}

fn hashing(text: &mut String, tracker: &Tracker) {
    if !tracker.hashed.is_empty() {
        let classes = tracker.hashed.join(", ");
        text.extend([" The platform wants these hashed: ", &*classes, "."]);
    }
}

fn explain_host(host: &str, tracker: &Tracker, alone: bool) -> String {
    let mut text = format!("{host} is a host of ");
    introduce(&mut text, tracker);
    text.push_str(if alone {
        "The host alone tells it. "
    } else {
        "The host serves other interfaces too: a path rule has to match. "
    });
    for role in [Role::Event, Role::Housekeeping] {
        let own = tracker.paths.iter().filter(|rule| rule.role == role);
        let rules: Vec<String> = own
            .map(|rule| format!("{} {}{}", rule.methods, rule.host, rule.path))
            .collect();
        if !rules.is_empty() {
            let what = match role {
                Role::Event => "Carry events or people",
                Role::Housekeeping => "Housekeeping, no leaks",
            };
            text.extend([what, ": ", &*rules.join(", "), ". "]);
        }
    }
    text.push_str(weighs(tracker.category.weight()));
    hashing(&mut text, tracker);
    text
}

fn absent(host: &str, path: Option<&str>, catalog: &Catalog) -> String {
    if catalog.is_first_party(host) {
        return format!("{host} is a first party by [policy]: never a recipient");
    }
    match (path, catalog.match_host(host)) {
        (Some(_), Some(found)) => format!(
            "{host} serves {} and other interfaces; none of its rules matches such a request, so \
             it is no request to a tracker",
            found.tracker.id
        ),
        _ => format!("{host} is no tracker of the catalog"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tracker::Policy;

    fn answer(host: Option<&str>, path: Option<&str>, json: bool) -> String {
        let args = TrackersArgs {
            host: host.map(str::to_owned),
            path: path.map(str::to_owned),
            method: "POST".to_owned(),
            config: None,
            json,
        };
        let policy = Policy::new(&["clinic.example".into()], &["segment".into()]).unwrap();
        let mut out = Vec::new();
        print(&mut out, &args, &Catalog::builtin().with_policy(policy)).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn check(host: &str, path: Option<&str>, parts: &[&str]) {
        let text = answer(Some(host), path, false);
        for part in parts {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
    }

    #[test]
    fn answers_are_sentences() {
        check(
            "graph.facebook.com",
            Some("/v26.0/1/events?access_token=x"),
            &[
                "meta of Meta Platforms, ads.",
                "/v*/*/events",
                "R3",
                "hashed: email, phone",
            ],
        );
        check(
            "cdn.segment.com",
            Some("/v1/m"),
            &["housekeeping", "R1, an agreement"],
        );
        check(
            "graph.facebook.com",
            Some("/v26.0/1/messages"),
            &["none of its rules"],
        );
        check(
            "graph.facebook.com",
            None,
            &["other interfaces too", "/tr", "Housekeeping, no leaks"],
        );
        check("a.clinic.example", Some("/g/collect"), &["first party"]);
        check(
            "other.example",
            Some("/v1/track"),
            &["keys of segment", "not known", "R2"],
        );
        check("other.example", None, &["no tracker of the catalog"]);
        check("ct.pinterest.com", None, &["The host alone tells it"]);
    }

    #[test]
    fn json_is_whole() {
        let list: serde_json::Value = serde_json::from_str(&answer(None, None, true)).unwrap();
        let list = list.as_array().unwrap();
        assert_eq!(list.len(), Catalog::builtin().entries().len());
        assert_eq!(list[0]["id"], "meta");
        assert_eq!(list[0]["shared"][0], ".facebook.com");
        assert_eq!(list[0]["protocol"][0]["path"], "/**/capi/*/events");
        let one: serde_json::Value =
            serde_json::from_str(&answer(Some("api.segment.io"), Some("/v1/batch"), true)).unwrap();
        assert_eq!(
            (&one["tracker"]["id"], &one["weight"], &one["agreement"]),
            (&"segment".into(), &"R1".into(), &true.into())
        );
        let none: serde_json::Value =
            serde_json::from_str(&answer(Some("other.example"), None, true)).unwrap();
        assert!(none["tracker"].is_null());
    }

    #[test]
    fn the_table_names_every_entry() {
        let text = answer(None, None, false);
        assert_eq!(text.lines().count(), Catalog::builtin().entries().len() + 1);
        assert!(
            text.lines()
                .any(|line| line.starts_with("linkedin ") && line.contains("more"))
        );
    }
}
