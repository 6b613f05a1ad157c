//! A finding in brief: a few lines for people who watch a terminal.
//!
//! In: one finding, or the first of several that differ in the person. Out: a line
//! that says who sent what to whom, and indented below it the request, the person
//! and the reason. Unlike rows of a table it needs no other finding to be laid out.
//! Foreign names are shown without control characters.

use super::{
    clock::to_second,
    facts::Span,
    shade::Shade,
    tally::sender,
    text::{counted, cut},
};
use crate::{
    finding::{ContactRecord, Finding, Kind},
    http::Completeness,
    name::joined,
};

/// Characters of one name.
const MAX_NAME: usize = 120;
/// Characters of the reason, which is composed of words of phiwatch.
const MAX_WHY: usize = 2_048;
/// What stands before the lines after the first.
const INDENT: &str = "    ";

/// The finding in lines, the last without its end. `repeated` is how many findings
/// it stands for, and their times.
pub(crate) fn brief(finding: &Finding, repeated: Option<(u64, Span)>, is_colored: bool) -> String {
    let severity = format!("{:<8}", finding.severity.as_str());
    let severity = if is_colored {
        let code = Shade::of(finding.severity).code();
        format!("\u{1b}[{code}m{severity}\u{1b}[0m")
    } else {
        severity
    };
    let mut text = format!("{}  {severity}  {}", to_second(finding.time), head(finding));
    let details = [repeated.map(times), request(finding), about(finding)];
    let why = cut(&finding.why, MAX_WHY);
    let lines = details.iter().flatten().map(String::as_str).chain([&*why]);
    for line in lines.filter(|line| !line.is_empty()) {
        text.push('\n');
        text.push_str(INDENT);
        text.push_str(line);
    }
    text
}

/// Who sent what to whom.
fn head(finding: &Finding) -> String {
    let sender = sender(finding);
    let sender = cut(&sender, MAX_NAME);
    let tracker = cut(&finding.recipient.tracker, MAX_NAME);
    let host = cut(&finding.recipient.host, MAX_NAME);
    let what = classes(finding);
    match (finding.kind, &finding.contact) {
        (Kind::Contact, Some(contact)) => {
            let ContactRecord {
                reason,
                connections,
                ..
            } = contact;
            let connections = counted(*connections, "connection", "connections");
            format!(
                "cannot see: {sender} made {connections} to {host} ({tracker}): {}; see phiwatch \
                 doctor --processes",
                reason.as_str()
            )
        }
        (Kind::Page, _) => {
            format!("{sender} served a page that loads {tracker} from {host}: {what}")
        }
        (Kind::Canary, _) => {
            format!("{sender} sent planted values to {tracker} at {host}: {what}")
        }
        (Kind::Request | Kind::Contact, _) => {
            format!("{sender} sent to {tracker} at {host}: {what}")
        }
    }
}

/// Which identifiers, and which health information.
fn classes(finding: &Finding) -> String {
    let identifiers = joined(&finding.identifiers, ", ");
    let health = joined(&finding.health, ", ");
    match (identifiers.is_empty(), health.is_empty()) {
        (true, true) => "nothing that was recognized".to_owned(),
        (false, true) => identifiers,
        (true, false) => health,
        (false, false) => format!("{identifiers}; {health}"),
    }
}

fn times((count, span): (u64, Span)) -> String {
    let alike = format!("{} like this one", counted(count, "finding", "findings"));
    let (first, last) = (to_second(span.first), to_second(span.last));
    if first == last {
        format!("{alike} in one second")
    } else {
        format!("{alike}, from {first} to {last}")
    }
}

fn request(finding: &Finding) -> Option<String> {
    let request = finding.request.as_ref()?;
    let host = request.host.as_deref().unwrap_or_default();
    let answer = request.status.map_or_else(
        || "no answer was seen".to_owned(),
        |status| format!("answered with {status}"),
    );
    let mut text = format!(
        "{} {}{}, {answer}",
        cut(&request.method, MAX_NAME),
        cut(host, MAX_NAME),
        cut(&request.path, MAX_NAME)
    );
    if finding.completeness != Completeness::Complete {
        text.push_str(", not seen whole: ");
        text.push_str(finding.completeness.as_str());
    }
    Some(text)
}

