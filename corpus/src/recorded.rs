//! Requests of real client libraries, recorded by `record/`, with what the
//! recorder knows about them.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::{
    encode,
    format::Request,
    generator::{self, Case},
    label::{EventLabel, Kind, Label},
    rng::Rng,
};

/// One recorded request, as the recorder writes it: one JSON object a line.
#[derive(Debug, Deserialize)]
struct Record {
    sdk: String,
    case: String,
    platform: String,
    weight: u8,
    kind: Kind,
    method: String,
    host: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
    #[serde(default)]
    events: Vec<EventLabel>,
}

/// All recordings.
const RECORDINGS: &[&str] = &[
    include_str!("../recorded/python.jsonl"),
    include_str!("../recorded/node.jsonl"),
];

/// Writes every recording as a capture at `path`, `http2` connections of 100 as HTTP/2.
pub fn write(path: &Path, http2: u64, rng: &mut Rng) -> Result<Vec<Label>> {
    generator::write(path, http2, rng, |next| {
        for case in cases()? {
            next.write(vec![case])?;
        }
        Ok(())
    })
}

/// Every recording.
pub fn cases() -> Result<Vec<Case>> {
    let lines = RECORDINGS.iter().flat_map(|text| text.lines());
    lines
        .map(|line| case(serde_json::from_str(line).context("read a recording")?))
        .collect()
}

fn case(record: Record) -> Result<Case> {
    let body = encode::from_base64(&record.body).context("the body of a recording is no base64")?;
    // A recording without a label discloses nothing.
    let events = if record.events.is_empty() {
        vec![EventLabel::default()]
    } else {
        record.events
    };
    Ok(Case {
        label: Label {
            packet: 0,
            template: format!("{} {}", record.sdk, record.case),
            platform: record.platform,
            weight: record.weight,
            kind: record.kind,
            events,
        },
        request: Request {
            method: record.method,
            host: record.host,
            target: record.target,
            headers: record.headers,
            body,
        },
    })
}
