//! What fills one slot of a template: a value of the event, and what it means.

use anyhow::{Context as _, Result};

use crate::{
    content::{Content, Identity},
    encode,
    label::{Level, Note},
    rng::Rng,
    words::{Vehicle, noise},
};

/// The value of `slot` (`name`, `|` steps, `!` where it may not be empty, `?`
/// where senders forget to hash), and its notes. `None` where it stays empty.
pub(crate) fn fill(
    slot: &str,
    event: &Content,
    rng: &mut Rng,
) -> Result<Option<(String, Vec<Note>)>> {
    let mut steps = slot.split('|');
    let name = steps.next().unwrap_or_default();
    let (name, is_required) = name
        .strip_suffix('!')
        .map_or((name, false), |name| (name, true));
    let Some((mut value, mut notes)) = raw(name, event, is_required, rng) else {
        return Ok(None);
    };
    for step in steps {
        let (step, is_forgotten) = step
            .strip_suffix('?')
            .map_or((step, false), |step| (step, rng.chance(17)));
        if is_forgotten && encode::is_hash(step) {
            continue;
        }
        value = encode::step(&value, step).with_context(|| format!("no step {step}"))?;
        if encode::is_hash(step) {
            for note in &mut notes {
                note.level = match note.level {
                    Level::Direct if step != "soundex" => Level::Hashed,
                    Level::Pseudonym => Level::Pseudonym,
                    _ => Level::Weak,
                };
            }
            if rng.chance(6) && !step.contains("b64") {
                value = value.to_uppercase();
            }
        }
    }
    Ok(Some((value, notes)))
}

fn raw(
    name: &str,
    event: &Content,
    is_required: bool,
    rng: &mut Rng,
) -> Option<(String, Vec<Note>)> {
    let text = |vehicle| {
        event
            .texts
            .get(&vehicle)
            .map(|text: &crate::content::Text| (text.value.clone(), text.notes.clone()))
    };
    match name {
        "event" => return text(Vehicle::Event),
        "title" => return text(Vehicle::Title),
        "search" => return text(Vehicle::Search),
        "item" => return text(Vehicle::Item),
        "category" => return text(Vehicle::Category),
        "note" => return text(Vehicle::Note),
        "path" => return text(Vehicle::Path),
        "url" => {
            return text(Vehicle::Path)
                .map(|(path, notes)| (format!("https://www.example.com{path}"), notes));
        }
        "referrer" => {
            let from = [
                "https://www.google.com/",
                "https://www.example.com/",
                "https://news.example.org/a",
            ];
            return rng.chance(40).then(|| (rng.pick(&from).to_owned(), vec![]));
        }
        _ => {}
    }
    let identity = identity(name, event, is_required, rng);
    match identity {
        Some(found) => found,
        None => noise(name, rng).map(|value| (value, vec![])),
    }
}

/// Outer `None`: no slot of a person; inner: a slot that stays empty.
#[expect(
    clippy::option_option,
    reason = "no such slot, and an empty slot, are two answers"
)]
fn identity(
    name: &str,
    event: &Content,
    is_required: bool,
    rng: &mut Rng,
) -> Option<Option<(String, Vec<Note>)>> {
    let person = &event.person;
    let is_direct = event.identity == Identity::Direct;
    let is_known = event.identity != Identity::Least;
    // Value, class, level, and whether this identity has it.
    let (value, class, level, has) = match name {
        // A free slot into which senders put the email address and no other id.
        "mail" => (
            person.email.clone(),
            "email",
            Level::Direct,
            event.mail_as_id,
        ),
        "email" | "uid2" => (person.email.clone(), "email", Level::Direct, is_direct),
        "phone" => (person.phone.clone(), "phone", Level::Direct, is_direct),
        "first" => (person.first.clone(), "name", Level::Direct, is_direct),
        "last" => (person.last.clone(), "name", Level::Direct, is_direct),
        "name" => (person.name(), "name", Level::Direct, is_direct),
        "dob" => (person.birth.clone(), "birth_date", Level::Direct, is_direct),
        "sex" => (person.sex.to_owned(), "sex", Level::Weak, is_direct),
        "street" => (person.street.clone(), "address", Level::Direct, is_direct),
        "city" => (person.city.to_owned(), "city", Level::Weak, is_direct),
        "zip" => (person.zip.clone(), "zip", Level::Weak, is_direct),
        "ip" => (person.ip.clone(), "ip", Level::Pseudonym, is_known),
        "device" => (
            person.device.clone(),
            "device_id",
            Level::Pseudonym,
            is_known,
        ),
        "uid" if event.mail_as_id => (person.email.clone(), "email", Level::Direct, is_direct),
        "ext" | "uid" => (person.id.clone(), "external_id", Level::Pseudonym, is_known),
        _ => (cookie(name, rng)?, "online_id", Level::Pseudonym, is_known),
    };
    let skipped = event.skipped.contains(&name);
    if !is_required && (!has || skipped) {
        return Some(None);
    }
    let or: &[&str] = match class {
        // What it is made of, or what it is used as.
        _ if name == "uid2" => &["online_id"],
        "online_id" | "external_id" | "device_id" => &["online_id", "external_id", "device_id"],
        _ => &[],
    };
    let note = Note {
        class: class.to_owned(),
        or: or.iter().map(|class| (*class).to_owned()).collect(),
        // An address that is used as an id is an id too.
        also: if name == "uid" {
            vec!["external_id".to_owned()]
        } else {
            vec![]
        },
        level,
        health: false,
        template: format!("slot {name}"),
    };
    Some(Some((value, vec![note])))
}

/// An identifier that a platform gave to a browser, a click or a device.
fn cookie(name: &str, rng: &mut Rng) -> Option<String> {
    let mut made = |kind| noise(kind, rng);
    Some(match name {
        "anon" => made("uuid")?,
        "cid" | "auid" => format!("{}.{}", made("n9")?, made("epoch")?),
        "fbp" => format!("fb.1.{}.{}", made("epoch_ms")?, made("n10")?),
        "fbc" => format!("fb.1.{}.{}", made("epoch_ms")?, made("token")?),
        "ttp" | "click" => made("token")?,
        "visitor" => made("n38")?,
        "visitor16" => made("hex16")?,
        "cookie" => format!("{}-{}", made("epoch_ms")?, made("n16")?),
        _ => return None,
    })
}
