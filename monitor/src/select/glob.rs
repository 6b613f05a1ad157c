//! Patterns in which `*` stands for any characters and `?` for one.
//!
//! In: a pattern and a text. Out: whether the pattern matches the whole text,
//! in time proportional to the product of their lengths at most.

/// Whether `pattern` matches all of `text`, ignoring case.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let lower = |text: &str| text.chars().flat_map(char::to_lowercase).collect();
    let (pattern, text): (Vec<char>, Vec<char>) = (lower(pattern), lower(text));
    let (mut at, mut place) = (0, 0);
    // Where to continue if what follows the last star does not match.
    let mut star: Option<(usize, usize)> = None;
    while let Some(c) = text.get(place) {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, place));
                at += 1;
            }
            Some(own) if *own == '?' || own == c => {
                at += 1;
                place += 1;
            }
            _ => {
                let Some((back, from)) = star else {
                    return false;
                };
                star = Some((back, from + 1));
                at = back + 1;
                place = from + 1;
            }
        }
    }
    pattern.iter().skip(at).all(|own| *own == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "anything", true),
            ("?", "", false),
            ("?", "ä", true),
            ("*.facebook.com", "graph.facebook.com", true),
            ("*.facebook.com", "facebook.com", false),
            ("/v*/events", "/v26.0/{id}/events", true),
            ("/v*/events", "/v26.0/{id}/event", false),
            ("a*b*c", "axxbxxbxc", true),
            ("a*b*c", "axxbxxbx", false),
            ("PHP*", "php-fpm", true),
            ("**", "x", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
        // A pattern that makes others try every way.
        let pattern = "*a".repeat(500);
        assert!(!fits(&pattern, &"b".repeat(5_000)));
    }
}
