//! Text to words: what the lexicons are matched against.

/// Words of one value beyond this are not examined.
const MAX_WORDS: usize = 2_048;

/// Runs of letters and digits of at least this length can be random.
const RANDOM_LENGTH: usize = 12;

/// Lower-case words of `text`: split at everything that is no letter or digit,
/// at `fooBar`, `HTTPServer` and `gad7total`. Runs that look like ids, hashes
/// or base64 yield nothing, since chance spells short words in them.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for run in text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|run| !run.is_empty())
    {
        if !looks_random(run) {
            split_run(run, &mut words);
        }
        if words.len() >= MAX_WORDS {
            words.truncate(MAX_WORDS);
            break;
        }
    }
    words
}

/// Lower case, letters and digits only: how keys are compared.
pub(super) fn fold(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn split_run(run: &str, words: &mut Vec<String>) {
    let mut word = String::new();
    let mut before: Option<char> = None;
    let mut chars = run.chars().peekable();
    while let Some(c) = chars.next() {
        let starts_word = before.is_some_and(|before| {
            let next_is_lower = chars.peek().is_some_and(|next| next.is_lowercase());
            (before.is_lowercase() && c.is_uppercase())
                || (before.is_uppercase() && c.is_uppercase() && next_is_lower)
                || (before.is_numeric() && c.is_alphabetic())
        });
        if starts_word {
            words.push(std::mem::take(&mut word));
        }
        word.extend(c.to_lowercase());
        before = Some(c);
    }
    words.push(word);
}

/// Whether a run changes between lower case, upper case and digits as often as
/// random text does.
fn looks_random(run: &str) -> bool {
    let length = run.chars().count();
    if length < RANDOM_LENGTH {
        return false;
    }
    let kind = |c: char| (c.is_uppercase(), c.is_numeric());
    let digits = run.chars().filter(|c| c.is_numeric()).count();
    let changes = run
        .chars()
        .zip(run.chars().skip(1))
        .filter(|(a, b)| kind(*a) != kind(*b));
    digits > 0 && changes.count() > length / 4
}

/// Whether a value says that there is no value.
pub(super) fn is_placeholder(value: &str) -> bool {
    const PLACEHOLDERS: &[&str] = &[
        "",
        "0",
        "anonymous",
        "false",
        "guest",
        "na",
        "nan",
        "nil",
        "none",
        "notset",
        "null",
        "redacted",
        "true",
        "undefined",
        "unknown",
    ];
    let folded = fold(value);
    PLACEHOLDERS.contains(&folded.as_str())
}

/// Whether a value is empty or stands for nothing; a zero is an answer.
pub(super) fn is_placeholder_text(value: &str) -> bool {
    matches!(fold(value).as_str(), "" | "na" | "null" | "undefined")
}

/// Whether an answer is a no.
pub(super) fn is_negative(value: &str) -> bool {
    matches!(
        fold(value).as_str(),
        "" | "0" | "false" | "n" | "na" | "nil" | "no" | "none" | "null" | "undefined"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_split_where_a_reader_would() {
        for (text, expected) in [
            ("PHQ-9 score", "phq 9 score"),
            ("phq9_q1", "phq9 q1"),
            ("gad7total", "gad7 total"),
            ("DepressionQuizStarted", "depression quiz started"),
            ("ADHDTest", "adhd test"),
            ("/care/anxiety-disorder?x=1", "care anxiety disorder x 1"),
            ("Alzheimer's", "alzheimer s"),
            ("9hivX2bQ7std4Kd", ""),
            ("ae9c621e0b7d4c1f", ""),
            ("", ""),
            ("…", ""),
        ] {
            assert_eq!(words(text).join(" "), expected, "{text}");
        }
        assert_eq!(words(&"a ".repeat(5_000)).len(), MAX_WORDS);
    }

    #[test]
    fn folding_drops_what_is_no_letter_or_digit() {
        assert_eq!(fold("$First_Name-2. "), "firstname2");
    }
}
