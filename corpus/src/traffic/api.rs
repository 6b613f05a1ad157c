//! What services send one another: requests to an ordinary API, and its
//! responses.

use super::conversation::BODY;
use crate::rng::Rng;

/// Records that bodies are made of.
const RECORDS: usize = 20_000;
const HOSTS: &[&str] = &[
    "orders.api.example.com",
    "catalog.api.example.com",
    "accounts.internal.example.com",
    "telemetry.example.net",
    "api.partner.example.org:8080",
];
const COLLECTIONS: &[&str] = &[
    "orders",
    "products",
    "accounts",
    "readings",
    "shipments",
    "invoices",
];
const WORDS: &[&str] = &[
    "standard",
    "express",
    "warehouse",
    "pending",
    "confirmed",
    "blue",
    "large",
    "cotton",
    "north",
    "west",
    "priority",
    "retail",
    "wholesale",
    "gift",
    "sample",
    "return",
    "monthly",
    "renewal",
];

/// JSON records, made once.
pub(super) struct Records(Vec<String>);

impl Records {
    pub(super) fn new(rng: &mut Rng) -> Self {
        Self((0..RECORDS).map(|number| record(number, rng)).collect())
    }

    /// An object with an array of records, of any length that bodies have.
    fn body(&self, rng: &mut Rng) -> String {
        let length = rng.range(BODY.0, BODY.1) as usize;
        let mut body = String::with_capacity(length + 512);
        body += "{\"data\":[";
        let mut number = rng.index(self.0.len());
        while body.len() < length {
            body += &self.0[number];
            body.push(',');
            number = (number + 1) % self.0.len();
        }
        body.pop();
        body += "],\"page\":{\"limit\":50,\"next\":\"";
        body += &rng.hex(24);
        body += "\"}}";
        body
    }
}

fn record(number: usize, rng: &mut Rng) -> String {
    let word = |rng: &mut Rng| rng.pick(WORDS);
    let (a, b, c) = (word(rng), word(rng), word(rng));
    match rng.range(0, 2) {
        0 => format!(
            "{{\"id\":\"ord_{}\",\"number\":{},\"state\":\"{a}\",\"currency\":\"USD\",\"total\":{}.{:02},\"created_at\":\"2026-11-{:02}T{:02}:{:02}:{:02}Z\",\"items\":[{{\"sku\":\"{}-{b}\",\"quantity\":{},\"unit_price\":{}.95}},{{\"sku\":\"{}-{c}\",\"quantity\":1,\"unit_price\":{}.50}}],\"shipping\":{{\"method\":\"{b}\",\"weight_g\":{},\"carrier\":\"{c} post\"}}}}",
            rng.hex(16),
            100_000 + number,
            rng.range(5, 900),
            rng.range(0, 99),
            rng.range(1, 28),
            rng.range(0, 23),
            rng.range(0, 59),
            rng.range(0, 59),
            rng.digits(6),
            rng.range(1, 9),
            rng.range(3, 80),
            rng.digits(6),
            rng.range(3, 80),
            rng.range(100, 9_000),
        ),
        1 => format!(
            "{{\"product_id\":{},\"title\":\"{a} {b} {c}\",\"description\":\"A {a} product of the {b} line, {c} only. Ships from the {c} warehouse within two working days.\",\"price\":{{\"amount\":{},\"currency\":\"EUR\"}},\"stock\":[{},{},{}],\"tags\":[\"{b}\",\"{c}\"],\"rating\":{}.{},\"active\":true,\"image\":\"https://img.example.com/p/{}.webp\"}}",
            200_000 + number,
            rng.range(300, 90_000),
            rng.range(0, 40),
            rng.range(0, 40),
            rng.range(0, 40),
            rng.range(1, 4),
            rng.range(0, 9),
            rng.hex(20),
        ),
        _ => format!(
            "{{\"device\":\"{}\",\"seq\":{},\"t\":{},\"temperature\":{}.{},\"humidity\":{}.{},\"pressure\":{}.{},\"battery\":{},\"status\":\"{a}\",\"site\":\"{b}-{c}\",\"signal\":-{},\"errors\":null,\"samples\":[{},{},{},{},{},{}]}}",
            rng.hex(12),
            number,
            1_795_000_000_000_u64 + rng.range(0, 86_400_000),
            rng.range(10, 30),
            rng.range(0, 99),
            rng.range(20, 80),
            rng.range(0, 9),
            rng.range(980, 1_040),
            rng.range(0, 9),
            rng.range(1, 100),
            rng.range(40, 110),
            rng.range(0, 4_096),
            rng.range(0, 4_096),
            rng.range(0, 4_096),
            rng.range(0, 4_096),
            rng.range(0, 4_096),
            rng.range(0, 4_096),
        ),
    }
}

/// The head of a request, without its last lines, and its body if it has one.
pub(super) fn request(records: &Records, rng: &mut Rng) -> (Vec<u8>, Option<String>) {
    let (host, collection) = (rng.pick(HOSTS), rng.pick(COLLECTIONS));
    let has_body = rng.chance(60);
    let line = if has_body {
        format!("POST /v2/{collection} HTTP/1.1\r\n")
    } else {
        format!(
            "GET /v2/{collection}?limit=50&cursor={} HTTP/1.1\r\n",
            rng.hex(24)
        )
    };
    let head = format!(
        "{line}Host: {host}\r\nUser-Agent: backend/4.2 (linux; x86_64)\r\nAccept: application/json\r\nAccept-Encoding: gzip\r\nAuthorization: Bearer {}\r\nX-Request-Id: {}\r\nTraceparent: 00-{}-{}-01\r\nConnection: keep-alive\r\n{}",
        rng.hex(64),
        rng.uuid(),
        rng.hex(32),
        rng.hex(16),
        if has_body {
            "Content-Type: application/json\r\n"
        } else {
            ""
        },
    );
    (head.into_bytes(), has_body.then(|| records.body(rng)))
}

/// Appends the head of a response, without its last lines, and returns its
/// body.
pub(super) fn answer(records: &Records, head: &mut Vec<u8>, rng: &mut Rng) -> String {
    let text = format!(
        "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Wed, 25 Nov 2026 03:14:15 GMT\r\nContent-Type: application/json; charset=utf-8\r\nCache-Control: no-store\r\nX-Request-Id: {}\r\nETag: W/\"{}\"\r\nConnection: keep-alive\r\n",
        rng.uuid(),
        rng.hex(32),
    );
    head.extend(text.bytes());
    records.body(rng)
}
