//! A checked expression, and whether a finding fits it.

use super::{
    Span, glob,
    subject::{Subject, Value},
};
use crate::finding::{Finding, Severity};

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// An expression whose types are right.
#[derive(Debug)]
pub(super) enum Expression {
    /// All of them hold.
    All(Vec<Self>),
    /// One of them holds.
    Any(Vec<Self>),
    Not(Box<Self>),
    Test(&'static Subject, Check),
}

/// The test of one field.
#[derive(Debug)]
pub(super) enum Check {
    /// The field is not there.
    Missing,
    Severity(Compare, Severity),
    Number(Compare, u64),
    Time(Compare, Span),
    /// The number is one of these.
    Numbers(Vec<u64>),
    /// The time is in one of these.
    Times(Vec<Span>),
    /// The severity is one of these.
    Severities(Vec<Severity>),
    /// The text, or a member of the set, is one of these.
    Any(Vec<String>),
    /// All of these are members of the set.
    All(Vec<String>),
    /// The pattern fits the text, or a member of the set.
    Fits(String),
    /// This is a part of the text.
    Contains(String),
}

impl Expression {
    /// Whether `finding` fits.
    pub(super) fn matches(&self, finding: &Finding) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(finding)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(finding)),
            Self::Not(part) => !part.matches(finding),
            Self::Test(subject, check) => check.holds(&(subject.value)(finding)),
        }
    }
}

impl Compare {
    const fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::AtLeast => order.is_ge(),
        }
    }
}

impl Check {
    /// Whether `value` fits; a missing one fits only [`Check::Missing`].
    fn holds(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Self::Missing, Value::Number(number)) => number.is_none(),
            (Self::Missing, Value::Text(text)) => text.is_none(),
            (Self::Missing, Value::Set(set)) => set.is_empty(),
            (Self::Severity(compare, wanted), Value::Severity(own)) => {
                compare.holds(own.cmp(wanted))
            }
            (Self::Number(compare, wanted), Value::Number(Some(own))) => {
                compare.holds(own.cmp(wanted))
            }
            (Self::Time(compare, span), Value::Time(own)) => compare.holds(order(*own, *span)),
            (Self::Numbers(wanted), Value::Number(Some(own))) => wanted.contains(own),
            (Self::Times(wanted), Value::Time(own)) => {
                wanted.iter().any(|span| order(*own, *span).is_eq())
            }
            (Self::Severities(wanted), Value::Severity(own)) => wanted.contains(own),
            (Self::Any(wanted), Value::Text(Some(own))) => is_any(wanted, own),
            (Self::Any(wanted), Value::Set(set)) => set.iter().any(|own| is_any(wanted, own)),
            (Self::All(wanted), Value::Set(set)) => wanted
                .iter()
                .all(|wanted| set.iter().any(|own| own.eq_ignore_ascii_case(wanted))),
            (Self::Fits(pattern), Value::Text(Some(own))) => glob::fits(pattern, own),
            (Self::Fits(pattern), Value::Set(set)) => {
                set.iter().any(|own| glob::fits(pattern, own))
            }
            (Self::Contains(part), Value::Text(Some(own))) => {
                own.to_lowercase().contains(&part.to_lowercase())
            }
            _ => false,
        }
    }
}

fn is_any(wanted: &[String], own: &str) -> bool {
    wanted.iter().any(|wanted| own.eq_ignore_ascii_case(wanted))
}

/// Where `time` is, seen from `span`.
fn order(time: u64, span: Span) -> std::cmp::Ordering {
    if time < span.first {
        std::cmp::Ordering::Less
    } else if time > span.last {
        std::cmp::Ordering::Greater
    } else {
        std::cmp::Ordering::Equal
    }
}
