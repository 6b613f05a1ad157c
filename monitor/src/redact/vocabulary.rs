//! What may stay: words of recipients, programs and formats that reveal nothing
//! about anyone.

use std::{collections::HashSet, sync::LazyLock};

use crate::finding::{Values, is_vocabulary};

/// Values that recipients and their libraries define, in lower case.
const VALUES: &str = "\
accepted actual_value ad_click ad_impression add_payment_info add_shipping_info add_to_cart \
add_to_wishlist addpaymentinfo addtocart addtowishlist alias all amplitude analytics.js android \
api app app_install app_open application/json application/x-www-form-urlencoded batch begin_checkout \
beacon browser business_messaging capture cd chat chrome cli click clientside completeregistration \
complete_registration completepayment contact control conversion create customizeproduct \
deferred denied desktop donate eea email email_address email_sha256 en en-gb en-us engagement \
event events exception facebook fetch file_download firefox first_open first_visit followup \
form form_start form_submit generate_lead granted group group_identify hit https http html \
identify image import initiatecheckout initiate_checkout ios ipad iphone item json lead leads \
linux login macos metadata mobile mobile_app mobile_web node.js none null offline offline_event \
offsite_conversion opt_in opt_out optin optout page page_view pageview phone phone_call \
phone_number physical_store placeanorder post_back product product_group profile purchase \
put query refund register safari screen screen_view screenview scroll search select_content \
select_item select_promotion sent server server_to_server session_start sessionstart sha1 sha256 md5 \
share sign_up signup startcheckout start_trial starttrial string submit submitapplication \
submitform subscribe system_generated tablet text time timing track transaction undefined unknown \
unsubscribe update url user user_engagement utf-8 utf8 v1 v2 v3 video_complete video_progress \
video_start view viewcart viewcontent view_cart view_content view_item view_item_list \
view_promotion view_search_results wa web website windows xml yes no true false nan t y n \
usd eur gbp cad aud jpy chf \
us ca gb uk de fr es it au nz mx \
en-ca fr-fr de-de es-es es-us america/new_york america/chicago america/denver \
america/los_angeles utc gmt etc/utc \
python javascript js java ruby php go node dotnet analytics-node analytics-python \
analytics-ruby analytics-java analytics-go analytics-php posthog-python posthog-node \
mixpanel-python mixpanel amplitude-node amplitude-python amplitude-ts segment rudderstack \
rudder-sdk-node analytics-rudder-node google facebook meta pixel stripe shopify \
http://loinc.org http://snomed.info/sct http://hl7.org/fhir/sid/icd-10-cm \
http://hl7.org/fhir/sid/icd-10 http://www.nlm.nih.gov/research/umls/rxnorm \
http://www.ama-assn.org/go/cpt http://hl7.org/fhir/sid/ndc http://hl7.org/fhir/sid/us-npi \
loinc snomed icd-10 icd10 icd-10-cm icd10cm rxnorm cpt ndc npi \
patient observation condition coverage appointment encounter bundle \
first_name last_name firstname lastname fname lname full_name name dob date_of_birth birth_date \
birthdate zip zip_code postal_code city state street address country gender sex ssn mrn ip \
user_id userid external_id member_id anonymous_id client_id device_id \
$set $set_once $identify $create_alias $pageview $pageleave $screen $autocapture $groupidentify \
$add $append $unset $unset_once $union $groups $session_start \
fb ga1 gs1 gs2 tid cid uid dl dt dr ul sr";

static WORDS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| VALUES.split_ascii_whitespace().collect());

/// Keys whose value says what another value is.
const NAMING: &[&str] = &[
    "attribute",
    "code",
    "column",
    "field",
    "fieldname",
    "id",
    "key",
    "label",
    "name",
    "param",
    "property",
    "schema",
    "type",
    "user_identifier_source",
    "useridentifiersource",
    "columns",
];

/// The longest value that may be a word, in bytes.
const MAX_WORD: usize = 48;
/// Numbers of more digits are replaced.
const MAX_DIGITS: usize = 3;

/// Whether `value`, which has the key `key`, reveals nothing about anyone.
pub(super) fn is_harmless(value: &str, key: Option<&str>, hidden: &Values) -> bool {
    if value.is_empty() || !value.chars().any(char::is_alphanumeric) {
        return true;
    }
    if value.len() > MAX_WORD {
        return false;
    }
    if is_small_number(value) {
        return true;
    }
    let lower = value.to_ascii_lowercase();
    WORDS.contains(lower.as_str())
        || is_named(&lower)
        || (key.is_some_and(is_naming) && is_shown(value, hidden))
}

/// Whether a text consists of the same words, joined otherwise.
fn is_named(lower: &str) -> bool {
    lower.contains([' ', '-']) && WORDS.contains(lower.replace([' ', '-'], "_").as_str())
}

/// Whether a text is a word of interfaces that is none of the message's values.
fn is_shown(text: &str, hidden: &Values) -> bool {
    is_vocabulary(text) && !hidden.is_in(text)
}

fn is_naming(key: &str) -> bool {
    NAMING.iter().any(|name| name.eq_ignore_ascii_case(key))
}

/// A number of few digits, or a version of such numbers.
fn is_small_number(value: &str) -> bool {
    let value = value.strip_prefix(['v', 'V']).unwrap_or(value);
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    (1..=MAX_DIGITS).contains(&digits)
        && value
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"+-.,%".contains(&byte))
}

/// Whether a key may stay: a word of interfaces that is none of the values.
pub(super) fn is_kept_key(key: &str, hidden: &Values) -> bool {
    let is_index = key.len() <= MAX_DIGITS && key.bytes().all(|byte| byte.is_ascii_digit());
    is_index || (key.len() <= 2 && !hidden.is_in(key)) || is_shown(key, hidden)
}

/// Whether every word of a text is one of interfaces.
pub(super) fn is_interface_text(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .all(|word| is_vocabulary(word) || word.len() <= 2)
}
