//! Requests to trackers: the events of a shop or a site as the platforms'
//! interfaces take them, and some with health information of one person.

use md5::Digest as _;
use sha2::Sha256;

use super::conversation::BODY;
use crate::{person::Person, rng::Rng};

const PAGES: &[&str] = &[
    "products", "pricing", "blog", "cart", "checkout", "search", "about", "stores",
];
const GOODS: &[&str] = &[
    "Desk lamp",
    "Trail shoes",
    "Coffee grinder",
    "Notebook",
    "Backpack",
    "Rain jacket",
];
const HEALTH: &[(&str, &str)] = &[
    ("condition", "Type 2 diabetes"),
    ("diagnosis", "major depressive disorder"),
    ("medication", "sertraline 50 mg"),
    ("appointment_type", "oncology consultation"),
    ("treatment", "opioid use disorder treatment"),
    ("assessment_answer", "I have had thoughts of self-harm"),
];

/// Whose API a connection uses.
#[derive(Clone, Copy)]
pub(super) enum Platform {
    Meta,
    Google,
    Segment,
    Amplitude,
    Mixpanel,
}

impl Platform {
    pub(super) fn any(rng: &mut Rng) -> Self {
        rng.pick(&[
            Self::Meta,
            Self::Google,
            Self::Segment,
            Self::Amplitude,
            Self::Mixpanel,
        ])
    }
}

