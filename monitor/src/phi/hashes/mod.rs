//! What platforms hash, and its hashes.
//!
//! Input: a value of a class, as it is. Output: the spellings that the
//! platforms' normalizations make of it, and the hashes of one spelling. A hash
//! that equals one of them is of this value, which is how a hash is confirmed
//! and how a canary is found. Every string here is payload: callers compare and
//! drop them.

use base16ct::lower::encode_string as hex;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};

use super::{Form, Identifier};

/// Longer values are not respelled.
pub const MAX_LENGTH: usize = 512;

/// Spellings of one value beyond this are dropped.
pub const MAX_VARIANTS: usize = 24;

/// Words of a name beyond this are no spellings of their own.
const MAX_NAME_WORDS: usize = 6;

/// Letters of a name that Meta hashes by themselves.
const SHORT_NAME: usize = 5;

/// The hash functions that platforms use.
pub const FORMS: &[Form] = &[
    Form::Sha256,
    Form::Sha1,
    Form::Md5,
    Form::Sha512,
    Form::Sha384,
    Form::Sha224,
];

/// The different spellings that platforms hash of one value. `normalized` is
/// the evidence's spelling, `raw` the value as it was sent, or the same.
pub fn variants(
    class: Identifier,
    normalized: &str,
    raw: &str,
) -> impl Iterator<Item = String> + use<> {
    let mut spellings = Spellings(Vec::new());
    if normalized.len() <= MAX_LENGTH && raw.len() <= MAX_LENGTH {
        spellings.add(normalized);
        match class {
            Identifier::Email => email(&mut spellings, normalized),
            Identifier::Phone | Identifier::Fax => phone(&mut spellings, normalized, raw),
            Identifier::Name => name(&mut spellings, normalized, raw),
            Identifier::BirthDate | Identifier::ServiceDate => date(&mut spellings, normalized),
            Identifier::Sex => spellings.add(normalized.chars().take(1).collect::<String>()),
            Identifier::Zip => postal_code(&mut spellings, normalized, raw),
            Identifier::Ssn => social_security_number(&mut spellings, normalized),
            _ => {}
        }
        // Whoever hashes without normalizing: Nextdoor, LinkedIn, mistakes.
        spellings.add(raw);
        spellings.add(raw.trim());
        spellings.add(raw.to_lowercase());
        spellings.add(raw.trim().to_lowercase());
        spellings.add(raw.trim().to_uppercase());
        spellings.add(kept(raw, char::is_alphanumeric));
        spellings.add(kept(raw, |c| !c.is_whitespace()));
    }
    spellings.0.into_iter()
}

/// Every hash of `candidate`, in lower-case hexadecimal digits.
pub fn digests(candidate: &str) -> impl Iterator<Item = (Form, String)> {
    FORMS
        .iter()
        .filter_map(move |form| Some((*form, digest_of(*form, candidate)?)))
}

/// The hash of `candidate` by one function, in lower-case hexadecimal digits;
/// none for what is no hash function.
pub fn digest_of(form: Form, candidate: &str) -> Option<String> {
    let bytes = candidate.as_bytes();
    Some(match form {
        Form::Sha256 => hex(&Sha256::digest(bytes)),
        Form::Sha1 => hex(&Sha1::digest(bytes)),
        Form::Md5 => hex(&Md5::digest(bytes)),
        Form::Sha512 => hex(&Sha512::digest(bytes)),
        Form::Sha384 => hex(&Sha384::digest(bytes)),
        Form::Sha224 => hex(&Sha224::digest(bytes)),
        Form::Plain | Form::Soundex => return None,
    })
}

/// The hash of `candidate` by one of the functions that platforms ask for, which
/// have at most 32 bytes, and how many it has; none for any other form.
pub fn hash_of(form: Form, candidate: &str) -> Option<([u8; 32], usize)> {
    fn padded<const N: usize>(hash: [u8; N]) -> ([u8; 32], usize) {
        let mut padded = [0; 32];
        for (to, from) in padded.iter_mut().zip(hash) {
            *to = from;
        }
        (padded, N)
    }
    let bytes = candidate.as_bytes();
    match form {
        Form::Sha256 => Some(padded::<32>(Sha256::digest(bytes).into())),
        Form::Sha1 => Some(padded::<20>(Sha1::digest(bytes).into())),
        Form::Md5 => Some(padded::<16>(Md5::digest(bytes).into())),
        _ => None,
    }
}

/// The soundex code of a name, in upper case. None without a Latin letter.
pub fn soundex(name: &str) -> Option<String> {
    let class = |letter: char| match letter {
        'B' | 'F' | 'P' | 'V' => '1',
        'C' | 'G' | 'J' | 'K' | 'Q' | 'S' | 'X' | 'Z' => '2',
        'D' | 'T' => '3',
        'L' => '4',
        'M' | 'N' => '5',
        'R' => '6',
        // These two do not part letters of one class, vowels do.
        'H' | 'W' => 'h',
        _ => '0',
    };
    let mut letters = name
        .chars()
        .filter(char::is_ascii_alphabetic)
        .map(|c| c.to_ascii_uppercase());
    let first = letters.next()?;
    let mut code = String::from(first);
    let mut before = class(first);
    for digit in letters.map(class) {
        if digit.is_ascii_digit() && digit != '0' && digit != before && code.len() < 4 {
            code.push(digit);
        }
        if digit != 'h' {
            before = digit;
        }
    }
    while code.len() < 4 {
        code.push('0');
    }
    Some(code)
}

