//! `phiwatch explain`: what a rule, a severity or a finding means.
//!
//! Input: the id of a rule, a class, `severity`, or the id of a finding with its
//! journal. Output: words, made of nothing that is payload.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Write},
    path::Path,
};

use super::{ExitStatus, Failure, OrFail as _};
use crate::{
    cli::ExplainArgs,
    finding::{HealthLevel, IdentifierLevel, Severity, severity},
    rules::{self, Topic},
    tracker::Weight,
};

/// Digits of the id of a finding.
const ID_LENGTH: usize = 32;

/// Explains what `args` names.
pub fn execute(args: &ExplainArgs) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let Some(what) = args.what.as_deref() else {
        return list(&mut out).or_fail(ExitStatus::Io);
    };
    if what == "severity" {
        return matrix(&mut out).or_fail(ExitStatus::Io);
    }
    if let Some((topic, matches)) = rules::find(what) {
        return rule(&mut out, what, topic, matches).or_fail(ExitStatus::Io);
    }
    if let Some(topic) = rules::topics().find(|topic| topic.class == what) {
        return class(&mut out, topic).or_fail(ExitStatus::Io);
    }
    let is_id = what.len() == ID_LENGTH && what.bytes().all(|byte| byte.is_ascii_hexdigit());
    match (&args.journal, is_id) {
        (Some(journal), true) => finding(&mut out, journal, what),
        (None, true) => Err(Failure::message(
            ExitStatus::Usage,
            "the id of a finding needs the journal that has it: --journal FILE",
        )),
        _ => Err(Failure::message(
            ExitStatus::Usage,
            "there is no such rule; `phiwatch explain` lists them",
        )),
    }
}

fn list(out: &mut impl Write) -> io::Result<()> {
    for topic in rules::topics() {
        for (id, matches) in topic.rules {
            writeln!(out, "{id:<28} {matches}")?;
        }
    }
    Ok(())
}

fn rule(out: &mut impl Write, id: &str, topic: &Topic, matches: &str) -> io::Result<()> {
    writeln!(out, "{id}\n\nClass:   {}\nMatches: {matches}", topic.class)?;
    common(out, topic)
}

fn class(out: &mut impl Write, topic: &Topic) -> io::Result<()> {
    writeln!(out, "{}\n", topic.class)?;
    for (id, matches) in topic.rules {
        writeln!(out, "{id:<28} {matches}")?;
    }
    common(out, topic)
}

fn common(out: &mut impl Write, topic: &Topic) -> io::Result<()> {
    writeln!(
        out,
        "Why:     {}\nBeware:  {}\nTo do:   {}",
        topic.why, topic.hazards, topic.advice
    )
}

/// The matrix as the code has it, so that the two cannot differ.
fn matrix(out: &mut impl Write) -> io::Result<()> {
    const LEVELS: &str = "\
The severity of a finding comes from three levels of one person-event.

Identifier  I3  a direct identifier in clear: email, phone, address, number of a
                person, date of birth; a name beside another identifier
            I2  a direct identifier as a hash
            I1  a pseudonym that stays the same: id of a user, cookie, device, IP
                address; a name alone
            I0  none
Health      H3  an explicit statement: diagnosis, drug, answer, score, appointment
            H2  a context: a term in a page address, a title, the name of an event
            H1  the sender is declared as a health service
            H0  none
Recipient   R3  advertising and identity
            R2  another third party
            R1  a declared business associate agreement
";
    const ADJUSTMENTS: &str = "
A request that was refused (status 400 and above) is one level lower and has the
label attempted. An IP address with the address of a public page, and nothing
else, is low at most and has the label ip_only_unauth. A canary is critical.
";
    write!(out, "{LEVELS}")?;
    for (weight, name) in [(Weight::R3, "R3"), (Weight::R2, "R2"), (Weight::R1, "R1")] {
        writeln!(out, "\n{name}    H3        H2        H1        H0")?;
        for identifier in IdentifierLevel::ALL.iter().rev() {
            write!(out, "{identifier:?}  ")?;
            for health in HealthLevel::ALL.iter().rev() {
                let cell = severity(*identifier, *health, weight).map_or("-", Severity::as_str);
                let is_last = *health == HealthLevel::H0;
                if is_last {
                    writeln!(out, "{cell}")?;
                } else {
                    write!(out, "{cell:<10}")?;
                }
            }
        }
    }
    write!(out, "{ADJUSTMENTS}")
}

