//! What a field is compared with, parsed according to the field's type.

use super::{
    Span,
    duration::parse_duration,
    error::FilterError,
    expression::{Check, Compare},
    lexer::{Kind, Token},
    near, parse_time,
    parser::Parser,
    subject::{Subject, Type},
};
use crate::finding::Severity;

/// Reads the operands of one field.
pub(super) struct Literals {
    pub(super) subject: &'static Subject,
}

impl Literals {
    /// One value, and how it is compared.
    pub(super) fn compared(
        &self,
        parser: &mut Parser<'_>,
        compare: Compare,
    ) -> Result<Check, FilterError> {
        Ok(match self.subject.of_type {
            Type::Severity => Check::Severity(compare, self.severity(parser)?),
            Type::Number => Check::Number(compare, self.number(parser)?),
            Type::Time => Check::Time(compare, self.time(parser)?),
            Type::Text | Type::Set => Check::Any(vec![self.text(parser)?]),
        })
    }

    /// A list of values, one of which is enough.
    pub(super) fn one_of(&self, parser: &mut Parser<'_>) -> Result<Check, FilterError> {
        Ok(match self.subject.of_type {
            Type::Severity => {
                let mut all = Vec::new();
                parser.list(|parser| {
                    all.push(self.severity(parser)?);
                    Ok(())
                })?;
                Check::Severities(all)
            }
            Type::Number => {
                let mut all = Vec::new();
                parser.list(|parser| {
                    all.push(self.number(parser)?);
                    Ok(())
                })?;
                Check::Numbers(all)
            }
            Type::Time => {
                let mut all = Vec::new();
                parser.list(|parser| {
                    all.push(self.time(parser)?);
                    Ok(())
                })?;
                Check::Times(all)
            }
            Type::Text | Type::Set => {
                let mut all = Vec::new();
                parser.list(|parser| {
                    all.push(self.text(parser)?);
                    Ok(())
                })?;
                Check::Any(all)
            }
        })
    }

    /// A pattern.
    pub(super) fn pattern(&self, parser: &mut Parser<'_>) -> Result<Check, FilterError> {
        let (pattern, token) = self.value(parser)?;
        // No name and no path of a record has these.
        let is_expression = pattern.starts_with('^') || pattern.ends_with('$');
        if is_expression || pattern.starts_with(".*") || pattern.contains(['|', '\\']) {
            return Err(parser.error_at(
                &token,
                "this looks like a regular expression",
                "`=~` takes a pattern: * stands for any characters, ? for one",
            ));
        }
        Ok(Check::Fits(pattern))
    }

    /// A part of a text.
    pub(super) fn part(&self, parser: &mut Parser<'_>) -> Result<Check, FilterError> {
        Ok(Check::Contains(self.value(parser)?.0))
    }

    /// A text, which must be one of the field's values if those are known.
    pub(super) fn text(&self, parser: &mut Parser<'_>) -> Result<String, FilterError> {
        let (text, token) = self.value(parser)?;
        let Some(known) = parser.vocabulary.values(self.subject) else {
            return Ok(text);
        };
        if known.iter().any(|own| own.eq_ignore_ascii_case(&text)) {
            return Ok(text);
        }
        if text.contains(['*', '?']) {
            let help = format!("for a pattern write: {} =~ {text}", self.subject.name);
            return Err(parser.error_at(&token, format!("`{text}` is a pattern"), help));
        }
        Err(self.unknown(parser, &token, &text, &known))
    }

    fn unknown(
        &self,
        parser: &Parser<'_>,
        token: &Token,
        text: &str,
        known: &[&str],
    ) -> FilterError {
        let name = self.subject.name;
        let message = format!("there is no {name} `{text}`");
        let mut help = near::advice(text, known.iter().copied());
        if help.is_empty() {
            let place = match name {
                "tracker" => "`phiwatch trackers`",
                "rule" => "`phiwatch explain`",
                _ => "`phiwatch replay --filter help`",
            };
            help = format!("{place} lists them");
        }
        parser.error_at(token, message, help)
    }

    fn severity(&self, parser: &mut Parser<'_>) -> Result<Severity, FilterError> {
        let (text, token) = self.value(parser)?;
        let mut all = Severity::ALL.iter().copied();
        all.find(|own| own.as_str().eq_ignore_ascii_case(&text))
            .ok_or_else(|| {
                let known: Vec<&str> = Severity::ALL.iter().map(|own| own.as_str()).collect();
                self.unknown(parser, &token, &text, &known)
            })
    }

    fn number(&self, parser: &mut Parser<'_>) -> Result<u64, FilterError> {
        let (text, token) = self.value(parser)?;
        parse_number(&text).ok_or_else(|| {
            let message = format!("`{}` is a number, and this is none", self.subject.name);
            let help = match self.subject.name {
                "status" => "for example: status >= 400",
                "bytes" => "for example: bytes > 10kB",
                _ => "a number is written in digits",
            };
            parser.error_at(&token, message, help)
        })
    }

    /// A time, and durations that are added to it.
    fn time(&self, parser: &mut Parser<'_>) -> Result<Span, FilterError> {
        let (text, token) = self.value(parser)?;
        let Some(mut span) = parse_time(&text) else {
            return Err(if parse_duration(&text).is_some() {
                parser.error_at(
                    &token,
                    "a duration is no time: before or after what?",
                    "add it to one: 2026-11-24T02:41Z + 2h",
                )
            } else {
                parser.error_at(
                    &token,
                    "this is no time",
                    "write 2026-11-24, 2026-11-24T02:41Z or 2026-11-24T03:41:03.5+01:00",
                )
            });
        };
        loop {
            let is_later = parser.takes(&["+"]);
            if !is_later && !parser.takes(&["-"]) {
                return Ok(span);
            }
            let (text, token) = self.value(parser)?;
            let duration = parse_duration(&text).ok_or_else(|| {
                parser.error_at(&token, "this is no duration", "write 90s, 30m, 2h or 7d")
            })?;
            span = span.moved(duration, is_later);
        }
    }

    /// The next token as text.
    fn value(&self, parser: &mut Parser<'_>) -> Result<(String, Token), FilterError> {
        match &parser.current().kind {
            Kind::Word(word) => {
                let word = word.clone();
                Ok((word, parser.advance()))
            }
            Kind::Quoted(text) => {
                let text = text.clone();
                Ok((text, parser.advance()))
            }
            Kind::Sign("[") => {
                Err(parser.error("one value is missing here, not a list", "write `in [..]`"))
            }
            Kind::Sign(_) | Kind::End => {
                let name = self.subject.name;
                let message = format!("a value to compare `{name}` with is missing here");
                Err(parser.error(message, ""))
            }
        }
    }
}

/// A number, perhaps with the unit of a length.
fn parse_number(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text.get(..digits)?.parse().ok()?;
    let unit = match text.get(digits..)?.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(unit)
}
