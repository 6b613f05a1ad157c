//! Requests and responses of HTTP archives, written out as HTTP/1.1.
//!
//! In: the `request` and `response` objects of an entry. Out: bytes as a client
//! and a server could have exchanged them. No value can end a header line.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::scan::raw_bytes;

/// Divides the parts of a form that the archive holds as parameters.
const BOUNDARY: &str = "phiwatch-part-boundary";

/// With padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Headers that described how the original body was transferred.
const FRAMING: [&str; 4] = [
    "content-encoding",
    "transfer-encoding",
    "content-length",
    "trailer",
];

pub(super) fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str()
}

fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// What a URL says about the connection and the request line.
pub(super) struct Address {
    pub(super) is_https: bool,
    pub(super) host: String,
    /// Host and port as the Host header has them.
    authority: String,
    pub(super) port: u16,
    target: String,
}

impl Address {
    pub(super) fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let is_https = matches!(scheme.to_ascii_lowercase().as_str(), "https" | "wss");
        let rest = rest.split('#').next()?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end)?;
        let authority = authority.rsplit('@').next()?;
        // The colons of an IPv6 address stand in brackets.
        let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if digits(port) => (host, port.parse().ok()),
            _ => (authority, None),
        };
        if host.is_empty() {
            return None;
        }
        let slash = if target.starts_with('/') { "" } else { "/" };
        Some(Self {
            is_https,
            host: host.to_ascii_lowercase(),
            authority: one_line(authority),
            port: port.unwrap_or(if is_https { 443 } else { 80 }),
            target: format!(
                "{slash}{}",
                target.replace(|c: char| c.is_whitespace() || c.is_control(), "%20")
            ),
        })
    }
}

/// `text` without anything that could end a header line.
fn one_line(text: &str) -> String {
    text.replace(|character: char| character.is_control(), " ")
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

pub(super) fn write_request(request: &Value, address: &Address) -> Option<(String, Vec<u8>)> {
    let method = text(request, "method").filter(|method| is_token(method))?;
    let mut head = format!("{method} {} HTTP/1.1\r\n", address.target);
    let named = |name: &str| {
        list(request, "headers")
            .find(|header| {
                text(header, "name").is_some_and(|known| known.eq_ignore_ascii_case(name))
            })
            .and_then(|header| text(header, "value"))
    };
    let host = named("host").or_else(|| named(":authority")).map(one_line);
    push_header(
        &mut head,
        "Host",
        host.as_deref().unwrap_or(&address.authority),
    );
    let (body, content_type) = request.get("postData").map(write_post).unwrap_or_default();
    push_headers(&mut head, request, |name| {
        name.eq_ignore_ascii_case("host")
            || (content_type.is_some() && name.eq_ignore_ascii_case("content-type"))
    });
    let told = request
        .get("postData")
        .and_then(|post| text(post, "mimeType"));
    match &content_type {
        Some(content_type) => push_header(&mut head, "Content-Type", content_type),
        None if named("content-type").is_none() => push_type(&mut head, told),
        None => {}
    }
    if !body.is_empty() || request.get("postData").is_some() {
        push_header(&mut head, "Content-Length", &body.len().to_string());
    }
    head.push_str("\r\n");
    Some((head, body))
}

fn push_headers(head: &mut String, message: &Value, leave_out: impl Fn(&str) -> bool) {
    for header in list(message, "headers") {
        if let (Some(name), Some(value)) = (text(header, "name"), text(header, "value"))
            && is_token(name)
            && !FRAMING
                .iter()
                .any(|framing| name.eq_ignore_ascii_case(framing))
            && !leave_out(name)
        {
            // Some exporters join repeated headers by line feeds.
            for line in value.lines() {
                push_header(head, name, line);
            }
        }
    }
}

/// Adds the content type that the archive gives outside of the headers, if they
/// lack it.
fn push_type(head: &mut String, told: Option<&str>) {
    if let Some(told) = told.filter(|told| !told.is_empty()) {
        push_header(head, "Content-Type", told);
    }
}

fn push_header(head: &mut String, name: &str, value: &str) {
    head.push_str(name);
    head.push_str(": ");
    head.push_str(&one_line(value));
    head.push_str("\r\n");
}

/// The body of `post`, and its content type where it replaces the original.
fn write_post(post: &Value) -> (Vec<u8>, Option<String>) {
    if let Some(body) = text(post, "text").filter(|body| !body.is_empty()) {
        let encoding = text(post, "encoding").or_else(|| text(post, "_encoding"));
        return (decode(body, encoding), None);
    }
    let parameters =
        || list(post, "params").filter_map(|parameter| Some((text(parameter, "name")?, parameter)));
    if parameters().next().is_none() {
        return (Vec::new(), None);
    }
    let kind = text(post, "mimeType")
        .unwrap_or_default()
        .to_ascii_lowercase();
    if kind.starts_with("multipart/form-data") {
        let body: String = parameters()
            .map(|(name, parameter)| form_part(name, parameter))
            .collect();
        let body = format!("{body}--{BOUNDARY}--\r\n").into_bytes();
        return (
            body,
            Some(format!("multipart/form-data; boundary={BOUNDARY}")),
        );
    }
    // Exporters differ in whether parameters are still encoded; a value that
    // could not stand in a form as it is was decoded.
    let encoded = |value: &str| {
        let is_form = value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~%+*".contains(&b));
        if is_form {
            value.to_owned()
        } else {
            utf8_percent_encode(value, NON_ALPHANUMERIC).to_string()
        }
    };
    let pairs: Vec<String> = parameters()
        .map(|(name, parameter)| {
            format!(
                "{}={}",
                encoded(name),
                encoded(text(parameter, "value").unwrap_or_default())
            )
        })
        .collect();
    (
        pairs.join("&").into_bytes(),
        Some("application/x-www-form-urlencoded".to_owned()),
    )
}

/// One part of a multipart form.
fn form_part(name: &str, parameter: &Value) -> String {
    let quoted = |value: &str| one_line(value).replace('"', "%22");
    let file = text(parameter, "fileName").map_or_else(String::new, |file| {
        format!("; filename=\"{}\"", quoted(file))
    });
    let kind = text(parameter, "contentType").map_or_else(String::new, |kind| {
        format!("\r\nContent-Type: {}", one_line(kind))
    });
    let value = text(parameter, "value").unwrap_or_default();
    let name = quoted(name);
    format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}{kind}\r\n\r\n{value}\r\n"
    )
}

