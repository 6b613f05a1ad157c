//! Health information as developers of many kinds of companies spell it, with
//! nothing else beside it.

use super::{super::super::Strength, *};

mod care;
mod clinical;
mod personal;

/// What is stated about someone, and what is only named, of one class.
pub(super) struct Spellings {
    class: &'static str,
    /// Keys and values that say by themselves what they are.
    stated: &'static [&'static str],
    /// Events, pages and articles.
    named: &'static [&'static str],
}

#[test]
fn every_spelling_is_found() {
    let mut wrong = Vec::new();
    let all = [care::SPELLINGS, clinical::SPELLINGS, personal::SPELLINGS];
    for of_class in all.into_iter().flatten() {
        let lists = [
            (of_class.stated, Strength::H3),
            (of_class.named, Strength::H2),
        ];
        for (lines, least) in lists {
            for line in lines {
                let found = positives::strongest(line, of_class.class);
                if found.is_none_or(|found| found < least) {
                    wrong.push(format!("{}: {line}: {found:?}", of_class.class));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}: {wrong:#?}", wrong.len());
}