/// About whom, and under which id.
fn about(finding: &Finding) -> Option<String> {
    let mut parts = Vec::new();
    if let Some(person) = finding.person {
        parts.push(format!("person {person}"));
    }
    if let Some(people) = finding.people {
        parts.push(counted(people, "person", "people"));
    }
    if !finding.states.is_empty() {
        parts.push(finding.states.join(", "));
    }
    if !finding.labels.is_empty() {
        parts.push(joined(&finding.labels, ", "));
    }
    if !finding.id.is_empty() {
        parts.push(format!("finding {}", cut(&finding.id, MAX_NAME)));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::Blindness,
        finding::{Label, Severity},
        report::{
            clock::SECOND,
            tests::{HOSTILE, finding},
            text::is_active,
        },
        tracker::PathCount,
    };

    const HOST: &str = "graph.facebook.com";

    /// What is changed in a request of `graph.facebook.com` to Meta.
    type Change = fn(&mut Finding);

    fn contact(finding: &mut Finding, connections: u64) {
        finding.kind = Kind::Contact;
        finding.severity = Severity::Info;
        finding.identifiers.clear();
        finding.health.clear();
        finding.fields.clear();
        finding.request = None;
        finding.person = None;
        finding.states.clear();
        finding.labels = vec![Label::SharedHost];
        finding.completeness = Completeness::Truncated;
        finding.contact = Some(ContactRecord {
            reason: Blindness::Java,
            connections,
            paths: Some(PathCount {
                events: 1,
                known: 2,
            }),
        });
        "Meta Platforms: it is not known.".clone_into(&mut finding.why);
    }

    /// Expects lines of a finding at 02:42:03, which stands for a number of
    /// findings over a number of seconds.
    fn check(change: Change, repeated: Option<(u64, u64)>, is_colored: bool, expected: &[&str]) {
        let mut finding = finding(1, Severity::Critical, HOST);
        finding.process.unit = None;
        finding.process.comm = Some("php-fpm".to_owned());
        change(&mut finding);
        let repeated = repeated.map(|(count, seconds)| {
            let first = finding.time;
            let last = first.plus(seconds * SECOND);
            (count, Span { first, last })
        });
        let text = brief(&finding, repeated, is_colored);
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn each_kind_is_said_in_a_few_lines() {
        const SENT: &str = "2026-11-24 02:42:03 UTC  critical  php-fpm (7) sent to meta at \
                            graph.facebook.com: email; condition";
        const REQUEST: &str = "    POST /graph.facebook.com, answered with 200";
        const ABOUT: &str = "    person 01010101010101010101010101010101; CA; finding \
                             01010101010101010101010101010101";
        const WHY: &str = "    graph.facebook.com received an email address in clear.";
        check(|_| (), None, false, &[SENT, REQUEST, ABOUT, WHY]);
        check(
            |_| (),
            None,
            true,
            &[
                "2026-11-24 02:42:03 UTC  \u{1b}[1;31mcritical\u{1b}[0m  php-fpm (7) sent to meta \
                 at graph.facebook.com: email; condition",
                REQUEST,
                ABOUT,
                WHY,
            ],
        );
        check(
            |_| (),
            Some((1_200, 0)),
            false,
            &[
                SENT,
                "    1,200 findings like this one in one second",
                REQUEST,
                ABOUT,
                WHY,
            ],
        );
        check(
            |_| (),
            Some((2, 1)),
            false,
            &[
                SENT,
                "    2 findings like this one, from 2026-11-24 02:42:03 UTC to 2026-11-24 \
                 02:42:04 UTC",
                REQUEST,
                ABOUT,
                WHY,
            ],
        );
        check(
            |finding| {
                finding.process.pid = None;
                finding.labels = vec![Label::Attempted, Label::Summary];
                finding.people = Some(3);
                finding.person = None;
                finding.completeness = Completeness::Late;
                finding.health.clear();
                finding.states.clear();
                finding.request.as_mut().unwrap().status = None;
                finding.why.clear();
            },
            None,
            false,
            &[
                "2026-11-24 02:42:03 UTC  critical  php-fpm sent to meta at graph.facebook.com: \
                 email",
                "    POST /graph.facebook.com, no answer was seen, not seen whole: late",
                "    3 people; attempted, summary; finding 01010101010101010101010101010101",
            ],
        );
        check(
            |finding| {
                finding.kind = Kind::Page;
                finding.identifiers.clear();
                finding.request.as_mut().unwrap().host = Some("shop.example.com".to_owned());
            },
            None,
            false,
            &[
                "2026-11-24 02:42:03 UTC  critical  php-fpm (7) served a page that loads meta \
                 from graph.facebook.com: condition",
                "    POST shop.example.com/graph.facebook.com, answered with 200",
                ABOUT,
                WHY,
            ],
        );
        check(
            |finding| {
                finding.kind = Kind::Canary;
                finding.health.clear();
            },
            None,
            false,
            &[
                "2026-11-24 02:42:03 UTC  critical  php-fpm (7) sent planted values to meta at \
                 graph.facebook.com: email",
                REQUEST,
                ABOUT,
                WHY,
            ],
        );
    }

    #[test]
    fn what_cannot_be_seen_is_said_with_what_to_do() {
        const ABOUT: &str = "    shared_host; finding 01010101010101010101010101010101";
        const WHY: &str = "    Meta Platforms: it is not known.";
        check(
            |finding| contact(finding, 1),
            None,
            false,
            &[
                "2026-11-24 02:42:03 UTC  info      cannot see: php-fpm (7) made 1 connection to \
                 graph.facebook.com (meta): java; see phiwatch doctor --processes",
                ABOUT,
                WHY,
            ],
        );
        check(
            |finding| contact(finding, 3),
            None,
            true,
            &[
                "2026-11-24 02:42:03 UTC  \u{1b}[34minfo    \u{1b}[0m  cannot see: php-fpm (7) \
                 made 3 connections to graph.facebook.com (meta): java; see phiwatch doctor \
                 --processes",
                ABOUT,
                WHY,
            ],
        );
    }

    #[test]
    fn no_name_acts_on_the_terminal_or_makes_a_line() {
        let long = "x".repeat(100_000);
        for name in HOSTILE.iter().copied().chain([&*long]) {
            for kind in Kind::ALL {
                let mut finding = finding(1, Severity::Low, name);
                finding.kind = *kind;
                finding.recipient.tracker = name.into();
                if let Some(request) = &mut finding.request {
                    name.clone_into(&mut request.method);
                    request.host = Some(name.to_owned());
                }
                let lines = brief(&finding, None, false);
                assert!(lines.len() < 8_192, "{name}: {}", lines.len());
                assert_eq!(lines.lines().count(), 4, "{lines}");
                let lines = lines.replace('\n', "");
                assert!(!lines.chars().any(is_active), "{lines}");
            }
        }
    }
}
