//! The memory of plain identifiers, by which hashed ones are confirmed.
//!
//! Holds keyed hashes of hashes: neither a value nor a hash of one can be read
//! from it.

use super::recent::Recent;
use crate::{
    loss::{Loss, Losses},
    phi::{
        Class, Evidence, Form, Identifier,
        hashes::{MAX_VARIANTS, digest_of, variants},
    },
    token::TokenKey,
};

/// Hashes that are remembered; what was not seen longest is forgotten.
const MAX_DIGESTS: usize = 524_288;
/// The hash functions that platforms ask for.
const FORMS: &[Form] = &[Form::Sha256, Form::Sha1, Form::Md5];
/// Plain identifiers whose hashes need not be made again: so few that their
/// hashes are not forgotten before them.
const MAX_PLAIN: usize = MAX_DIGESTS / (MAX_VARIANTS * FORMS.len());
/// Plain identifiers of one message that are learned: each costs some hashing.
const MAX_LEARNED: usize = 2_048;

/// Identifiers that are worth joining. Of a city or a sex every hash would soon
/// be known.
const LEARNED: &[Identifier] = &[
    Identifier::Email,
    Identifier::Phone,
    Identifier::Fax,
    Identifier::Name,
    Identifier::BirthDate,
    Identifier::Ssn,
    Identifier::Mrn,
    Identifier::HealthPlanId,
    Identifier::ExternalId,
    Identifier::DeviceId,
    Identifier::Ip,
];

/// A plain identifier that was seen.
#[derive(Clone, Copy)]
pub(super) struct Plain {
    /// Its token.
    pub(super) number: u128,
    /// What it is.
    pub(super) identifier: Identifier,
}

/// The memory.
pub(super) struct Hashes {
    digests: Recent<Plain>,
    plain: Recent<()>,
}

impl Default for Hashes {
    fn default() -> Self {
        Self {
            digests: Recent::new(MAX_DIGESTS),
            plain: Recent::new(MAX_PLAIN),
        }
    }
}

impl Hashes {
    /// Learns the plain identifiers of one message; `raw_of` gives what was sent
    /// in the field of a piece of evidence.
    pub(super) fn learn<'a>(
        &mut self,
        key: &TokenKey,
        evidence: &[Evidence],
        raw_of: impl Fn(&Evidence) -> &'a str,
        losses: &mut Losses,
    ) {
        let mut learned = 0_usize;
        for item in evidence {
            let Class::Identifier(identifier) = item.class else {
                continue;
            };
            if item.form != Form::Plain || !LEARNED.contains(&identifier) {
                continue;
            }
            let normalized = item.normalized.expose();
            let number = key.number(item.class.as_str(), normalized);
            if self.plain.fresh(number).is_some() {
                continue;
            }
            if learned >= MAX_LEARNED {
                losses.count(Loss::HashMemory);
                continue;
            }
            learned += 1;
            self.plain.set(number, ());
            let plain = Plain { number, identifier };
            // A field may hold more than the identifier: an address of a page.
            let raw = raw_of(item);
            let raw = if raw.len() > 2 * normalized.len() + 8 {
                normalized
            } else {
                raw
            };
            for spelling in variants(identifier, normalized, raw) {
                for digest in FORMS.iter().filter_map(|form| digest_of(*form, &spelling)) {
                    let forgotten = self.digests.set(digest_number(key, &digest), plain);
                    losses.add(Loss::HashMemory, forgotten);
                }
            }
        }
    }

    /// The plain identifier that hashed evidence is the hash of, if it was seen.
    pub(super) fn confirm(&mut self, key: &TokenKey, item: &Evidence) -> Option<Plain> {
        if !FORMS.contains(&item.form) {
            return None;
        }
        self.digests
            .get(digest_number(key, item.normalized.expose()))
    }
}

fn digest_number(key: &TokenKey, digest: &str) -> u128 {
    key.number("digest", digest)
}
