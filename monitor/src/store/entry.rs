//! The entries of a manifest: one for everything that happens to a segment.
//!
//! In: what the store does. Out: the JSON objects of `manifest.jsonl`, and the
//! [`SegmentIndex`] that they add up to: which segments there are, which were
//! deleted and why, and the content of `SHA256SUMS`.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::capture::note::Provenance;

/// The version of manifests that this build writes and reads.
pub(super) const MANIFEST_VERSION: u32 = 1;

/// One entry. Times are RFC 3339 in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Entry {
    /// A writer began: on which host, with which version and configuration.
    Capture(Box<Header>),
    /// The earlier entries are in another file.
    Continued(Continued),
    /// A segment file was created, and is being written from here on.
    Begun { segment: String, time: String },
    /// A segment is complete and will not change.
    Sealed(Box<Sealed>),
    /// A segment is about to be deleted.
    Deleted(Deleted),
    /// A segment that was being written no longer existed at the next start.
    Lost { segment: String, time: String },
    /// Of a later version.
    #[serde(other)]
    Unknown,
}

/// What a writer says about itself when it begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// [`MANIFEST_VERSION`].
    pub(super) version: u32,
    pub(super) time: String,
    pub(super) provenance: Provenance,
    /// The kernel's name for this boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) boot: Option<String>,
    /// The age recipients of the segments, if they are encrypted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) recipients: Vec<String>,
    /// The minisign key that signs, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) public_key: Option<String>,
    /// A manifest that could not be continued, and what was wrong with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) set_aside: Option<String>,
}

/// Where the earlier entries are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Continued {
    /// Name of the file in the same folder.
    pub(super) file: String,
    /// SHA-256 of its content.
    pub(super) sha256: String,
}

/// The final state of a segment on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sealed {
    pub(super) segment: String,
    pub(super) time: String,
    /// Length of the file.
    pub(super) bytes: u64,
    /// SHA-256 of the file.
    pub(super) sha256: String,
    /// Time of the earliest packet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) first: Option<String>,
    /// Time of the latest packet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last: Option<String>,
    /// Packets, where the file can be read without a key or was not interrupted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) packets: Option<u64>,
    /// What was lost while it was written, by `stage.reason`.
    #[serde(default)]
    pub(super) losses: BTreeMap<String, u64>,
    /// Says that its writer did not end it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) recovered: Option<Recovered>,
}

/// The state of a segment that its writer did not end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Recovered {
    /// Bytes of an incomplete block that were removed from its end.
    pub(super) cut_bytes: u64,
    /// What happened.
    pub(super) reason: String,
}

/// Why a segment is no longer there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Deleted {
    pub(super) segment: String,
    pub(super) time: String,
    /// The key of the configuration that asked for it.
    pub(super) reason: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// The state of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It was begun and has not been sealed.
    Open,
    /// It is complete.
    Sealed(Box<Sealed>),
    /// It was deleted.
    Deleted(Deleted),
    /// It was not there at a start, at this time.
    Lost(String),
}

/// What the entries add up to: every segment in the order of beginning.
#[derive(Clone, Debug, Default)]
pub(super) struct SegmentIndex {
    order: BTreeMap<u64, (String, State)>,
    index: HashMap<String, u64>,
    next: u64,
    /// Bytes of all sealed segments.
    sealed_bytes: u64,
}

impl SegmentIndex {
    /// Applies the next entry. Refuses one that names a segment that never
    /// began, or that cannot follow.
    pub(super) fn apply(&mut self, entry: &Entry) -> Result<(), String> {
        match entry {
            Entry::Capture(header) if header.version > MANIFEST_VERSION => {
                Err(format!("it is of version {}", header.version))
            }
            Entry::Capture(_) | Entry::Continued(_) => Ok(()),
            Entry::Unknown => Err("an entry is of a kind that this version does not know".into()),
            Entry::Begun { segment, .. } => {
                if matches!(self.state(segment), Some(State::Open | State::Sealed(_))) {
                    return Err(format!("{segment} began twice"));
                }
                self.forget(segment);
                self.index.insert(segment.clone(), self.next);
                self.order.insert(self.next, (segment.clone(), State::Open));
                self.next += 1;
                Ok(())
            }
            Entry::Sealed(sealed) => {
                let state = State::Sealed(sealed.clone());
                self.change(&sealed.segment, state, |state| matches!(state, State::Open))?;
                self.sealed_bytes = self.sealed_bytes.saturating_add(sealed.bytes);
                Ok(())
            }
            Entry::Deleted(deleted) => {
                let bytes = match self.state(&deleted.segment) {
                    Some(State::Sealed(sealed)) => sealed.bytes,
                    _ => 0,
                };
                let state = State::Deleted(deleted.clone());
                self.change(&deleted.segment, state, |state| {
                    matches!(state, State::Sealed(_))
                })?;
                self.sealed_bytes = self.sealed_bytes.saturating_sub(bytes);
                Ok(())
            }
            Entry::Lost { segment, time } => {
                let state = State::Lost(time.clone());
                self.change(segment, state, |state| matches!(state, State::Open))
            }
        }
    }

