//! The names that somebody may have meant.

use strsim::osa_distance;

/// Longer names are not compared, in bytes.
const MAX_LENGTH: usize = 64;
/// A closed set of at most this many names is listed whole.
const MAX_LISTED: usize = 12;

/// Advice for `name`, which is not in `known`: the nearest name, or all of them
/// if there are few.
pub(super) fn advice<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let allowed = (name.chars().count() / 3).max(1);
    let contained = || {
        let mut all = known
            .clone()
            .filter(|own| name.len() > 2 && own.contains(name));
        all.next().filter(|_| all.next().is_none())
    };
    if let Some(own) = nearest(name, known.clone(), allowed).or_else(contained) {
        return format!("did you mean `{own}`?");
    }
    let few: Vec<&str> = known.take(MAX_LISTED + 1).collect();
    if few.len() <= MAX_LISTED {
        return format!("one of {}", few.join(", "));
    }
    String::new()
}

/// The name of `known` that is at most `allowed` mistakes from `name`: letters
/// too many, missing, wrong, or swapped with their neighbor.
pub(crate) fn nearest<'a>(
    name: &str,
    known: impl Iterator<Item = &'a str>,
    allowed: usize,
) -> Option<&'a str> {
    let name = name.to_lowercase();
    known
        .filter(|own| name.len().max(own.len()) <= MAX_LENGTH)
        .map(|own| (osa_distance(&name, own), own))
        // A name of which every letter would have to change was not meant.
        .filter(|(distance, own)| *distance <= allowed && *distance < own.chars().count())
        .min()
        .map(|(_, own)| own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_names_one_or_few_or_none() {
        let few = ["meta", "tiktok", "google_ads"];
        assert_eq!(advice("mtea", few.into_iter()), "did you mean `meta`?");
        assert_eq!(advice("META", few.into_iter()), "did you mean `meta`?");
        assert_eq!(
            advice("google", few.into_iter()),
            "did you mean `google_ads`?"
        );
        assert_eq!(
            advice("qqq", few.into_iter()),
            "one of meta, tiktok, google_ads"
        );
        let many: Vec<String> = (0..40).map(|number| format!("name{number}")).collect();
        assert_eq!(advice("qqq", many.iter().map(String::as_str)), "");
    }
}
