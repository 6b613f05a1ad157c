//! Rules, classes and severities in words.

use std::io::{self, Write};

use crate::{
    finding::{HealthLevel, IdentifierLevel, Severity, severity},
    rules::{self, Topic},
    tracker::Weight,
};

/// Every rule with what it matches.
pub(super) fn list(out: &mut impl Write) -> io::Result<()> {
    for topic in rules::topics() {
        for (id, matches) in topic.rules {
            writeln!(out, "{id:<28} {matches}")?;
        }
    }
    Ok(())
}

/// One rule.
pub(super) fn rule(out: &mut impl Write, id: &str, topic: &Topic, matches: &str) -> io::Result<()> {
    writeln!(out, "{id}\n\nClass:   {}\nMatches: {matches}", topic.class)?;
    reasons(out, topic)
}

/// One class of data, with its rules.
pub(super) fn class(out: &mut impl Write, topic: &Topic) -> io::Result<()> {
    writeln!(out, "{}\n", topic.class)?;
    for (id, matches) in topic.rules {
        writeln!(out, "{id:<28} {matches}")?;
    }
    reasons(out, topic)
}

fn reasons(out: &mut impl Write, topic: &Topic) -> io::Result<()> {
    writeln!(
        out,
        "Why:     {}\nBeware:  {}\nTo do:   {}",
        topic.why, topic.hazards, topic.advice
    )
}

/// The matrix as computed by the code, so that the two cannot differ.
pub(super) fn matrix(out: &mut impl Write) -> io::Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_rule_is_explained() {
        let mut out = Vec::new();
        let (topic, matches) = rules::find("email.key").unwrap();
        rule(&mut out, "email.key", topic, matches).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("Beware:") && text.contains(matches), "{text}");
    }
}