/// The finding with this id, from a journal.
fn finding(out: &mut impl Write, journal: &Path, id: &str) -> Result<(), Failure> {
    let file = File::open(journal)
        .map_err(|error| anyhow::Error::new(error).context(format!("open {}", journal.display())))
        .or_fail(ExitStatus::Io)?;
    for line in BufReader::new(file).lines() {
        let line = line.or_fail(ExitStatus::Io)?;
        // A cheap look first: journals are long.
        if !line.contains(id) {
            continue;
        }
        let Ok(record) = serde_json::from_str::<serde_json::Value>(&line) else {
            continue;
        };
        if record.get("id").and_then(serde_json::Value::as_str) == Some(id) {
            return show(out, &record).or_fail(ExitStatus::Io);
        }
    }
    Err(Failure::message(
        ExitStatus::BadInput,
        format!("{} has no finding with this id", journal.display()),
    ))
}

fn show(out: &mut impl Write, record: &serde_json::Value) -> io::Result<()> {
    let text = |pointer: &str| {
        record
            .pointer(pointer)
            .and_then(serde_json::Value::as_str)
            .unwrap_or("-")
    };
    writeln!(
        out,
        "{} {} {}\n\n{}\n",
        text("/time"),
        text("/severity"),
        text("/kind"),
        text("/why")
    )?;
    writeln!(
        out,
        "Recipient: {} ({})",
        text("/recipient/owner"),
        text("/recipient/host")
    )?;
    writeln!(
        out,
        "Process:   {} {}",
        text("/process/comm"),
        text("/process/exe")
    )?;
    writeln!(
        out,
        "Request:   {} {}\n",
        text("/request/method"),
        text("/request/path")
    )?;
    let fields = record.get("fields").and_then(serde_json::Value::as_array);
    for field in fields.into_iter().flatten() {
        let of = |key: &str| {
            field
                .get(key)
                .and_then(serde_json::Value::as_str)
                .unwrap_or("-")
        };
        let matches = rules::find(of("rule")).map_or("", |(_, matches)| matches);
        writeln!(
            out,
            "{} ({}): {} {matches}",
            of("path"),
            of("form"),
            of("rule")
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(what: &str, journal: Option<&Path>, code: ExitStatus) {
        let args = ExplainArgs {
            what: Some(what.to_owned()),
            journal: journal.map(Path::to_owned),
        };
        assert_eq!(execute(&args).unwrap_err().code, code, "{what}");
    }

    #[test]
    fn what_cannot_be_explained() {
        let id = "5d41402abc4b2a76b9719d911017c592";
        check("no.such.rule", None, ExitStatus::Usage);
        check(id, None, ExitStatus::Usage);
        check(id, Some(Path::new("/no/such/journal")), ExitStatus::Io);
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("findings.jsonl");
        std::fs::write(&journal, "{\"id\":\"x\"}\nno json\n").unwrap();
        check(id, Some(&journal), ExitStatus::BadInput);
    }

    #[test]
    fn the_matrix_is_printed_whole() {
        let mut out = Vec::new();
        matrix(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        for line in [
            "R3    H3        H2        H1        H0",
            "I3  critical  critical  high      medium",
            "I2  high      high      medium    low",
            "I0  low       info      -         -",
        ] {
            assert!(text.lines().any(|own| own == line), "{line} in\n{text}");
        }
    }

    #[test]
    fn a_rule_and_a_finding_are_explained() {
        let mut out = Vec::new();
        let (topic, matches) = rules::find("email.key").unwrap();
        rule(&mut out, "email.key", topic, matches).unwrap();
        let record = serde_json::json!({
            "id": "5d41402abc4b2a76b9719d911017c592",
            "severity": "high",
            "why": "Because.",
            "fields": [{"path": "body.email", "form": "plain", "rule": "email.key"}],
        });
        show(&mut out, &record).unwrap();
        let text = String::from_utf8(out).unwrap();
        for part in [
            "Beware:",
            "Because.",
            "body.email (plain): email.key An address",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }
}
