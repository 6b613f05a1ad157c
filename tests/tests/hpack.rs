//! The Python package `hpack` compresses random header lists, and phiwatch reads the same
//! in them.

use std::{fmt::Write as _, process::Command, sync::Arc};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use phiwatch::{
    event::{Direction, Origin, Source, StreamId, Timestamp},
    http::{Completeness, Connections, Exchange},
    loss::Losses,
    stream::{Delivery, Facts, Segment},
};
use tests::{file, tool};

/// How many lists are compressed on a connection.
const LISTS: usize = 20_000;
/// A connection for each.
const SEEDS: &[u64] = &[1, 2, 3];

/// The requests that a client's bytes hold.
fn requests(bytes: &[u8]) -> (Vec<Exchange>, Losses) {
    let (mut connections, mut losses) = (Connections::default(), Losses::default());
    let mut out = Vec::new();
    let origin = Origin {
        source: Source::OpenSsl,
        process: None,
        local: None,
        peer: None,
        // So that no request waits for an answer.
        one_way: true,
        blindness: None,
    };
    let facts = Arc::new(Facts {
        origin: Some(Arc::new(origin)),
        ..Facts::default()
    });
    for chunk in bytes.chunks(10_007) {
        let delivery = Delivery {
            stream: StreamId {
                owner: 1,
                handle: 1,
                born: 1,
            },
            facts: Arc::clone(&facts),
            time: Timestamp(1),
            now: Timestamp(1),
            place: None,
            late: false,
            what: Segment::Bytes {
                direction: Direction::Sent,
                bytes: Bytes::copy_from_slice(chunk).into(),
            },
        };
        connections.push(&delivery, &mut losses, &mut out);
    }
    connections.finish(&mut losses, &mut out);
    (out, losses)
}

/// What a request says, as `header_lists.py` writes it.
fn said(exchange: &Exchange) -> String {
    let request = &exchange.request;
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut text, byte| {
            _ = write!(text, "{byte:02x}");
            text
        })
    };
    let mut fields = vec![
        (":method", request.method.as_bytes()),
        (":scheme", b"https"),
        (":authority", request.header("host").unwrap_or_default()),
        (":path", request.target.expose()),
    ];
    let others = request
        .headers
        .iter()
        .filter(|header| header.name != "host");
    fields.extend(others.map(|header| (header.name.as_str(), &header.value.expose()[..])));
    let fields = fields.into_iter();
    let fields: Vec<_> = fields
        .map(|(name, value)| format!("{}:{}", hex(name.as_bytes()), hex(value)))
        .collect();
    fields.join(" ")
}

#[test]
fn lists_that_hpack_compresses_are_read() -> Result<()> {
    for seed in SEEDS {
        let mut command = Command::new(tool("venv/bin/python"));
        command.arg(file("clients/header_lists.py"));
        command.args([LISTS.to_string(), seed.to_string()]);
        let output = command.output().context("start python")?;
        let lists = String::from_utf8(output.stderr)?;
        ensure!(output.status.success(), "{lists}");
        let (requests, losses) = requests(&output.stdout);
        assert!(losses.iter().all(|(_, count)| count == 0), "{losses:?}");
        assert_eq!(requests.len(), LISTS, "seed {seed}");
        for (number, (request, list)) in requests.iter().zip(lists.lines()).enumerate() {
            assert_eq!(said(request), list, "list {number} of seed {seed}");
            assert_eq!(request.request.completeness, Completeness::Complete);
        }
    }
    Ok(())
}
