//! Ids of devices and their advertising ids: by key, hardware addresses and the
//! numbers of medical devices also by shape.

use super::sets::device_id::OTHER_SERIALS;
pub(super) use super::sets::device_id::{DEVICES, KEYS, SERIAL_KEYS, WEAK_KEYS};
use super::{
    Hits, Identifier, Strength,
    account::luhn,
    digest, named,
    online_id::is_uuid,
    subject::{Subject, Surroundings},
};
use crate::field::ValueKind;

/// Shorter values are models and flags.
const MIN_LENGTH: usize = 8;

/// Shorter serial numbers are counts.
const MIN_SERIAL_LENGTH: usize = 5;

/// Longer values are something else, except tokens for messages to a device.
const MAX_LENGTH: usize = 256;

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings<'_>, hits: &mut Hits<'_>) {
    let value = subject.value;
    // A device that limits tracking reports an id of zeros.
    let fits = (MIN_SERIAL_LENGTH..=MAX_LENGTH).contains(&value.len())
        && subject.kind != ValueKind::Literal
        && !value.bytes().all(|byte| matches!(byte, b'0' | b'-' | b':'))
        && value
            .bytes()
            .any(|byte| byte.is_ascii_digit() || byte == b':');
    if !fits {
        return;
    }
    let spelled = || {
        value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_:$.+/=()".contains(&byte))
            && !value.contains("//")
            && !digest::is_of_nothing(value)
    };
    let rule = if is_mac(value) {
        "device_id.shape.mac"
    } else if is_dashed_imei(value) {
        "device_id.shape.imei"
    } else if is_udi(value) {
        "device_id.shape.udi"
    } else if spelled() && is_keyed(subject) {
        "device_id.key"
    } else {
        return;
    };
    let normalized = value.to_lowercase();
    hits.plain(Identifier::DeviceId, Strength::I1, rule, normalized);
}

fn is_keyed(subject: &Subject<'_>) -> bool {
    let value = subject.value;
    let Some(leaf) = subject.leaf() else {
        return false;
    };
    let under_device = || {
        subject
            .parent()
            .is_some_and(|parent| parent.folds_to(DEVICES))
    };
    if value.len() >= MIN_LENGTH {
        if named::is(subject, KEYS) {
            return true;
        }
        let is_own = matches!(leaf.folded.as_str(), "id" | "uuid" | "identifier" | "token");
        if is_own && under_device() || is_uuid(value) && leaf.is_in(WEAK_KEYS) {
            return true;
        }
    }
    let has_both = value.bytes().any(|byte| byte.is_ascii_alphabetic());
    leaf.folded.starts_with("udi") && leaf.is_in(SERIAL_KEYS)
        || leaf.is_in(SERIAL_KEYS) && has_both && !subject.under(OTHER_SERIALS)
        || named::ends_in(leaf, SERIAL_KEYS) && (leaf.has_word(DEVICES) || under_device())
}

/// Six pairs of hexadecimal digits between equal separators.
fn is_mac(value: &str) -> bool {
    const LENGTH: usize = 17;
    if value.len() != LENGTH {
        return false;
    }
    let separator = value.as_bytes().get(2).copied().unwrap_or_default();
    let fits = value
        .bytes()
        .enumerate()
        .all(|(index, byte)| match index % 3 {
            2 => byte == separator,
            _ => byte.is_ascii_hexdigit(),
        });
    fits && b":-".contains(&separator)
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && !value
            .bytes()
            .all(|byte| byte == separator || byte.eq_ignore_ascii_case(&b'f'))
}

/// `35-209900-176148-1`, with its check digit.
fn is_dashed_imei(value: &str) -> bool {
    let mut lengths = value.split(['-', ' ']).map(str::len);
    let fits = [2, 6, 6, 1]
        .iter()
        .all(|length| lengths.next() == Some(*length));
    fits && lengths.next().is_none() && {
        let digits = value.replace(['-', ' '], "");
        digits.bytes().all(|byte| byte.is_ascii_digit()) && luhn(&digits)
    }
}

/// A barcode of a medical device: `(01)` and 14 digits.
fn is_udi(value: &str) -> bool {
    value.strip_prefix("(01)").is_some_and(|rest| {
        rest.get(..14)
            .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
    })
}
