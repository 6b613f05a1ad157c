//! Pictures of people: an address or the data of an image under a key that says
//! so.

use super::sets::photo::{ENDINGS, GOODS, MAGIC, PHOTO_KEYS};
pub(super) use super::sets::photo::{KEYS, WEAK_KEYS};
use super::{
    Hits, Identifier, Strength, named,
    subject::{Subject, Surroundings},
};
use crate::field::ValueKind;

/// What of a value is kept: images are long.
const KEPT: usize = 128;

pub(super) fn detect(subject: &Subject<'_>, around: Surroundings<'_>, hits: &mut Hits<'_>) {
    let value = subject.value;
    if subject.kind != ValueKind::Text || !is_image(value) {
        return;
    }
    let above = || subject.keys.iter().rev().skip(1);
    let is_keyed =
        named::is(subject, KEYS) || subject.leaf_in(WEAK_KEYS) && above().any(|key| is_person(key));
    // A photo in an event about health is more often of the patient than of
    // goods, unless it stands among them.
    let is_likely = || {
        subject.leaf_in(PHOTO_KEYS) && !above().any(|key| key.has_word(GOODS)) && around.health()
    };
    let strength = if is_keyed {
        Strength::I3
    } else if is_likely() {
        Strength::I1
    } else {
        return;
    };
    let kept = value.chars().take(KEPT).collect();
    hits.plain(Identifier::Photo, strength, "photo.key", kept);
}

fn is_person(key: &super::key::Key) -> bool {
    // Goods have attributes too.
    key.is_person() && key.folded != "attributes"
}

/// An address, a path or the data of an image. Readers take addresses apart, so
/// the last part of one may stand alone.
fn is_image(value: &str) -> bool {
    let head = value
        .get(..value.floor_char_boundary(16))
        .unwrap_or_default();
    if head.starts_with("data:image/") || MAGIC.iter().any(|magic| head.starts_with(magic)) {
        return true;
    }
    if value.starts_with("https://") || value.starts_with("http://") {
        return true;
    }
    let tail = value
        .get(value.floor_char_boundary(value.len().saturating_sub(5))..)
        .unwrap_or_default()
        .to_ascii_lowercase();
    ENDINGS.iter().any(|ending| tail.ends_with(ending))
}