/// Different spellings, in the order of their likelihood.
struct Spellings(Vec<String>);

impl Spellings {
    fn add(&mut self, spelling: impl Into<String>) {
        let spelling = spelling.into();
        if !spelling.is_empty() && self.0.len() < MAX_VARIANTS && !self.0.contains(&spelling) {
            self.0.push(spelling);
        }
    }
}

/// The characters of `text` that `keep`, in lower case.
fn kept(text: &str, keep: impl Fn(char) -> bool) -> String {
    text.chars()
        .filter(|c| keep(*c))
        .flat_map(char::to_lowercase)
        .collect()
}

fn email(spellings: &mut Spellings, normalized: &str) {
    let Some((local, domain)) = normalized.rsplit_once('@') else {
        return;
    };
    let untagged = local.split('+').next().unwrap_or_default();
    if matches!(domain, "gmail.com" | "googlemail.com") {
        // Google; the Segment integration removes the first point only.
        spellings.add(format!("{}@{domain}", local.replace('.', "")));
        spellings.add(format!("{}@{domain}", local.replacen('.', "", 1)));
        spellings.add(format!("{untagged}@{domain}"));
        // The Trade Desk and UID2.
        spellings.add(format!("{}@gmail.com", untagged.replace('.', "")));
    }
    // Reddit, for every domain.
    spellings.add(format!("{}@{domain}", untagged.replace('.', "")));
    spellings.add(format!("{untagged}@{domain}"));
    // Amazon.
    spellings.add(kept(normalized, |c| {
        c.is_ascii_alphanumeric() || ".@+-".contains(c)
    }));
}

fn phone(spellings: &mut Spellings, normalized: &str, raw: &str) {
    let digits = kept(normalized, |c| c.is_ascii_digit());
    if digits.is_empty() {
        return;
    }
    // TikTok, Google and Reddit with the plus, Meta, Snap and Pinterest without.
    spellings.add(format!("+{digits}"));
    spellings.add(digits.as_str());
    // Without the country: no platform asks for it, many clients send it.
    if let Some(national) = digits.strip_prefix('1').filter(|rest| rest.len() == 10) {
        spellings.add(national);
    }
    spellings.add(format!("00{digits}"));
    let raw = kept(raw, |c| c.is_ascii_digit());
    spellings.add(raw.trim_start_matches('0'));
    spellings.add(raw);
}

fn name(spellings: &mut Spellings, normalized: &str, raw: &str) {
    let lower = raw.trim().to_lowercase();
    spellings.add(lower.as_str());
    // TikTok without spaces, Meta and Google without marks, Amazon both.
    spellings.add(kept(&lower, |c| !c.is_whitespace()));
    spellings.add(kept(&lower, char::is_alphabetic));
    spellings.add(kept(&lower, |c| c.is_alphabetic() || c == ' '));
    // A full name here is two fields there.
    let words = || lower.split_whitespace().take(MAX_NAME_WORDS);
    for word in words() {
        spellings.add(word);
    }
    for word in words().chain([normalized]) {
        spellings.add(word.chars().take(SHORT_NAME).collect::<String>());
    }
    for word in raw.split_whitespace().take(MAX_NAME_WORDS) {
        spellings.add(word);
    }
}

/// `normalized` is `YYYY-MM-DD`.
fn date(spellings: &mut Spellings, normalized: &str) {
    let mut parts = normalized.splitn(3, '-');
    let (Some(year), Some(month), Some(day)) = (parts.next(), parts.next(), parts.next()) else {
        return;
    };
    // Meta.
    spellings.add(format!("{year}{month}{day}"));
    spellings.add(format!("{month}/{day}/{year}"));
    spellings.add(format!("{month}{day}{year}"));
    spellings.add(format!("{month}-{day}-{year}"));
    spellings.add(format!("{day}/{month}/{year}"));
    spellings.add(format!("{day}.{month}.{year}"));
    spellings.add(format!("{year}/{month}/{day}"));
    let short = |part: &str| part.trim_start_matches('0').to_owned();
    spellings.add(format!("{}/{}/{year}", short(month), short(day)));
    spellings.add(year);
}

fn postal_code(spellings: &mut Spellings, normalized: &str, raw: &str) {
    /// Digits of a code of the United States without its extension.
    const SHORT: usize = 5;
    let raw = raw.trim().to_lowercase();
    // Meta: the part before the dash; Amazon: no spaces.
    spellings.add(raw.split('-').next().unwrap_or_default());
    spellings.add(kept(normalized, char::is_alphanumeric));
    if raw.bytes().take(SHORT).all(|byte| byte.is_ascii_digit()) {
        spellings.add(raw.chars().take(SHORT).collect::<String>());
    }
}

fn social_security_number(spellings: &mut Spellings, normalized: &str) {
    if let (Some(area), Some(group), Some(serial)) = (
        normalized.get(..3),
        normalized.get(3..5),
        normalized.get(5..),
    ) {
        spellings.add(format!("{area}-{group}-{serial}"));
    }
}

#[cfg(test)]
mod tests;
