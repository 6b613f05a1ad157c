//! The shapes of hashed values.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::Form;
use crate::token::hex;

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

/// Longest spelling: SHA-256 in hexadecimal digits.
const MAX_LENGTH: usize = 64;

/// The hash that `value` has the shape of: 32, 40 or 64 hexadecimal digits in
/// either case, or as many bytes in base64 or base64url.
pub(super) fn digest(value: &str) -> Option<Digest> {
    if value.len() > MAX_LENGTH || !value.is_ascii() {
        return None;
    }
    if value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let form = form_of_length(value.len() / 2)?;
        return (value.len() % 2 == 0).then(|| Digest {
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
        hex: hex(&bytes, bytes.len()),
    })
}

const fn form_of_length(bytes: usize) -> Option<Form> {
    match bytes {
        32 => Some(Form::Sha256),
        20 => Some(Form::Sha1),
        16 => Some(Form::Md5),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        let sha256 = "ff8d9819fc0e12bf0d24892e45987e249a28dce836a85cad60e28eaaa8c6d976";
        for (value, expected) in [
            (sha256, Some((Form::Sha256, sha256))),
            (&sha256.to_ascii_uppercase(), Some((Form::Sha256, sha256))),
            (
                "_42YGfwOEr8NJIkuRZh-JJoo3Og2qFytYOKOqqjG2XY",
                Some((Form::Sha256, sha256)),
            ),
            (
                "/42YGfwOEr8NJIkuRZh+JJoo3Og2qFytYOKOqqjG2XY=",
                Some((Form::Sha256, sha256)),
            ),
            (&sha256[..40], Some((Form::Sha1, &sha256[..40]))),
            (&sha256[..32], Some((Form::Md5, &sha256[..32]))),
            (&sha256[..63], None),
            (&sha256[..62], None),
            ("JonathanChristopherson", None),
            ("jane@example.com", None),
            ("", None),
        ] {
            let found = digest(value);
            let found = found
                .as_ref()
                .map(|digest| (digest.form, digest.hex.as_str()));
            assert_eq!(found, expected, "{value}");
        }
    }
}
