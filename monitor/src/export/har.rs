//! Messages to an HTTP archive (HAR 1.2), which browsers and mitmproxy open.
//!
//! Entries are appended one by one, so that no more than one is in memory. Names
//! that begin with `_` are ours.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;

use super::{Exporter, Item, url};
use crate::{
    event::{Process, StreamId},
    http::{Header, Protocol, RequestText, ResponseText, read_request, read_response},
    loss::Losses,
    message::Message,
    secret::Secret,
};

/// A length that is not known.
const UNKNOWN: i64 = -1;

/// An HTTP archive.
pub struct Archive {
    version: &'static str,
    is_raw: bool,
    entries: u64,
}

impl Archive {
    /// An archive without entries, written by this version of phiwatch;
    /// `is_raw` means that the values of its messages are not replaced.
    pub const fn new(version: &'static str, is_raw: bool) -> Self {
        Self {
            version,
            is_raw,
            entries: 0,
        }
    }
}

impl Exporter for Archive {
    fn begin(&mut self, out: &mut Vec<u8>) {
        let comment = if self.is_raw {
            "Values as they were sent. Confidential."
        } else {
            "Values that could identify someone are replaced by tokens."
        };
        // Firefox opens no archive without a list of pages.
        out.extend_from_slice(
            format!(
                "{{\"log\":{{\"version\":\"1.2\",\"creator\":{{\"name\":\"phiwatch\",\
                 \"version\":\"{}\"}},\"pages\":[],\"comment\":\"{comment}\",\
                 \"_redacted\":{},\"entries\":[",
                self.version, !self.is_raw
            )
            .as_bytes(),
        );
    }

    fn message(&mut self, item: &Item<'_>, out: &mut Vec<u8>) {
        let Some(message) = item.message() else {
            return;
        };
        out.extend_from_slice(if self.entries > 0 { b",\n" } else { b"\n" });
        self.entries += 1;
        let entry = Entry::new(item, message);
        serde_json::to_writer(out, &entry).expect("a vector takes everything, and keys are text");
    }

