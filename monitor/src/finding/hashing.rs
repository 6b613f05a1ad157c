//! Which identifiers the platforms' documentation wants hashed.

use crate::phi::Identifier;

use Identifier::{
    Address, BirthDate, City, DeviceId, Email, ExternalId, Ip, Name, Phone, Sex, Zip,
};

/// By id in the catalog.
const DOCUMENTED: &[(&str, &[Identifier])] = &[
    ("meta", &[Email, Phone, Name, Sex, BirthDate, City, Zip]),
    ("tiktok", &[Email, Phone, ExternalId, Name, Zip]),
    ("snap", &[Email, Phone, Name, Sex, City, Zip]),
    (
        "pinterest",
        &[Email, Phone, Name, Sex, BirthDate, City, Zip, ExternalId],
    ),
    ("google_ads", &[Email, Phone, Name, Address]),
    ("google_dm", &[Email, Phone, Name]),
    ("google_analytics", &[Email, Phone, Name, Address]),
    ("ga4", &[Email, Phone, Name, Address]),
    ("ga4_mp", &[Email, Phone, Name, Address]),
    ("doubleclick", &[Email, Phone, Name, Address]),
    ("cm360", &[Email, Phone, Name, Address]),
    ("linkedin", &[Email]),
    ("reddit", &[Email, Phone, ExternalId, Ip, DeviceId]),
    ("x", &[Email, Phone]),
    ("x_twitter", &[Email, Phone]),
    ("uet", &[Email, Phone]),
    ("ms_uet", &[Email, Phone]),
];

/// Whether the documentation of `tracker` wants identifiers of this class
/// hashed.
pub(super) fn documents_hashing(tracker: &str, identifier: Identifier) -> bool {
    DOCUMENTED
        .iter()
        .any(|(own, identifiers)| *own == tracker && identifiers.contains(&identifier))
}