    fn change(
        &mut self,
        segment: &str,
        to: State,
        may: impl Fn(&State) -> bool,
    ) -> Result<(), String> {
        let item = self
            .index
            .get(segment)
            .and_then(|order| self.order.get_mut(order));
        match item {
            Some((_, state)) if may(state) => {
                *state = to;
                Ok(())
            }
            _ => Err(format!("what it says of {segment} cannot be")),
        }
    }

    /// What became of `segment`, if it is known.
    pub(super) fn state(&self, segment: &str) -> Option<&State> {
        let order = self.index.get(segment)?;
        self.order.get(order).map(|(_, state)| state)
    }

    /// Every segment in the order in which they began.
    pub(super) fn segments(&self) -> impl Iterator<Item = (&str, &State)> {
        self.order.values().map(|(name, state)| (&**name, state))
    }

    /// The sealed segments, the oldest first.
    pub(super) fn sealed(&self) -> impl Iterator<Item = &Sealed> {
        self.order.values().filter_map(|(_, state)| match state {
            State::Sealed(sealed) => Some(&**sealed),
            _ => None,
        })
    }

    /// Bytes of all sealed segments together.
    pub(super) const fn sealed_bytes(&self) -> u64 {
        self.sealed_bytes
    }

    /// Forgets deleted segments, for a writer that runs for years.
    pub(super) fn prune(&mut self) {
        let gone: Vec<_> = self
            .segments()
            .filter(|(_, state)| matches!(state, State::Deleted(_) | State::Lost(_)))
            .map(|(name, _)| name.to_owned())
            .collect();
        for name in gone {
            self.forget(&name);
        }
    }

    fn forget(&mut self, segment: &str) {
        if let Some(order) = self.index.remove(segment) {
            self.order.remove(&order);
        }
    }

    /// The text of `SHA256SUMS`: the sealed segments, as `sha256sum` writes them.
    pub(super) fn sums(&self) -> String {
        self.sealed().fold(String::new(), |text, sealed| {
            text + &sealed.sha256 + "  " + &sealed.segment + "\n"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(segment: &str) -> Entry {
        Entry::Begun {
            segment: segment.to_owned(),
            time: "t".to_owned(),
        }
    }

    fn sealed(segment: &str) -> Entry {
        Entry::Sealed(Box::new(Sealed {
            segment: segment.to_owned(),
            bytes: 5,
            sha256: "ab".to_owned(),
            ..Sealed::default()
        }))
    }

    fn deleted(segment: &str) -> Entry {
        Entry::Deleted(Deleted {
            segment: segment.to_owned(),
            time: "t".to_owned(),
            reason: "max_bytes".to_owned(),
            bytes: 5,
            sha256: "ab".to_owned(),
        })
    }

    #[test]
    fn a_segment_begins_is_sealed_and_deleted() {
        let mut index = SegmentIndex::default();
        for entry in [begun("a"), sealed("a"), begun("b"), sealed("b"), begun("c")] {
            index.apply(&entry).unwrap();
        }
        assert_eq!(index.sums(), "ab  a\nab  b\n");
        assert_eq!(index.sealed_bytes(), 10);
        index.apply(&deleted("a")).unwrap();
        assert_eq!((&*index.sums(), index.sealed_bytes()), ("ab  b\n", 5));
        assert!(matches!(index.state("a"), Some(State::Deleted(_))));
        index.prune();
        let names: Vec<_> = index.segments().map(|(name, _)| name).collect();
        assert_eq!(names, ["b", "c"]);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let check = |entries: &[Entry]| {
            let mut index = SegmentIndex::default();
            let (last, before) = entries.split_last().unwrap();
            for entry in before {
                index.apply(entry).unwrap();
            }
            assert!(index.apply(last).is_err(), "{entries:?}");
        };
        check(&[sealed("a")]);
        check(&[begun("a"), begun("a")]);
        check(&[begun("a"), deleted("a")]);
        check(&[begun("a"), sealed("a"), sealed("a")]);
        check(&[begun("a"), sealed("a"), deleted("a"), deleted("a")]);
        check(&[Entry::Unknown]);
    }

    #[test]
    fn entries_are_read_as_they_were_written() {
        let header = Entry::Capture(Box::new(Header {
            version: MANIFEST_VERSION,
            time: "t".to_owned(),
            provenance: Provenance::default(),
            boot: None,
            recipients: vec!["age1x".to_owned()],
            public_key: None,
            set_aside: None,
        }));
        for entry in [header, begun("a"), sealed("a"), deleted("a")] {
            let text = serde_json::to_string(&entry).unwrap();
            assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), entry);
        }
        let later: Entry = serde_json::from_str(r#"{"type":"moved","to":1}"#).unwrap();
        assert_eq!(later, Entry::Unknown);
    }
}
