use super::{Class, Form, detect};
use crate::{
    field::{Field, Part, Step, ValueKind},
    secret::Secret,
};

/// A field of the body at `path`: keys and indices separated by points.
pub(crate) fn field(path: &str, value: &str) -> Field {
    let (part, path) = match path.split_once(':') {
        Some(("path", rest)) => (Part::Path, rest),
        Some(("query", rest)) => (Part::Query, rest),
        Some(("header", rest)) => (Part::Header, rest),
        _ => (Part::Body, path),
    };
    let steps = path
        .split('.')
        .map(|step| match step.parse() {
            Ok(index) => Step::Index(index),
            Err(_) => Step::Key(Secret::new(step.to_owned())),
        })
        .collect();
    let kind = if value.parse::<f64>().is_ok() && !value.starts_with('+') {
        ValueKind::Number
    } else if matches!(value, "true" | "false" | "null") {
        ValueKind::Literal
    } else {
        ValueKind::Text
    };
    Field {
        part,
        steps,
        value: Secret::new(value.to_owned()),
        kind,
        truncated: false,
    }
}

/// Fields from `(path, value)`.
pub(crate) fn fields(pairs: &[(&str, &str)]) -> Vec<Field> {
    pairs
        .iter()
        .map(|(path, value)| field(path, value))
        .collect()
}
