//! The names that somebody may have meant.

/// Longer names are not compared.
const MAX_LENGTH: usize = 64;
/// A closed set of at most this many names is listed whole.
const MAX_LISTED: usize = 12;

/// Advice for `name`, which is not in `known`: the nearest name, or all of them
/// if there are few.
pub(super) fn advice<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let allowed = (name.chars().count() / 3).max(1);
    let nearest = known
        .clone()
        .map(|own| (distance(&name.to_lowercase(), own), own))
        .filter(|(distance, _)| *distance <= allowed)
        .min();
    let contained = || {
        let mut all = known
            .clone()
            .filter(|own| name.len() > 2 && own.contains(name));
        all.next().filter(|_| all.next().is_none())
    };
    if let Some(own) = nearest.map(|(_, own)| own).or_else(contained) {
        return format!("did you mean `{own}`?");
    }
    let few: Vec<&str> = known.take(MAX_LISTED + 1).collect();
    if few.len() <= MAX_LISTED {
        return format!("one of {}", few.join(", "));
    }
    String::new()
}

/// Insertions, deletions, replacements and swaps of neighbors between two words.
fn distance(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.chars().collect();
    let other: Vec<char> = other.chars().collect();
    if one.len().max(other.len()) > MAX_LENGTH {
        return usize::MAX;
    }
    let mut older: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (row, a) in one.iter().enumerate() {
        let mut line = vec![row + 1];
        for (column, b) in other.iter().enumerate() {
            let at = |line: &[usize], column: usize| line.get(column).copied().unwrap_or(0);
            let mut best = at(&above, column) + usize::from(a != b);
            best = best
                .min(at(&above, column + 1) + 1)
                .min(at(&line, column) + 1);
            let swapped = row > 0
                && column > 0
                && one.get(row - 1) == Some(b)
                && other.get(column - 1) == Some(a);
            if swapped {
                best = best.min(at(&older, column - 1) + 1);
            }
            line.push(best);
        }
        older = std::mem::replace(&mut above, line);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (one, other, expected) in [
            ("", "", 0),
            ("meta", "meta", 0),
            ("mtea", "meta", 1),
            ("met", "meta", 1),
            ("mexa", "meta", 1),
            ("severtiy", "severity", 1),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
            assert_eq!(distance(other, one), expected, "{other} {one}");
        }
    }

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