/// The head of a request, without its last lines, and its body.
pub(super) fn request(platform: Platform, is_health: bool, rng: &mut Rng) -> (Vec<u8>, String) {
    let (host, target) = match platform {
        Platform::Meta => ("graph.facebook.com", "/v21.0/1234567890/events"),
        Platform::Google => (
            "www.google-analytics.com",
            "/mp/collect?measurement_id=G-EXAMPLE01&api_secret=example",
        ),
        Platform::Segment => ("api.segment.io", "/v1/batch"),
        Platform::Amplitude => ("api2.amplitude.com", "/batch"),
        Platform::Mixpanel => ("api.mixpanel.com", "/import?strict=1"),
    };
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: analytics-client/7.1\r\nAccept: */*\r\nContent-Type: application/json\r\nX-Request-Id: {}\r\nConnection: keep-alive\r\n",
        rng.uuid(),
    );
    let length = rng.range(BODY.0, BODY.1) as usize;
    let (begin, end) = match platform {
        Platform::Meta => (
            "{\"data\":[".to_owned(),
            "],\"partner_agent\":\"example-1.0\"}",
        ),
        Platform::Google => (
            format!(
                "{{\"client_id\":\"{}.{}\",\"non_personalized_ads\":true,\"events\":[",
                rng.digits(9),
                rng.digits(10)
            ),
            "]}",
        ),
        Platform::Segment => (
            "{\"batch\":[".to_owned(),
            "],\"sentAt\":\"2026-11-25T03:14:15.926Z\"}",
        ),
        Platform::Amplitude => (
            "{\"api_key\":\"0123456789abcdef0123456789abcdef\",\"events\":[".to_owned(),
            "]}",
        ),
        Platform::Mixpanel => ("[".to_owned(), "]"),
    };
    let mut body = begin;
    // One of the events is the one with health information.
    let mut is_health = is_health;
    loop {
        event(platform, is_health, &mut body, rng);
        is_health = false;
        if body.len() >= length {
            break;
        }
        body.push(',');
    }
    body += end;
    (head.into_bytes(), body)
}

fn event(platform: Platform, is_health: bool, body: &mut String, rng: &mut Rng) {
    let page = rng.pick(PAGES);
    let goods = rng.pick(GOODS);
    let time = 1_795_000_000 + rng.range(0, 86_400);
    let price = rng.range(5, 300);
    let person = is_health.then(|| (Person::new(rng), rng.pick(HEALTH)));
    let own = person.as_ref().map(|(person, (key, value))| {
        format!(",\"email\":\"{}\",\"{key}\":\"{value}\"", person.email)
    });
    let own = own.unwrap_or_default();
    let text = match platform {
        Platform::Meta => {
            let hashed = person.as_ref().map(|(person, _)| {
                let digest = Sha256::digest(person.email.trim().to_lowercase());
                let hex = digest
                    .iter()
                    .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
                format!("\"em\":[\"{hex}\"],")
            });
            format!(
                "{{\"event_name\":\"ViewContent\",\"event_time\":{time},\"event_id\":\"{}\",\"action_source\":\"website\",\"event_source_url\":\"https://shop.example.com/{page}?ref={}\",\"user_data\":{{{}\"client_user_agent\":\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\",\"fbp\":\"fb.1.{time}123.{}\"}},\"custom_data\":{{\"currency\":\"USD\",\"value\":{price}.0,\"content_name\":\"{goods}\",\"content_ids\":[\"{}\"],\"content_type\":\"product\"{own}}}}}",
                rng.uuid(),
                rng.hex(6),
                hashed.unwrap_or_default(),
                rng.digits(10),
                rng.digits(7),
            )
        }
        Platform::Google => format!(
            "{{\"name\":\"view_item\",\"params\":{{\"session_id\":\"{}\",\"engagement_time_msec\":{},\"page_location\":\"https://shop.example.com/{page}\",\"page_title\":\"{page} | Example Shop\",\"currency\":\"USD\",\"value\":{price},\"items\":[{{\"item_id\":\"{}\",\"item_name\":\"{goods}\",\"price\":{price},\"quantity\":1,\"item_category\":\"{page}\"}}]{own}}}}}",
            rng.digits(10),
            rng.range(1, 9_000),
            rng.digits(7),
        ),
        Platform::Segment => format!(
            "{{\"type\":\"track\",\"event\":\"Product Viewed\",\"anonymousId\":\"{}\",\"messageId\":\"api-{}\",\"timestamp\":\"2026-11-25T03:14:{:02}.123Z\",\"context\":{{\"library\":{{\"name\":\"analytics-node\",\"version\":\"2.1.3\"}},\"locale\":\"en-US\",\"page\":{{\"path\":\"/{page}\",\"title\":\"{page} | Example Shop\",\"url\":\"https://shop.example.com/{page}\"}},\"userAgent\":\"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15\",\"timezone\":\"America/Chicago\"}},\"properties\":{{\"product_id\":\"{}\",\"sku\":\"G-{}\",\"name\":\"{goods}\",\"price\":{price}.99,\"quantity\":1,\"currency\":\"usd\",\"position\":{}{own}}}}}",
            rng.uuid(),
            rng.uuid(),
            time % 60,
            rng.hex(24),
            rng.digits(2),
            rng.range(1, 9),
        ),
        Platform::Amplitude => format!(
            "{{\"device_id\":\"{}\",\"event_type\":\"view {page}\",\"time\":{time}000,\"insert_id\":\"{}\",\"platform\":\"Web\",\"os_name\":\"Chrome\",\"os_version\":\"142\",\"language\":\"English\",\"session_id\":{time}001,\"library\":\"amplitude-ts/2.11.0\",\"event_properties\":{{\"path\":\"/{page}\",\"product\":\"{goods}\",\"value\":{price},\"experiment\":\"variant-{}\"{own}}},\"user_properties\":{{\"plan\":\"free\",\"visits\":{}}}}}",
            rng.uuid(),
            rng.uuid(),
            rng.range(1, 4),
            rng.range(1, 90),
        ),
        Platform::Mixpanel => format!(
            "{{\"event\":\"View {page}\",\"properties\":{{\"time\":{time},\"distinct_id\":\"$device:{}\",\"$insert_id\":\"{}\",\"$browser\":\"Chrome\",\"$os\":\"Linux\",\"$current_url\":\"https://shop.example.com/{page}\",\"$screen_height\":1080,\"$screen_width\":1920,\"product\":\"{goods}\",\"amount\":{price}.5,\"$lib_version\":\"2.65.0\"{own}}}}}",
            rng.uuid(),
            rng.hex(32),
        ),
    };
    *body += &text;
}
