//! The shapes of hashed values.

use super::sets::digest::{OF_NOTHING, PREFIXES};
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::Form;

/// A value that has the shape of a hash. The shape alone is no evidence: keys,
/// checksums and cookies have it too.
pub(super) struct Digest {
    /// The function that has this length.
    pub(super) form: Form,
    /// In lower-case hexadecimal digits, whatever the spelling was.
    pub(super) hex: String,
}

const ANY_PADDING: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, ANY_PADDING);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, ANY_PADDING);

/// Shortest spelling: MD5 in base64 without padding.
const MIN_LENGTH: usize = 22;

/// Longest spelling: SHA-512 in hexadecimal digits.
const MAX_LENGTH: usize = 128;

/// Fewer different digits are a filler.
const MIN_DIFFERENT: usize = 6;

/// The hash that `value` has the shape of: in hexadecimal digits of either
/// case, or as many bytes in base64 or base64url. `None` for a hash of nothing.
pub(super) fn digest(value: &str) -> Option<Digest> {
    if value.len() < MIN_LENGTH || !value.is_ascii() {
        return None;
    }
    let value = PREFIXES
        .iter()
        .find_map(|prefix| {
            let (head, rest) = value.split_at_checked(prefix.len())?;
            head.eq_ignore_ascii_case(prefix).then_some(rest)
        })
        .unwrap_or(value);
    if value.len() > MAX_LENGTH {
        return None;
    }
    let digest = shape(value)?;
    let differs = {
        let mut seen = 0_u32;
        for byte in digest.hex.bytes() {
            seen |= 1 << (byte % 32);
        }
        seen.count_ones() as usize >= MIN_DIFFERENT
    };
    (differs && !OF_NOTHING.has(digest.hex.as_str())).then_some(digest)
}

/// Whether `value` is a hash that says that there was no value.
pub(super) fn is_of_nothing(value: &str) -> bool {
    (MIN_LENGTH..=MAX_LENGTH).contains(&value.len())
        && value.is_ascii()
        && shape(value).is_some_and(|digest| OF_NOTHING.has(digest.hex.as_str()))
}

fn shape(value: &str) -> Option<Digest> {
    if value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let form = form_of_length(value.len() / 2)?;
        return value.len().is_multiple_of(2).then(|| Digest {
            form,
            hex: value.to_ascii_lowercase(),
        });
    }
    // Words are valid base64 too; a random value has all three kinds.
    let mixed = value.bytes().any(|byte| byte.is_ascii_digit())
        && value.bytes().any(|byte| byte.is_ascii_lowercase())
        && value.bytes().any(|byte| byte.is_ascii_uppercase());
    if !mixed {
        return None;
    }
    let bytes = STANDARD
        .decode(value)
        .or_else(|_| URL_SAFE.decode(value))
        .ok()?;
    Some(Digest {
        form: form_of_length(bytes.len())?,
        hex: base16ct::lower::encode_string(&bytes),
    })
}

const fn form_of_length(bytes: usize) -> Option<Form> {
    match bytes {
        16 => Some(Form::Md5),
        20 => Some(Form::Sha1),
        28 => Some(Form::Sha224),
        32 => Some(Form::Sha256),
        48 => Some(Form::Sha384),
        64 => Some(Form::Sha512),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expected: Option<(Form, &str)>) {
        let found = digest(value);
        let found = found
            .as_ref()
            .map(|digest| (digest.form, digest.hex.as_str()));
        assert_eq!(found, expected, "{value}");
    }

    #[test]
    fn shapes() {
        let sha256 = "ff8d9819fc0e12bf0d24892e45987e249a28dce836a85cad60e28eaaa8c6d976";
        let long = sha256.repeat(2);
        for (value, expected) in [
            (sha256, Some((Form::Sha256, sha256))),
            (&sha256.to_ascii_uppercase(), Some((Form::Sha256, sha256))),
            (&format!("SHA256:{sha256}"), Some((Form::Sha256, sha256))),
            (
                "_42YGfwOEr8NJIkuRZh-JJoo3Og2qFytYOKOqqjG2XY",
                Some((Form::Sha256, sha256)),
            ),
            (
                "/42YGfwOEr8NJIkuRZh+JJoo3Og2qFytYOKOqqjG2XY=",
                Some((Form::Sha256, sha256)),
            ),
            (&sha256[..56], Some((Form::Sha224, &sha256[..56]))),
            (&sha256[..40], Some((Form::Sha1, &sha256[..40]))),
            (&sha256[..32], Some((Form::Md5, &sha256[..32]))),
            (&long, Some((Form::Sha512, &long))),
            (&long[..96], Some((Form::Sha384, &long[..96]))),
            (&sha256[..63], None),
            (&sha256[..62], None),
            (&"0".repeat(64), None),
            ("JonathanChristopherson", None),
            ("jane@example.com", None),
            ("", None),
        ] {
            check(value, expected);
        }
    }

    #[test]
    fn a_hash_of_nothing_is_none() {
        for value in OF_NOTHING.iter() {
            check(value, None);
            assert!(is_of_nothing(value), "{value}");
        }
        assert!(!is_of_nothing("jane"));
    }
}
