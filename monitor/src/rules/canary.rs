//! The rules of planted values.

use super::Topic;

pub(super) const TOPICS: &[Topic] = &[Topic {
    class: "canary",
    why: "The value belongs to a synthetic patient of the configuration. Nobody sends it by \
          accident: what happens to it happens to the data of real patients.",
    hazards: "A host of your own that is not declared as first party is taken for a third party. \
              First names, last names, dates of birth, postal codes and values of fewer than six \
              characters count only beside another value of the same canary in the same event.",
    advice: "Follow the path and the process of the finding to the code that sends it, and look for \
             real patients in the findings of the same recipient.",
    rules: &[
        (
            "canary.name",
            "The name or a part of it, in any spelling, encoding or hash.",
        ),
        ("canary.email", "The email address."),
        ("canary.phone", "The telephone number."),
        ("canary.birth_date", "The date of birth."),
        ("canary.address", "The street address."),
        ("canary.zip", "The postal code."),
        ("canary.member_id", "The number of the health plan."),
        ("canary.ssn", "The social security number."),
        ("canary.mrn", "The medical record number."),
        ("canary.value", "Another planted value."),
    ],
}];