    fn finish(&mut self, _losses: &Losses, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\n]}}\n");
    }

    fn messages(&self) -> u64 {
        self.entries
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    started_date_time: String,
    time: f64,
    request: RequestEntry,
    response: ResponseEntry,
    cache: Empty,
    timings: Timings,
    #[serde(rename = "serverIPAddress", skip_serializing_if = "Option::is_none")]
    server_ip_address: Option<String>,
    connection: String,
    #[serde(rename = "_process", skip_serializing_if = "Option::is_none")]
    process: Option<&'a Process>,
    #[serde(rename = "_source", skip_serializing_if = "Option::is_none")]
    source: Option<&'static str>,
    #[serde(rename = "_serverName", skip_serializing_if = "Option::is_none")]
    server_name: Option<&'a str>,
    /// What kind of message it is: `request` or `page`.
    #[serde(rename = "_kind")]
    kind: &'static str,
    #[serde(rename = "_findings", skip_serializing_if = "<[String]>::is_empty")]
    findings: &'a [String],
    #[serde(rename = "_completeness", skip_serializing_if = "str::is_empty")]
    completeness: &'a str,
    /// What became of the body.
    #[serde(rename = "_body", skip_serializing_if = "str::is_empty")]
    body: &'a str,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
struct Timings {
    send: f64,
    wait: f64,
    receive: f64,
}

#[derive(Serialize)]
struct Pair {
    name: String,
    value: String,
}

/// The protocol of a message, as browsers write it.
fn version(message: &Message) -> &'static str {
    match message.facts.protocol.value() {
        Some(Protocol::Http2) => "HTTP/2",
        Some(Protocol::Http1) | None => "HTTP/1.1",
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestEntry {
    method: String,
    url: String,
    http_version: &'static str,
    cookies: [Empty; 0],
    headers: Vec<Pair>,
    query_string: Vec<Pair>,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_data: Option<PostData>,
    headers_size: i64,
    /// As sent, before codings were removed and values replaced.
    body_size: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PostData {
    mime_type: String,
    text: String,
    #[serde(rename = "_encoding", skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseEntry {
    /// 0 where no answer was seen.
    status: u16,
    status_text: &'static str,
    http_version: &'static str,
    cookies: [Empty; 0],
    headers: Vec<Pair>,
    content: Content,
    #[serde(rename = "redirectURL")]
    redirect_url: &'static str,
    headers_size: i64,
    body_size: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    size: usize,
    mime_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
}

impl<'a> Entry<'a> {
    fn new(item: &Item<'a>, message: &'a Message) -> Self {
        let facts = &*message.facts;
        let origin = message.origin.as_deref();
        let nanoseconds = facts.end.saturating_sub(message.time.0);
        #[expect(
            clippy::cast_precision_loss,
            reason = "a request that takes a hundred days is timed to the microsecond"
        )]
        let time = nanoseconds as f64 / 1e6;
        let server = origin.and_then(|origin| {
            if facts.page {
                origin.local
            } else {
                origin.peer
            }
        });
        Self {
            started_date_time: message.time.to_string(),
            time,
            request: RequestEntry::new(message),
            response: ResponseEntry::new(message),
            cache: Empty {},
            timings: Timings {
                send: time,
                wait: 0.0,
                receive: 0.0,
            },
            server_ip_address: server.map(|server| server.ip().to_string()),
            connection: connection(message.stream),
            process: origin.and_then(|origin| origin.process.as_deref()),
            source: origin.map(|origin| origin.source.as_str()),
            server_name: message.server_name.as_deref(),
            kind: if facts.page { "page" } else { "request" },
            findings: item.findings,
            completeness: facts.completeness.as_str(),
            body: &facts.body,
        }
    }
}

/// A name for the connection, different from those of others.
fn connection(
    StreamId {
        owner,
        handle,
        born,
    }: StreamId,
) -> String {
    format!("{owner:x}-{handle:x}-{born:x}")
}

impl RequestEntry {
    fn new(message: &Message) -> Self {
        let facts = &*message.facts;
        // A page may be seen without what asked for it.
        let asked = read_request(message.request.expose()).unwrap_or_else(|| RequestText {
            method: "GET".to_owned(),
            target: Secret::default(),
            headers: Vec::new(),
            body: Secret::default(),
        });
        let target = asked.target.expose();
        let body = asked.body.expose();
        let pairs = url::query(target).into_iter();
        let post_data = (!body.is_empty()).then(|| {
            let (text, encoding) = text(body);
            PostData {
                mime_type: mime_type(&asked.headers).unwrap_or_default(),
                text,
                encoding,
            }
        });
        Self {
            url: url::url(message, &asked.headers, target),
            query_string: pairs.map(|(name, value)| Pair { name, value }).collect(),
            method: asked.method,
            http_version: version(message),
            cookies: [],
            headers: pairs_of(&asked.headers),
            post_data,
            headers_size: UNKNOWN,
            body_size: if facts.page {
                UNKNOWN
            } else {
                length(facts.body_bytes)
            },
        }
    }
}

impl ResponseEntry {
    fn new(message: &Message) -> Self {
        let facts = &*message.facts;
        let answer = read_response(message.response.expose()).unwrap_or_else(|| ResponseText {
            status: 0,
            headers: Vec::new(),
            body: Secret::default(),
        });
        let body = answer.body.expose();
        let (text, encoding) = text(body);
        Self {
            status: answer.status,
            status_text: "",
            http_version: version(message),
            cookies: [],
            headers: pairs_of(&answer.headers),
            content: Content {
                size: body.len(),
                mime_type: mime_type(&answer.headers).unwrap_or_else(|| "x-unknown".to_owned()),
                text: (!body.is_empty()).then_some(text),
                encoding,
            },
            redirect_url: "",
            headers_size: UNKNOWN,
            // The body of the response to a request is not known.
            body_size: if facts.page {
                length(facts.body_bytes)
            } else {
                UNKNOWN
            },
        }
    }
}

fn length(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(UNKNOWN)
}

fn pairs_of(headers: &[Header]) -> Vec<Pair> {
    headers
        .iter()
        .map(|header| Pair {
            name: header.name.clone(),
            value: header_text(header.value.expose()),
        })
        .collect()
}

fn mime_type(headers: &[Header]) -> Option<String> {
    headers
        .iter()
        .find(|header| header.name == "content-type")
        .map(|header| header_text(header.value.expose()))
}

/// A header's value as text: UTF-8, else Latin-1, as old software sends it.
fn header_text(value: &[u8]) -> String {
    std::str::from_utf8(value).map_or_else(
        |_| value.iter().copied().map(char::from).collect(),
        str::to_owned,
    )
}

/// A body as text, and its encoding if it is not text.
fn text(body: &[u8]) -> (String, Option<&'static str>) {
    match std::str::from_utf8(body) {
        Ok(text) => (text.to_owned(), None),
        Err(_) => (STANDARD.encode(body), Some("base64")),
    }
}
