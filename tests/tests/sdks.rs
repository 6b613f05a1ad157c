//! Every recorded request of a real client library, redacted: the findings stay,
//! the values go.
//!
//! `PHIWATCH_CAPTURES=FILE…` (separated by colons) checks other captures
//! likewise.

#![expect(clippy::print_stderr, reason = "the figures of a run are for people")]

use std::{collections::BTreeMap, env, fmt::Write as _, fs, path::PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use phiwatch::{
    capture::{self, Provenance, Recorded},
    event::{Data, Direction, Event, EventKind, Origin, Source, StreamId, Timestamp},
    field::{self, FieldLimits},
    finding::Finding,
    http::{Exchange, read_request},
    loss::Losses,
    message::Message,
    phi::{self, Class},
    pipeline::{Examiner, MessageAssembler, Output, Pipeline, Step},
    record::Encoder,
    redact::{RedactionKey, Redactor},
    secret::Secret,
    token::TokenKey,
    tracker::Catalog,
};
use serde_json::Value;
use tests::{disclosure::found_in, file};

/// Values of at least this many letters and digits do not occur by chance.
const MIN_VALUE: usize = 6;

fn examiner() -> Examiner {
    Examiner::new(Catalog::builtin(), TokenKey::from_bytes([1; 32]))
}

/// One recorded request as the events of a stream.
fn events(number: u64, record: &Value) -> Result<Vec<Event>> {
    let text = |name: &str| record[name].as_str().with_context(|| format!("a {name}"));
    let body = STANDARD.decode(text("body")?)?;
    let mut head = format!(
        "{} {} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n",
        text("method")?,
        text("target")?,
        text("host")?,
        body.len()
    );
    for pair in record["headers"].as_array().into_iter().flatten() {
        let (name, value) = (pair[0].as_str(), pair[1].as_str());
        let (name, value) = (name.context("a name")?, value.context("a value")?);
        if !["host", "content-length"].contains(&name.to_lowercase().as_str()) {
            writeln!(head, "{name}: {value}\r")?;
        }
    }
    let bytes = [head.as_bytes(), b"\r\n", &body].concat();
    let stream = StreamId {
        owner: 1,
        handle: number,
        born: number,
    };
    let origin = Origin {
        source: Source::OpenSsl,
        process: None,
        local: None,
        peer: None,
        one_way: false,
        blindness: None,
    };
    let data = Data {
        direction: Direction::Sent,
        offset: 0,
        bytes: Secret::new(Bytes::from(bytes)),
    };
    let kinds = [
        EventKind::Opened(origin.into()),
        EventKind::Data(data),
        EventKind::Closed,
    ];
    Ok(kinds
        .into_iter()
        .map(|kind| Event {
            time: Timestamp(1_764_000_000_000_000_000 + number * 1_000),
            stream,
            place: None,
            kind,
        })
        .collect())
}

/// A finding without the place of its evidence.
fn line(finding: &Finding) -> String {
    let mut finding = finding.clone();
    finding.evidence = None;
    serde_json::to_string(&finding).expect("a finding has only text keys")
}

/// Identifies a request: its stream and its time.
type Which = (u64, u64);
/// How many pieces of evidence of each class there are on each stream.
type Classes = BTreeMap<(u64, &'static str), usize>;

/// Values with evidence in the requests of `events`, with how many pieces of
/// evidence each class has there.
fn values(events: &[Event]) -> (BTreeMap<Which, Vec<String>>, Classes) {
    let (mut assembler, mut losses, mut steps) =
        (MessageAssembler::default(), Losses::default(), Vec::new());
    for event in events {
        assembler.push(event, &mut losses, &mut steps);
    }
    assembler.finish(&mut losses, &mut steps);
    let (mut values, mut classes) = (BTreeMap::<Which, Vec<String>>::new(), BTreeMap::new());
    for step in &steps {
        let Step::Exchange(exchange, _) = step else {
            continue;
        };
        let Exchange { request, .. } = &**exchange;
        let mut fields = field::read(request, &FieldLimits::default(), &mut losses);
        phi::label_columns(&mut fields);
        for item in phi::detect(&fields) {
            *classes
                .entry((request.stream.handle, item.class.as_str()))
                .or_default() += 1;
            if let (Class::Identifier(_), Some(field)) = (item.class, fields.get(item.field)) {
                let value = field.value().trim();
                if value.chars().filter(|c| c.is_alphanumeric()).count() >= MIN_VALUE {
                    let which = (request.stream.handle, request.time.0);
                    values.entry(which).or_default().push(value.to_owned());
                }
            }
        }
    }
    (values, classes)
}

fn same(name: &str, one: &[String], other: &[String]) -> Result<()> {
    let first = one.iter().zip(other).find(|(one, other)| one != other);
    if let Some((one, other)) = first {
        bail!("{name}: other findings:\n{one}\n{other}");
    }
    ensure!(
        one.len() == other.len(),
        "{name}: {} findings, not {}",
        one.len(),
        other.len()
    );
    Ok(())
}

/// Redacts `events` and compares the result with them.
fn check(name: &str, events: &[Event]) -> Result<()> {
    let redactor = Redactor::new(RedactionKey::from_bytes([2; 32]));
    let (mut live, mut raw) = (Output::default(), Output::default());
    let mut redacting = Pipeline::from(examiner().with_redactor(redactor));
    let mut plain = Pipeline::from(examiner());
    for event in events {
        redacting.push(event, &mut live);
        plain.push(event, &mut raw);
    }
    redacting.finish(&mut live);
    plain.finish(&mut raw);
    let mut encoder = Encoder::new(Provenance {
        redacted: true,
        ..Provenance::default()
    });
    let mut bytes = Vec::new();
    encoder.begin_segment(&mut bytes);
    let mut states = BTreeMap::<String, usize>::new();
    for record in &live.records {
        let body = &record.message.facts.body;
        *states.entry(body.clone()).or_default() += 1;
        encoder.message(&record.message, &mut bytes);
    }
    encoder.end_segment(&Losses::default(), &mut bytes);

    let mut losses = Losses::default();
    let again: Vec<_> = capture::read_bytes(&bytes, &mut losses)
        .into_iter()
        .filter_map(Recorded::message)
        .collect();
    let (mut replaying, mut replayed) = (Pipeline::from(examiner()), Output::default());
    for message in &again {
        replaying.message(message, &mut replayed);
    }
    replaying.finish(&mut replayed);
    let lines = |out: &Output| out.findings.iter().map(line).collect::<Vec<_>>();
    same(name, &lines(&live), &lines(&raw))?;
    same(name, &lines(&replayed), &lines(&raw))?;

    let (values, classes) = values(events);
    let mut left = Vec::new();
    for message in &again {
        let own = values.get(&(message.stream.handle, message.time.0));
        let own: Vec<_> = own.into_iter().flatten().map(String::as_str).collect();
        left.extend(found_in(message.request.expose(), &own));
    }
    let is_whole = |message: &&Message| read_request(message.request.expose()).is_some();
    let whole = again.iter().filter(is_whole);
    eprintln!(
        "{name}: {} requests, {} whole, {} findings, {} values, bodies {states:?}, left {}",
        live.records.len(),
        whole.count(),
        raw.findings.len(),
        values.values().map(Vec::len).sum::<usize>(),
        left.len()
    );
    ensure!(
        left.is_empty(),
        "{name}: {:?}",
        left.get(..left.len().min(20))
    );
    native(name, &again, &classes);
    Ok(())
}

/// How much of the evidence detection finds again in the replaced values.
fn native(name: &str, again: &[Message], classes: &Classes) {
    let (mut found, mut all) = (0, 0);
    let mut own = Classes::new();
    for message in again {
        let Some(text) = read_request(message.request.expose()) else {
            continue;
        };
        let body = field::read_body(
            text.body.expose(),
            false,
            &FieldLimits::default(),
            &mut Losses::default(),
        );
        for item in phi::detect(&body) {
            *own.entry((message.stream.handle, item.class.as_str()))
                .or_default() += 1;
        }
    }
    for (key, count) in classes {
        all += count;
        found += own.get(key).copied().unwrap_or_default().min(*count);
    }
    eprintln!("{name}: {found} of {all} pieces of evidence are found in the replaced values");
}

#[test]
fn recorded_requests_keep_their_findings_and_lose_their_values() -> Result<()> {
    let mut all = Vec::new();
    for name in ["python", "node"] {
        let path = file(&format!("../corpus/recorded/{name}.jsonl"));
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        for line in text.lines() {
            let number = all.len() as u64 + 1;
            all.push(events(number, &serde_json::from_str(line)?)?);
        }
    }
    ensure!(all.len() > 100, "only {} recordings", all.len());
    check("recorded", &all.concat())?;
    for path in env::var("PHIWATCH_CAPTURES")
        .iter()
        .flat_map(|list| list.split(':'))
    {
        let mut source = capture::open(&PathBuf::from(path))?;
        let (mut losses, mut events) = (Losses::default(), Vec::new());
        while let Some(recorded) = source.next(&mut losses)? {
            events.extend(recorded.event());
        }
        check(path, &events)?;
    }
    Ok(())
}
