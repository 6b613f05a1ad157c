//! Lists of people as tables: the names of the columns become keys.
//!
//! Uploads of customer lists name the columns once and send rows without keys:
//! `{"schema": ["EMAIL", "PHONE"], "data": [[…, …], …]}`. Input: fields. Output:
//! the same fields, those of rows with the name of their column as last key and
//! with two indices before it (row, column), by which a row is known as one.

use super::sets::WordSet;
use super::sets::columns::{ROWS_KEYS, SCHEMA_KEYS};
use crate::field::{Field, Fields, Part, Step};

/// Names of columns whose meaning the detectors know under another key.
const ALIASES: &[(&str, &str)] = &[
    ("extern_id", "external_id"),
    ("gen", "gender"),
    ("doby", "birth_year"),
    ("dobm", "birth_month"),
    ("dobd", "birth_day"),
    ("fi", "first_name"),
    ("mobile_ad_id", "madid"),
];

/// Tables of one message whose columns are read.
const MAX_TABLES: usize = 16;
/// Columns of one table.
const MAX_COLUMNS: usize = 64;
/// Longest name of a column.
const MAX_NAME_LENGTH: usize = 64;

/// A table: where it stands, and its columns. Holds payload: no `Debug`.
struct Table {
    part: Part,
    parent: Vec<Key>,
    columns: Vec<String>,
}

/// A step that owns its key.
#[derive(PartialEq)]
enum Key {
    Named(String),
    Index(u32),
}

impl Key {
    fn is(&self, step: Step<'_>) -> bool {
        match (self, step) {
            (Self::Named(own), Step::Key(key)) => own == key,
            (Self::Index(own), Step::Index(index)) => *own == index,
            _ => false,
        }
    }
}

impl From<Step<'_>> for Key {
    fn from(step: Step<'_>) -> Self {
        match step {
            Step::Key(key) => Self::Named(key.to_owned()),
            Step::Index(index) => Self::Index(index),
        }
    }
}

/// Gives the values of rows the name of their column as last key.
pub fn label_columns(fields: &mut Fields) {
    let names_columns = fields
        .steps()
        .any(|(_, _, step)| matches!(step, Step::Key(key) if is_one_of(key, SCHEMA_KEYS)));
    if !names_columns {
        return;
    }
    let tables = tables(fields);
    for index in 0..fields.len() {
        let label = fields
            .get(index)
            .and_then(|field| tables.iter().find_map(|table| table.label(&field)));
        match label {
            Some((name, true)) => fields.extend_path(index, &[Step::Index(0), Step::Key(name)]),
            Some((name, false)) => fields.extend_path(index, &[Step::Key(name)]),
            None => {}
        }
    }
}

fn tables(fields: &Fields) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for field in fields.iter() {
        let steps = field.steps();
        let (parent, key) = match steps.as_slice() {
            [parent @ .., Step::Key(key), Step::Index(_)] | [parent @ .., Step::Key(key)] => {
                (parent, *key)
            }
            _ => continue,
        };
        if !is_one_of(key, SCHEMA_KEYS) {
            continue;
        }
        let name = field.value().trim().to_ascii_lowercase();
        let is_name = (1..=MAX_NAME_LENGTH).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_- ".contains(&byte));
        let has_room = tables.len() < MAX_TABLES;
        let known = tables
            .iter_mut()
            .find(|table| table.part == field.part() && table.is_at(parent));
        // A column that is no name keeps its place.
        let name = if is_name { name } else { String::new() };
        match known {
            Some(table) if table.columns.len() < MAX_COLUMNS => table.columns.push(name),
            None if has_room => tables.push(Table {
                part: field.part(),
                parent: parent.iter().copied().map(Key::from).collect(),
                columns: vec![name],
            }),
            Some(_) | None => {}
        }
    }
    tables
}

impl Table {
    fn is_at(&self, steps: &[Step<'_>]) -> bool {
        self.parent.len() == steps.len()
            && self
                .parent
                .iter()
                .zip(steps)
                .all(|(own, step)| own.is(*step))
    }

    /// The column of `field`, if it is a value of this table, and whether the
    /// table is a list without columns.
    fn label(&self, field: &Field<'_>) -> Option<(&str, bool)> {
        if field.part() != self.part {
            return None;
        }
        let steps = field.steps();
        let (before, rest) = steps.split_at_checked(self.parent.len())?;
        if !self.is_at(before) {
            return None;
        }
        let (key, column, is_list) = match rest {
            [Step::Key(key), Step::Index(_), Step::Index(column)]
            | [
                Step::Key(key),
                Step::Index(_),
                Step::Index(column),
                Step::Key("id"),
            ] => (key, *column, false),
            [Step::Key(key), Step::Index(_)] if self.columns.len() == 1 => (key, 0, true),
            _ => return None,
        };
        if !is_one_of(key, ROWS_KEYS) {
            return None;
        }
        let name = self.columns.get(usize::try_from(column).ok()?)?;
        let bare = name.trim_end_matches("_sha256").trim_end_matches("_md5");
        let name = ALIASES
            .iter()
            .find(|(own, _)| *own == bare)
            .map_or(name.as_str(), |(_, known)| known);
        (!name.is_empty()).then_some((name, is_list))
    }
}

fn is_one_of(key: &str, table: WordSet) -> bool {
    table.iter().any(|own| own.eq_ignore_ascii_case(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phi::{rules, tests::fields};

    const SHA256: &str = "ff8d9819fc0e12bf0d24892e45987e249a28dce836a85cad60e28eaaa8c6d976";

    /// The classes of the evidence, in the order of the fields.
    fn check(pairs: &[(&str, &str)], expected: &str) {
        let mut fields = fields(pairs);
        label_columns(&mut fields);
        let found: Vec<_> = rules(&fields)
            .iter()
            .map(|item| format!("{} {}", item.class.as_str(), item.form.as_str()))
            .collect();
        assert_eq!(found.join(", "), expected, "{pairs:?}");
    }

    #[test]
    fn rows_have_the_classes_of_their_columns() {
        check(
            &[
                ("payload.schema.0", "EMAIL"),
                ("payload.schema.1", "PHONE"),
                ("payload.data.0.0", SHA256),
                ("payload.data.0.1", SHA256),
                ("payload.data.1.0", "jane@example.com"),
                ("payload.data.1.1", "+14155550132"),
            ],
            "email sha256, phone sha256, email plain, phone plain",
        );
        check(
            &[
                ("payload.schema", "EMAIL_SHA256"),
                ("payload.data.0", SHA256),
            ],
            "email sha256",
        );
        check(
            &[
                ("id_schema.0", "PHONE_SHA256"),
                ("batch_data.0.0.id", SHA256),
                ("batch_data.0.0.audience_ids.0", "77"),
            ],
            "phone sha256",
        );
        check(
            &[
                ("users.0.schema.0", "EMAIL_SHA256"),
                ("users.0.data.0.0", SHA256),
                ("users.0.data.1.0", SHA256),
            ],
            "email sha256, email sha256",
        );
        check(
            &[
                ("data.attributes.identifierType", "email"),
                ("data.attributes.identifiers.0", SHA256),
            ],
            "email sha256",
        );
    }

    #[test]
    fn other_arrays_stay_as_they_are() {
        check(&[("data.0.0", SHA256), ("data.0.1", SHA256)], "");
        check(&[("schema", "iglu:com.example/x"), ("data.0", SHA256)], "");
        check(&[("schema.0", "EMAIL"), ("data.0.7", SHA256)], "");
        check(&[("a.schema.0", "EMAIL"), ("b.data.0.0", SHA256)], "");
    }
}
