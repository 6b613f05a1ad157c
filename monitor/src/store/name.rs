//! The names of the files in a capture folder.
//!
//! In: a time and a number, or the name of a file. Out: the name of a segment,
//! or the kind of the file. Files with other names belong to others and are
//! never touched.

use crate::event::Timestamp;

/// The hash-chained list of everything that happened to the segments.
pub(super) const MANIFEST: &str = "manifest.jsonl";
/// What `sha256sum -c` reads.
pub(super) const SUMS: &str = "SHA256SUMS";
/// What `minisign -V -m SHA256SUMS` reads.
pub(super) const SIGNATURE: &str = "SHA256SUMS.minisig";
/// While there is a file of this name, no segment is deleted.
pub(super) const HOLD: &str = "hold";

/// How a segment's name begins.
const PREFIX: &str = "phiwatch-";
/// How the name of a segment ends, plain and encrypted.
const PLAIN: &str = ".pcapng";
const ENCRYPTED: &str = ".pcapng.age";
/// How the name of a file ends that is not ready.
const DRAFT: &str = ".new";
/// How a manifest that could not be continued is named.
const BROKEN: &str = ".broken-";

/// A segment number has four digits.
pub(super) const MAX_NUMBER: u32 = 10_000;

/// What a file in a capture folder is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    /// A segment.
    Segment,
    /// An earlier part of the manifest.
    Archive,
    /// A manifest or its sums, set aside because it was not as it was written.
    Broken,
    /// A draft that is to replace another file.
    Draft,
    /// The manifest, its sums, its signature, the custody log or the hold.
    Known,
    /// Not ours.
    Foreign,
}

impl FileKind {
    /// What a file called `name` is.
    pub(super) fn of(name: &str) -> Self {
        if is_segment(name) {
            return Self::Segment;
        }
        if [
            MANIFEST,
            SUMS,
            SIGNATURE,
            HOLD,
            super::custody::CUSTODY_FILE,
        ]
        .contains(&name)
        {
            return Self::Known;
        }
        if is_archive(name) {
            return Self::Archive;
        }
        let is_draft = name
            .strip_prefix('.')
            .and_then(|name| name.strip_suffix(DRAFT))
            .is_some_and(|name| {
                [MANIFEST, SUMS, SIGNATURE].contains(&name) || is_segment(name) || is_archive(name)
            });
        if is_draft {
            return Self::Draft;
        }
        match name.split_once(BROKEN) {
            Some((MANIFEST | SUMS | SIGNATURE, _)) => Self::Broken,
            _ => Self::Foreign,
        }
    }
}

/// `phiwatch-YYYYMMDDTHHMMSSZ-NNNN.pcapng`, with `.age` if it is encrypted.
pub(super) fn segment_name(time: Timestamp, number: u32, is_encrypted: bool) -> String {
    let extension = if is_encrypted { ENCRYPTED } else { PLAIN };
    format!("{PREFIX}{}-{number:04}{extension}", compact(time))
}

/// The name of a manifest or its like that is set aside at `time`.
pub(super) fn broken_name(name: &str, time: Timestamp) -> String {
    format!("{name}{BROKEN}{}", compact(time))
}

/// The name of the `number`th earlier part of the manifest, from 1.
pub(super) fn archive_name(number: usize) -> String {
    format!("manifest-{number:04}.jsonl")
}

/// The name under which the draft of the file `name` is written.
pub(super) fn draft_name(name: &str) -> String {
    format!(".{name}{DRAFT}")
}

/// Whether the segment `name` is encrypted.
pub(super) fn is_encrypted(name: &str) -> bool {
    name.ends_with(ENCRYPTED)
}

fn is_archive(name: &str) -> bool {
    name.strip_prefix("manifest-")
        .and_then(|name| name.strip_suffix(".jsonl"))
        .is_some_and(|digits| digits.len() >= 4 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_segment(name: &str) -> bool {
    let Some(middle) = name.strip_prefix(PREFIX).and_then(|name| {
        name.strip_suffix(ENCRYPTED)
            .or_else(|| name.strip_suffix(PLAIN))
    }) else {
        return false;
    };
    let shape = b"00000000T000000Z-0000";
    middle.len() == shape.len()
        && middle.bytes().zip(shape).all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            other => byte == *other,
        })
}

/// `YYYYMMDDTHHMMSSZ`.
fn compact(time: Timestamp) -> String {
    let mut text: String = time
        .to_string()
        .chars()
        .take_while(|character| *character != '.')
        .filter(|character| !matches!(character, '-' | ':'))
        .collect();
    text.push('Z');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        let time = Timestamp(1_764_038_463_000_000_000);
        let plain = segment_name(time, 7, false);
        assert_eq!(plain, "phiwatch-20251125T024103Z-0007.pcapng");
        let encrypted = segment_name(time, 9_999, true);
        assert!(is_encrypted(&encrypted) && !is_encrypted(&plain));
        for (name, kind) in [
            (&*plain, FileKind::Segment),
            (&encrypted, FileKind::Segment),
            (&draft_name(&plain), FileKind::Draft),
            (&draft_name(&encrypted), FileKind::Draft),
            (&draft_name(MANIFEST), FileKind::Draft),
            (&draft_name(&archive_name(3)), FileKind::Draft),
            (&archive_name(12_345), FileKind::Archive),
            (&broken_name(SUMS, time), FileKind::Broken),
            ("hold", FileKind::Known),
            ("custody.jsonl", FileKind::Known),
            ("notes.txt", FileKind::Foreign),
            (".notes.txt.new", FileKind::Foreign),
            ("phiwatch-mine.pcapng", FileKind::Foreign),
            ("phiwatch-20251125T024103Z-007.pcapng", FileKind::Foreign),
            (
                "phiwatch-20251125T024103Z-0007.pcapng.zst",
                FileKind::Foreign,
            ),
            ("manifest-1.jsonl", FileKind::Foreign),
        ] {
            assert_eq!(FileKind::of(name), kind, "{name}");
        }
    }
}
