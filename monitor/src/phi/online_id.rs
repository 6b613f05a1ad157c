//! Ids of browsers, clicks and cookies: Meta's and Google's by shape, others
//! by key.

use super::{
    Hits, Identifier, Strength,
    digest::{digest, is_of_nothing},
    named,
    subject::{Subject, Surroundings},
    text,
};
use crate::field::{Part, ValueKind};

/// Keys that hold one.
pub(super) const KEYS: &[&str] = &[
    "acxiomid",
    "ajsanonymousid",
    "anonid",
    "anonymousid",
    "awc",
    "axciomid",
    "bcookie",
    "browserid",
    "cjevent",
    "clck",
    "clickid",
    "clientid",
    "cookieid",
    "criteoid",
    "ctwaclid",
    "dclid",
    "derivedepik",
    "dicboid",
    "domainuserid",
    "duid",
    "encrypteduserid",
    "epik",
    "fbc",
    "fbclid",
    "fbloginid",
    "fbp",
    "ga",
    "gaclientid",
    "gbraid",
    "gclaw",
    "gcldc",
    "gclid",
    "gid",
    "guestid",
    "gum",
    "hstc",
    "hubspotutk",
    "hutk",
    "id5id",
    "identitylink",
    "idlenv",
    "igshid",
    "irclickid",
    "kclickid",
    "klaid",
    "liadsfirstpartyid",
    "lifatid",
    "linkedinfirstpartyadstrackinguuid",
    "matchid",
    "mkttok",
    "mktotrk",
    "msclkid",
    "muid",
    "ndclid",
    "networkuserid",
    "nuid",
    "obclickid",
    "obclid",
    "oppref",
    "oraclemoatid",
    "outbrainclickid",
    "panoramaid",
    "partneranonymousid",
    "personalizationid",
    "pinunauth",
    "pubcid",
    "qclid",
    "rampid",
    "rdtcid",
    "rdtuuid",
    "sccid",
    "scclickid",
    "sccookie1",
    "scid",
    "sharedid",
    "srsltid",
    "taboolaclickid",
    "tapadid",
    "tblci",
    "tduid",
    "tealiumvisitorid",
    "thirdpartyid",
    "tnuid",
    "ttclid",
    "ttdid",
    "ttp",
    "twclid",
    "uetmsclkid",
    "uetsid",
    "uetvid",
    "uid2",
    "uid2token",
    "uuidc1",
    "vero",
    "visitorid",
    "visitoruuid",
    "vmcid",
    "wbraid",
    "yclid",
    "ymclid",
    "ymuid",
    "zclid",
];

/// Keys that hold one if the value has the shape of an id, else a campaign, a
/// checksum or the like.
pub(super) const WEAK_KEYS: &[&str] = &[
    "browserfingerprint",
    "cid",
    "devicefingerprint",
    "euid",
    "fingerprint",
    "fingerprintid",
    "fid",
    "mid",
    "tdid",
    "uuid",
    "uuid2",
    "vid",
    "visitorfingerprint",
];

/// Shorter values are flags.
const MIN_LENGTH: usize = 6;

/// Longer values are something else.
const MAX_LENGTH: usize = 512;

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings<'_>, hits: &mut Hits<'_>) {
    let value = subject.value;
    if is_meta_cookie(value) || is_google_cookie(value) {
        hits.plain(
            Identifier::OnlineId,
            Strength::I1,
            "online_id.shape",
            value.to_owned(),
        );
        return;
    }
    let fits = (MIN_LENGTH..=MAX_LENGTH).contains(&value.len())
        && subject.kind != ValueKind::Literal
        && !value.contains(char::is_whitespace)
        && !value.contains('@');
    if !fits {
        return;
    }
    let Some(leaf) = subject.leaf() else { return };
    let key = leaf.folded.as_str();
    let is_cookie = || subject.part == Part::Header && COOKIES.iter().any(|c| key.starts_with(c));
    let keyed = KEYS.contains(&key)
        || WEAK_KEYS.contains(&key) && is_id(subject)
        || is_cookie()
        // Ids of exchanges: `user.eids.0.uids.0.id`.
        || key == "id" && subject.parent().is_some_and(|parent| parent.is_in(&["eids", "uids"]))
        // Words before it say whose it is: `user_data.meta_fbp`, `utm_gclid`.
        || key.len() > 4 && named::ends_in(leaf, CLICK_IDS);
    if keyed && !text::is_placeholder(value) && !is_of_nothing(value) {
        hits.plain(
            Identifier::OnlineId,
            Strength::I1,
            "online_id.key",
            value.to_owned(),
        );
    }
}

/// Click ids, which are the same whatever stands before them.
pub(super) const CLICK_IDS: &[&str] = &[
    "anonymousid",
    "clickid",
    "ctwaclid",
    "dclid",
    "epik",
    "fbc",
    "fbclid",
    "fbp",
    "gbraid",
    "gclid",
    "lifatid",
    "msclkid",
    "rdtcid",
    "sccid",
    "ttclid",
    "twclid",
    "wbraid",
    "yclid",
];

/// What the names of cookies with ids of trackers begin with, besides [`KEYS`].
const COOKIES: &[&str] = &[
    "ajs",
    "amcv",
    "ampl",
    "amplitudeid",
    "gcl",
    "hjsessionuser",
    "intercomid",
    "klaid",
    "optimizelyenduserid",
    "pkid",
    "snowplow",
    "spid",
];

/// Objects whose fingerprint is of a key or of an error.
const CERTIFICATES: &[&str] = &[
    "cert",
    "certificate",
    "error",
    "exception",
    "issue",
    "key",
    "ssh",
    "tls",
];

/// Whether a value is an id that one browser has.
fn is_id(subject: &Subject<'_>) -> bool {
    let value = subject.value;
    let is_hex = value.len() >= 16 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    let under_browser =
        || !subject.leaf_in(&["uuid"]) && !subject.under(CERTIFICATES) || subject.in_person();
    is_google_client(value)
        || is_uuid(value) && under_browser()
        || is_number(value, 38..=38)
        || (is_hex || digest(value).is_some()) && under_browser()
}

fn is_number(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `fb.1.1764038463123.1098115397`, or a click id in the last place.
fn is_meta_cookie(value: &str) -> bool {
    let Some(rest) = value.strip_prefix("fb.") else {
        return false;
    };
    let mut parts = rest.splitn(3, '.');
    let (Some(level), Some(time), Some(id)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    is_number(level, 1..=1) && is_number(time, 10..=13) && id.len() >= MIN_LENGTH
}

/// `GA1.2.1033501218.1764038463`.
fn is_google_cookie(value: &str) -> bool {
    let Some(rest) = value.strip_prefix("GA1.") else {
        return false;
    };
    rest.split_once('.')
        .is_some_and(|(depth, id)| depth.len() <= 3 && is_google_client(id))
}

/// `1033501218.1764038463`.
fn is_google_client(value: &str) -> bool {
    value
        .split_once('.')
        .is_some_and(|(random, time)| is_number(random, 6..=10) && is_number(time, 10..=10))
}

/// Eight, four, four, four and twelve hexadecimal digits.
pub(super) fn is_uuid(value: &str) -> bool {
    /// Length with dashes.
    const LENGTH: usize = 36;
    value.len() == LENGTH
        && value.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
