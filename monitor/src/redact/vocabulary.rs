//! Values that say nothing about anyone: they may stay as they are.

use crate::finding::is_vocabulary;

/// Numbers of at most this many digits stay.
const MAX_NUMBER: usize = 3;
/// Longer texts do not stay, whatever their words.
const MAX_TEXT: usize = 40;
/// Unix times from 2017 to 2033 begin so, in seconds or milliseconds.
const TIME_STARTS: &[&str] = &["15", "16", "17", "18", "19"];

/// Words of clients and platforms that are no words of keys.
const WORDS: &[&str] = &[
    "1",
    "addpaymentinfo",
    "addtocart",
    "addtowishlist",
    "aed",
    "analyticsjs",
    "analyticsnode",
    "analyticspython",
    "application/json",
    "applicationxwwwformurlencoded",
    "aud",
    "bearer",
    "bookedappointment",
    "cad",
    "chf",
    "chrome",
    "clickbutton",
    "completepayment",
    "completeregistration",
    "contact",
    "customizeproduct",
    "de",
    "deflate",
    "desktop",
    "donate",
    "en",
    "engb",
    "enus",
    "es",
    "eur",
    "facebook",
    "false",
    "findlocation",
    "firefox",
    "fr",
    "gbp",
    "google",
    "gzip",
    "html",
    "http",
    "https",
    "identify",
    "image",
    "initiatecheckout",
    "ios",
    "iphone",
    "javascript",
    "jpy",
    "json",
    "keepalive",
    "lead",
    "linux",
    "macos",
    "mobile",
    "multipart",
    "none",
    "null",
    "pageview",
    "physicalstore",
    "placeanorder",
    "post",
    "productadded",
    "productviewed",
    "purchase",
    "python",
    "pythonrequests",
    "safari",
    "schedule",
    "screen",
    "search",
    "searchresults",
    "server",
    "serverside",
    "signup",
    "startrial",
    "submitapplication",
    "submitform",
    "subscribe",
    "systemgenerated",
    "tablet",
    "tiktok",
    "track",
    "true",
    "undefined",
    "unknown",
    "usd",
    "utf8",
    "viewcontent",
    "web",
    "website",
    "windows",
    "www",
];

/// Whether a value may stay.
pub(super) fn is_harmless(text: &str) -> bool {
    let text = text.trim();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if !text.chars().any(char::is_alphanumeric) {
        return true;
    }
    if text.len() > MAX_TEXT {
        return false;
    }
    if digits == text.len() {
        return digits <= MAX_NUMBER || is_time(text);
    }
    if !text.bytes().any(|byte| byte.is_ascii_alphabetic()) && text.is_ascii() {
        return digits <= MAX_NUMBER;
    }
    let folded: String = text
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    text.is_ascii() && WORDS.binary_search(&folded.as_str()).is_ok()
}

/// Whether a number is the time of an event.
fn is_time(digits: &str) -> bool {
    matches!(digits.len(), 10 | 13 | 16)
        && TIME_STARTS.iter().any(|start| digits.starts_with(start))
}

/// Whether a key may stay: it is made of the words of interfaces.
pub(super) fn is_key(key: &str) -> bool {
    is_vocabulary(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted() {
        assert!(WORDS.is_sorted());
    }

    #[test]
    fn only_what_says_nothing_stays() {
        for (text, expected) in [
            ("Purchase", true),
            ("complete_registration", true),
            ("USD", true),
            ("18", true),
            ("", true),
            ("1764038463", true),
            ("2025550143", false),
            ("1987-03-14", false),
            ("94110", false),
            ("Averylla", false),
            ("depression", false),
            ("u-1", false),
        ] {
            assert_eq!(is_harmless(text), expected, "{text}");
        }
    }
}
