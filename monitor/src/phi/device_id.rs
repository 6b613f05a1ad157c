//! Ids of devices and their advertising ids: by key.

use super::{
    Hits, Identifier, Strength,
    subject::{Subject, Surroundings},
};

/// Keys that hold one.
pub(super) const KEYS: &[&str] = &[
    "aaid",
    "adid",
    "advertisingid",
    "androidid",
    "deviceid",
    "ecid",
    "gaid",
    "gpsadid",
    "idfa",
    "idfv",
    "imei",
    "kochavadeviceid",
    "madid",
    "mobiledeviceid",
    "mobileid",
    "openudid",
    "rida",
    "udid",
];

/// Shorter values are models and flags.
const MIN_LENGTH: usize = 8;

/// Longer values are something else.
const MAX_LENGTH: usize = 128;

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings, hits: &mut Hits<'_>) {
    let value = subject.value;
    // A device that limits tracking reports an id of zeros.
    let is_blank = value.bytes().all(|byte| matches!(byte, b'0' | b'-'));
    let fits = (MIN_LENGTH..=MAX_LENGTH).contains(&value.len())
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_:$".contains(&byte));
    if fits
        && !is_blank
        && subject
            .leaf()
            .is_some_and(|leaf| KEYS.contains(&leaf.folded.as_str()))
    {
        hits.plain(
            Identifier::DeviceId,
            Strength::I1,
            "device_id.key",
            value.to_lowercase(),
        );
    }
}
