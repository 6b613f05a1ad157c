//! The memory of plain identifiers, which confirm hashed ones.
//!
//! Holds keyed hashes of hashes, which reveal neither a value nor a hash of
//! one.

use super::{
    proof::{LearnedIdentifier, Proof},
    recent::{PackedHash, Recent},
};
use crate::{
    loss::{Loss, Losses},
    phi::{
        Class, Form, Identifier,
        hashes::{MAX_VARIANTS, hash_of, variants},
    },
    token::{Token, TokenKey},
};

/// How many hashes are remembered; the least recently seen are forgotten. Half
/// of them fill a table of a power of two to its most efficient load.
const MAX_DIGESTS: usize = 458_752;
/// The hash functions that platforms ask for.
pub(super) const FORMS: &[Form] = &[Form::Sha256, Form::Sha1, Form::Md5];
/// Plain identifiers whose hashes need not be computed again: so few that their
/// hashes are not forgotten before them.
const MAX_PLAIN: usize = MAX_DIGESTS / (MAX_VARIANTS * FORMS.len());
/// How many plain identifiers of one message are learned: each costs some
/// hashing.
const MAX_LEARNED: usize = 2_048;

/// Identifiers that are worth remembering. All hashes of cities or sexes would
/// soon be known.
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

/// Whether a plain value of `class` is worth remembering.
pub(super) fn is_learned(class: Class) -> bool {
    matches!(class, Class::Identifier(identifier) if LEARNED.contains(&identifier))
}

/// A plain identifier that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plain {
    /// Its token.
    pub(super) token: Token,
    /// What it is.
    pub(super) identifier: Identifier,
}

/// [`Plain`] as stored in the memory.
#[derive(Clone, Copy)]
struct Stored {
    number: PackedHash,
    identifier: Identifier,
}

/// The memory.
pub(super) struct Hashes {
    digests: Recent<Stored>,
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
    /// Learns the plain identifiers of one message.
    pub(super) fn learn(&mut self, key: &TokenKey, proofs: &[Proof], losses: &mut Losses) {
        let mut count = 0_usize;
        for item in proofs {
            let (Class::Identifier(identifier), Some(learned)) = (item.class, &item.learned) else {
                continue;
            };
            let number = item.token.0;
            if self.plain.fresh(number).is_some() {
                continue;
            }
            if count >= MAX_LEARNED {
                losses.count(Loss::HashMemory);
                continue;
            }
            count += 1;
            self.plain.set(number, ());
            let plain = Stored {
                number: number.into(),
                identifier,
            };
            let mut remember = |digest| {
                let forgotten = self.digests.set(digest, plain);
                losses.add(Loss::HashMemory, forgotten);
            };
            match &learned.digests {
                Some(digests) => digests.iter().copied().for_each(remember),
                None => learned.digests(key, identifier).for_each(&mut remember),
            }
        }
    }

    /// The plain identifier that hashed evidence is the hash of, if it was seen.
    pub(super) fn confirm(&mut self, item: &Proof) -> Option<Plain> {
        item.plain.or_else(|| {
            let Stored { number, identifier } = self.digests.get(item.digest?)?;
            let token = Token(number.into());
            Some(Plain { token, identifier })
        })
    }
}

/// The plain identifiers that a worker has recently seen: their digests are
/// probably known already. Results do not depend on it.
pub struct DigestCache(Recent<()>);

impl Default for DigestCache {
    fn default() -> Self {
        Self(Recent::new(MAX_PLAIN))
    }
}

impl LearnedIdentifier {
    /// Adds the digests, unless they are probably known.
    pub(super) fn prepared(
        mut self,
        key: &TokenKey,
        (class, token): (Class, Token),
        cache: &mut DigestCache,
    ) -> Self {
        if let Class::Identifier(identifier) = class
            && cache.0.fresh(token.0).is_none()
        {
            cache.0.set(token.0, ());
            self.digests = Some(self.digests(key, identifier).collect());
        }
        self
    }

    /// The keyed hashes of the hashes that platforms ask for.
    fn digests(&self, key: &TokenKey, identifier: Identifier) -> impl Iterator<Item = u128> {
        let (normalized, raw) = (self.normalized.expose(), self.raw.expose());
        // A field may hold more than the identifier, such as the address of a
        // page.
        let raw = if raw.len() > 2 * normalized.len() + 8 {
            normalized
        } else {
            raw
        };
        variants(identifier, normalized, raw).flat_map(move |spelling| {
            FORMS.iter().filter_map(move |form| {
                let (hash, length) = hash_of(*form, &spelling)?;
                Some(key.number_of("digest", hash.get(..length)?))
            })
        })
    }
}

/// The keyed hash under which a hash, given in hexadecimal digits, is
/// remembered.
pub(super) fn digest_number(key: &TokenKey, digits: &str) -> Option<u128> {
    let hash = base16ct::mixed::decode_vec(digits).ok()?;
    Some(key.number_of("digest", &hash))
}
