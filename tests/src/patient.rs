//! A patient who does not exist, and what a telehealth site would send about
//! her to a tracker.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::Sandbox;

/// Her email address.
pub const EMAIL: &str = "avery.testcase@example.com";
/// SHA-256 of her email address, as the conversion API wants it.
pub const EMAIL_SHA256: &str = "c4d124a64fbaa9a16315564b5cf2d69a6df0c787069a8d1b1cdba5c8bf840848";
/// Her telephone number, from a range reserved for fiction.
pub const PHONE: &str = "+12025550143";
/// SHA-256 of her telephone number's digits.
pub const PHONE_SHA256: &str = "c117141ed6aa9255b2be93c99c3ae2c1786cd5fe0a78d382c4de0cbb90c9b486";
/// Her first name.
pub const FIRST_NAME: &str = "Averylla";
/// Her last name.
pub const LAST_NAME: &str = "Testcasewell";
/// Her IP address, from a range reserved for documentation.
pub const IP: &str = "203.0.113.77";

/// Where the conversion API takes events.
pub const META_PATH: &str = "/v26.0/100000000000001/events";

/// A file in the sandbox's folder with [`meta_event`], for clients to send.
pub fn event_file(sandbox: &Sandbox) -> Result<PathBuf> {
    let path = sandbox.folder().join("event.json");
    fs::write(&path, meta_event().to_string()).context("write the event")?;
    Ok(path)
}

/// An event of the conversion API, with hashed and plain identifiers and a
/// self-assessment of depression.
pub fn meta_event() -> Value {
    json!({"data": [{
        "event_name": "CompleteRegistration",
        "event_time": 1_764_038_463,
        "action_source": "website",
        "event_source_url": "https://shop.example.com/therapy/depression-assessment?step=7",
        "user_data": {
            "em": [EMAIL_SHA256],
            "ph": [PHONE_SHA256],
            "fn": [FIRST_NAME],
            "ln": [LAST_NAME],
            "client_ip_address": IP,
            "client_user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
        },
        "custom_data": {
            "content_name": "Depression self-assessment (PHQ-9)",
            "content_category": "mental health",
            "phq9_score": 18,
            "contact_email": EMAIL,
            "contact_phone": PHONE,
        },
    }]})
}

/// Values that must not occur in anything that phiwatch writes.
pub const PLANTED: &[&str] = &[
    EMAIL,
    EMAIL_SHA256,
    PHONE,
    PHONE_SHA256,
    FIRST_NAME,
    LAST_NAME,
    IP,
    "PHQ-9",
    "step=7",
];
