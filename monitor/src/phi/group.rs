//! Which person-event of a message a field belongs to.

use super::key::group;
use crate::field::{Field, Part, Step};

/// Arrays whose elements are people wherever they stand, also inside an element
/// of another array: `[{"params": {"users": […]}}]`.
const PEOPLE_ARRAYS: &[&str] = &[
    "audiencemembers",
    "contacts",
    "customers",
    "members",
    "people",
    "profiles",
    "subscribers",
    "users",
];

/// The path down to the person-event of a field; `None` where the field is
/// shared by all of the message.
pub(crate) fn event_of(field: &Field) -> Option<(Part, &[Step])> {
    let outer = group(field).map_or(0, |(_, steps)| steps.len());
    let inner = if field.part == Part::Path {
        0
    } else {
        person_length(&field.steps)
    };
    let length = outer.max(inner);
    (length > 0).then(|| (field.part, field.steps.get(..length).unwrap_or_default()))
}

/// The length of the path down to the innermost element that is a person: of a
/// people array, or a row of a table (two indices and a key behind them).
fn person_length(steps: &[Step]) -> usize {
    let mut length = 0;
    for (index, window) in steps.windows(3).enumerate() {
        let is_person = match window {
            [Step::Key(key), Step::Index(_), Step::Key(_)] => is_people(key.expose()),
            [Step::Key(_), Step::Index(_), Step::Index(_)] => {
                matches!(steps.get(index.saturating_add(3)), Some(Step::Key(_)))
            }
            _ => false,
        };
        if is_person {
            length = index.saturating_add(2);
        }
    }
    length
}

fn is_people(key: &str) -> bool {
    PEOPLE_ARRAYS.iter().any(|own| {
        let mut letters = key.bytes().filter(u8::is_ascii_alphanumeric);
        own.bytes().all(|byte| {
            letters
                .next()
                .is_some_and(|own| own.eq_ignore_ascii_case(&byte))
        }) && letters.next().is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phi::tests::field;

    #[test]
    fn elements_are_people_or_events() {
        for (path, expected) in [
            ("data.0.user_data.em.0", Some(2)),
            ("payload.data.3.1.email", Some(3)),
            ("users.0.data.5.0.email", Some(4)),
            ("0.params.users.2.email", Some(4)),
            ("data.attributes.identifiers.4.0.email", Some(4)),
            ("audience_members.1.email", Some(2)),
            ("data.0.users.email", Some(2)),
            ("user_data.em.0", None),
            ("path:users.0", None),
            ("email", None),
        ] {
            let field = field(path, "x");
            assert_eq!(
                event_of(&field).map(|(_, steps)| steps.len()),
                expected,
                "{path}"
            );
        }
    }
}