fn decode(body: &str, encoding: Option<&str>) -> Vec<u8> {
    if encoding.is_some_and(|encoding| encoding.eq_ignore_ascii_case("base64")) {
        // Some exporters break the lines; a text that was cut is decoded up to
        // there.
        let mut digits: Vec<u8> = body.bytes().filter(|b| !b"\r\n".contains(b)).collect();
        if digits.len() % 4 == 1 {
            digits.pop();
        }
        if let Ok(bytes) = BASE64.decode(digits) {
            return bytes;
        }
    }
    raw_bytes(body)
}

/// The response as text, and how many bytes of its body the archive lacks.
/// `None` if there was no response.
pub(super) fn write_response(response: &Value, method: Option<&str>) -> Option<(Vec<u8>, u64)> {
    let status = response
        .get("status")?
        .as_u64()
        .filter(|status| (100..1_000).contains(status))?;
    let reason = one_line(text(response, "statusText").unwrap_or_default());
    let mut head = format!("HTTP/1.1 {status} {reason}\r\n");
    push_headers(&mut head, response, |_| false);
    let content = response.get("content");
    let has_type = list(response, "headers").any(|header| {
        text(header, "name").is_some_and(|name| name.eq_ignore_ascii_case("content-type"))
    });
    if !has_type {
        push_type(
            &mut head,
            content.and_then(|content| text(content, "mimeType")),
        );
    }
    let body = content
        .and_then(|content| Some(decode(text(content, "text")?, text(content, "encoding"))))
        .unwrap_or_default();
    let size = content
        .and_then(|content| content.get("size"))
        .and_then(Value::as_u64)
        .unwrap_or(0);
    let has_body = method != Some("HEAD") && !matches!(status, 100..=199 | 204 | 304);
    let missing = if has_body && body.is_empty() { size } else { 0 };
    if has_body {
        push_header(
            &mut head,
            "Content-Length",
            &(body.len() as u64 + missing).to_string(),
        );
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    if has_body {
        bytes.extend_from_slice(&body);
    }
    Some((bytes, missing))
}
