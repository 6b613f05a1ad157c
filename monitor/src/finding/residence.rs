//! Which states of the United States an event names, noted at its proofs.
//!
//! In: the fields and the evidence of one message, and its proofs. Out: each
//! state at one proof of the events that it belongs to.

use std::collections::HashSet;

use super::proof::Proof;
use crate::{
    field::{Fields, StepId},
    phi::{Evidence, States, states_in},
};

/// Finds states before the evidence becomes proofs.
pub(super) fn states(fields: &Fields, evidence: &[Evidence]) -> Vec<(Option<usize>, States)> {
    states_in(fields, evidence)
        .into_iter()
        .map(|(element, states)| (element.map(StepId::index), states))
        .collect()
}

/// Notes each of `found` at a proof of every event that it belongs to.
pub(super) fn note(found: &[(Option<usize>, States)], proofs: &mut [Proof]) {
    for (element, states) in found {
        let own = proofs.iter_mut().find(|proof| proof.element == *element);
        if let Some(proof) = own {
            proof.states.add(*states);
            continue;
        }
        // Shared states belong to every element; those of an element without
        // evidence of its own belong to the shared evidence.
        let mut seen = HashSet::new();
        for proof in proofs.iter_mut() {
            let is_wanted = element.is_none() || proof.element.is_none();
            if is_wanted && seen.insert(proof.element) {
                proof.states.add(*states);
            }
        }
    }
}

/// The states that an event names, sorted.
pub(super) fn of<'a>(event: impl IntoIterator<Item = &'a Proof>) -> Vec<&'static str> {
    let mut all = States::default();
    for proof in event {
        all.add(proof.states);
    }
    all.letters()
}
