//! What earlier events reveal about later ones: which identifiers belong to one
//! person, and which hash belongs to which plain identifier.

use hashbrown::HashMap;

use super::{
    FieldRecord,
    hashes::{Hashes, Plain},
    people::{People, PeopleCount, Ranked},
    proof::Proof,
};
use crate::{
    loss::Losses,
    phi::{Class, Identifier},
    token::{Token, TokenKey, keyless},
};

/// Identifiers that distinguish people, the most stable first, with how easily
/// many people share one.
const TELLING: &[(Identifier, u8)] = &[
    (Identifier::Email, 0),
    (Identifier::Phone, 0),
    (Identifier::Ssn, 0),
    (Identifier::Mrn, 0),
    (Identifier::HealthPlanId, 0),
    (Identifier::ExternalId, 1),
    (Identifier::DeviceId, 2),
    (Identifier::OnlineId, 2),
];

/// Identifiers of one event that are joined.
const MAX_JOINED: usize = 32;

/// The memory. It holds keyed hashes only.
#[derive(Default)]
pub struct Memory {
    people: People,
    hashes: Hashes,
}

/// The person whom an event is about.
#[derive(Clone, Copy)]
pub(super) struct Who {
    /// The name of the person in findings.
    pub(super) person: Token,
    /// The strongest identifier of the event itself.
    pub(super) strongest: Token,
}

impl Memory {
    /// How many people's data the tracker with this id has received.
    pub fn people(&self, tracker: &str) -> PeopleCount {
        self.people.known_to(tracker)
    }

    /// How many people any tracker has heard of.
    pub fn people_in_total(&self) -> PeopleCount {
        self.people.known_to_any()
    }

    /// Names of people who turned out to be someone else, mapped to the names
    /// of those.
    pub fn merged(&self) -> HashMap<Token, Token> {
        let merged = self.people.merged().into_iter();
        merged.map(|(from, to)| (Token(from), Token(to))).collect()
    }

    /// Learns the plain identifiers of one message.
    pub(super) fn learn(&mut self, key: &TokenKey, proofs: &[Proof], losses: &mut Losses) {
        self.hashes.learn(key, proofs, losses);
    }

    /// The plain identifier whose hash `item` is, if it was seen.
    pub(super) fn confirm(&mut self, item: &Proof) -> Option<Plain> {
        self.hashes.confirm(item)
    }

    /// These proofs for a record, each hash with its plain identifier.
    pub fn confirmed(&mut self, proofs: &[Proof]) -> Vec<Proof> {
        proofs
            .iter()
            .map(|proof| Proof {
                plain: self.hashes.confirm(proof),
                ..proof.clone()
            })
            .collect()
    }

    /// The person whom the event is about. `None` if nothing identifies one.
    pub(super) fn meet(&mut self, event: &[&Proof], losses: &mut Losses) -> Option<Who> {
        let mut tokens: Vec<Ranked> = Vec::new();
        for (identifier, rank) in TELLING {
            let own = event
                .iter()
                .filter(|item| item.class == Class::Identifier(*identifier));
            for item in own {
                let number = item.token.0;
                let plain = self.hashes.confirm(item).and_then(|plain| {
                    let (_, rank) = TELLING.iter().find(|(own, _)| *own == plain.identifier)?;
                    Some(Ranked {
                        number: plain.token.0,
                        rank: *rank,
                    })
                });
                // The plain identifier names the person, even before it is sent
                // in plain text to this recipient.
                let known = plain.into_iter().chain([Ranked {
                    number,
                    rank: *rank,
                }]);
                for token in known {
                    if tokens.len() < MAX_JOINED
                        && tokens.iter().all(|other| other.number != token.number)
                    {
                        tokens.push(token);
                    }
                }
            }
        }
        if tokens.is_empty() {
            tokens.extend(composite(event));
        }
        let strongest = tokens.first()?.number;
        let person = self.people.meet(&tokens, losses)?;
        Some(Who {
            person: Token(person),
            strongest: Token(strongest),
        })
    }

    /// Counts a person for a tracker.
    pub(super) fn count(&mut self, tracker: &str, who: Who, losses: &mut Losses) {
        self.people
            .count(tracker, who.person.0, who.strongest.0, losses);
    }
}

/// The token of the identifier in these fields that distinguishes people best.
pub fn strongest(fields: &[FieldRecord]) -> Option<Token> {
    TELLING.iter().find_map(|(identifier, _)| {
        let class = Class::Identifier(*identifier);
        fields.iter().find(|field| field.class == class)?.token
    })
}

/// A name with a date of birth or an address distinguishes people as well.
fn composite(event: &[&Proof]) -> Option<Ranked> {
    let has = |wanted: &[Identifier]| {
        event.iter().any(|item| {
            wanted
                .iter()
                .any(|own| item.class == Class::Identifier(*own))
        })
    };
    if !has(&[Identifier::Name]) || !has(&[Identifier::BirthDate, Identifier::Address]) {
        return None;
    }
    let mut parts: Vec<Token> = event
        .iter()
        .filter(|item| {
            matches!(
                item.class,
                Class::Identifier(Identifier::Name | Identifier::BirthDate | Identifier::Address)
            )
        })
        .map(|item| item.token)
        .collect();
    parts.sort_unstable();
    parts.dedup();
    // Made of tokens, not of values, so that it can be computed from a redacted
    // capture.
    let parts: String = parts.iter().map(Token::to_string).collect();
    Some(Ranked {
        number: keyless("person", &parts),
        rank: 0,
    })
}
