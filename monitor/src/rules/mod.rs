//! What every rule of the detectors means, in words.
//!
//! Input: the id of a rule, as in `fields[].rule` of a finding. Output: what it
//! matches, why that counts, its pitfalls, what to do. One table per topic; a
//! test keeps them and the source consistent.

mod canary;
mod health;
mod identifier;
mod page;
#[cfg(test)]
mod tests;

/// The rules of one class of data, and what they have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topic {
    /// The class, as in the records.
    pub class: &'static str,
    /// Why it counts.
    pub why: &'static str,
    /// When it is wrong.
    pub hazards: &'static str,
    /// What to do about a finding.
    pub advice: &'static str,
    /// Its rules: id and what it matches.
    pub rules: &'static [(&'static str, &'static str)],
}

/// The rules of this build: 16 digits of a hash of their source. Two builds
/// with the same digits find the same evidence in the same message.
pub const fn fingerprint() -> &'static str {
    env!("PHIWATCH_RULES")
}

/// Every topic: identifiers, health information, pages, canaries.
pub fn topics() -> impl Iterator<Item = &'static Topic> {
    [
        identifier::TOPICS,
        health::TOPICS,
        page::TOPICS,
        canary::TOPICS,
    ]
    .into_iter()
    .flatten()
}

/// The rule `id` as it stands in findings of this build.
pub fn id(id: &str) -> Option<&'static str> {
    topics()
        .flat_map(|topic| topic.rules)
        .map(|(own, _)| *own)
        .find(|own| *own == id)
}

/// The topic and the text of the rule `id`.
pub fn find(id: &str) -> Option<(&'static Topic, &'static str)> {
    topics().find_map(|topic| {
        let (_, matches) = topic.rules.iter().find(|(own, _)| *own == id)?;
        Some((topic, *matches))
    })
}
