//! Field reading and detection on bodies that real SDKs sent and on clean ones,
//! beside dd-sensitive-data-scanner with rules for the same kinds of data.
//!
//! Throughput is in bytes of the bodies as they were sent.

use std::{fs, hint::black_box, path::Path};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dd_sds::{
    ProximityKeywordsConfig, RegexRuleConfig, RootRuleConfig, Scanner, SecondaryValidator,
};
use phiwatch::{
    field::{self, FieldLimits},
    loss::Losses,
    phi::Detector,
};

/// Where the recorded requests are.
const RECORDED: &str = "../corpus/recorded";

/// Bodies of one kind.
struct Set {
    name: &'static str,
    bodies: Vec<Vec<u8>>,
}

fn sets() -> Vec<Set> {
    let recorded = recorded(Path::new(RECORDED));
    assert!(!recorded.is_empty(), "no recorded bodies in {RECORDED}");
    vec![
        Set {
            name: "sdk",
            bodies: recorded,
        },
        Set {
            name: "clean",
            bodies: clean(),
        },
    ]
}

/// The bodies of all recorded requests.
fn recorded(folder: &Path) -> Vec<Vec<u8>> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the folder of recorded requests")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"))
        .collect();
    files.sort();
    files
        .iter()
        .flat_map(|file| {
            let text = fs::read_to_string(file).expect("a readable file");
            text.lines().map(body_of).collect::<Vec<_>>()
        })
        .filter(|body| !body.is_empty())
        .collect()
}

fn body_of(line: &str) -> Vec<u8> {
    let request: serde_json::Value = serde_json::from_str(line).expect("a recorded request");
    let body = request["body"].as_str().unwrap_or_default();
    BASE64_STANDARD.decode(body).expect("base64")
}

/// Bodies of a company outside health care: no identifier, no health word.
fn clean() -> Vec<Vec<u8>> {
    const EVENTS: &[&str] = &[
        "Report Exported",
        "Dashboard Opened",
        "Build Finished",
        "Invoice Paid",
        "Cart Updated",
    ];
    (0..40)
        .map(|number| {
            let events: Vec<_> = (0..1 + number % 7)
                .map(|index| {
                    serde_json::json!({
                        "type": "track",
                        "event": EVENTS[(number + index) % EVENTS.len()],
                        "timestamp": "2026-11-24T10:00:00.000Z",
                        "properties": {
                            "format": "csv",
                            "rows": 1_200 + index,
                            "duration_ms": 183 + number,
                            "workspace": "north",
                            "feature": "dashboard",
                            "columns": ["revenue", "region", "quarter"],
                            "note": "Quarterly numbers for the northern region, exported by the \
                                     scheduler after the nightly build",
                        },
                    })
                })
                .collect();
            serde_json::json!({ "batch": events }).to_string().into_bytes()
        })
        .collect()
}

/// Rules for the kinds of data that such a scanner can find: a pattern, words
/// within the 30 characters before it, checksums.
fn peer() -> Scanner {
    let rule = |pattern: &str, words: &[&str], validator: Option<SecondaryValidator>| {
        let mut rule = RegexRuleConfig::new(pattern);
        if !words.is_empty() {
            rule = rule.with_proximity_keywords(ProximityKeywordsConfig {
                look_ahead_character_count: 30,
                included_keywords: words.iter().map(|word| (*word).to_owned()).collect(),
                excluded_keywords: Vec::new(),
            });
        }
        if let Some(validator) = validator {
            rule = rule.with_validator(Some(validator));
        }
        RootRuleConfig::new(rule.build())
    };
    let rules = [
        rule(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,63}){1,4}\b", &[], None),
        rule(r"\b[0-9a-fA-F]{64}\b", &["em", "ph", "email", "phone", "fn", "ln"], None),
        rule(r"\+?\d{1,2}?[-. (]{0,2}\d{3}[-. )]{0,2}\d{3}[-. ]?\d{4}\b", &["phone", "ph", "mobile", "tel"], None),
        rule(r"\b\d{3}-\d{2}-\d{4}\b", &[], None),
        rule(r"\b[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d-?[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d-?[AC-HJKMNP-RT-Y]{2}\d{2}\b", &[], None),
        rule(r"\b[12]\d{9}\b", &["npi", "provider"], Some(SecondaryValidator::UsNpiChecksum)),
        rule(r"\b[A-Z][A-Z9]\d{7}\b", &["dea"], Some(SecondaryValidator::UsDeaChecksum)),
        rule(r"\b[A-TV-Z]\d[0-9AB](?:\.[0-9A-Z]{1,4})?\b", &["icd", "dx", "diagnosis"], None),
        rule(r"\b\d{4,5}-\d{3,4}-\d{1,2}\b", &["ndc", "drug"], None),
        rule(r"\b\d{4}-\d{2}-\d{2}\b", &["dob", "birth", "appointment"], None),
        rule(r"\b(?:\d{1,3}\.){3}\d{1,3}\b", &["ip", "client_ip_address"], None),
        rule(r"(?i)\b(?:phq|gad|depression|anxiety|adhd|bipolar|insomnia|sertraline|adderall)\b", &[], None),
    ];
    Scanner::builder(&rules).build().expect("the peer accepts its rules")
}

fn detection(criterion: &mut Criterion) {
    let limits = FieldLimits::default();
    let peer = peer();
    for Set { name, bodies } in sets() {
        let bytes: usize = bodies.iter().map(Vec::len).sum();
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(bytes as u64));
        let mut losses = Losses::default();
        group.bench_function("read", |bencher| {
            bencher.iter(|| {
                for body in &bodies {
                    black_box(field::read_body(black_box(body), false, &limits, &mut losses));
                }
            });
        });
        let mut detector = Detector::default();
        group.bench_function("read_and_detect", |bencher| {
            bencher.iter(|| {
                for body in &bodies {
                    let fields = field::read_body(black_box(body), false, &limits, &mut losses);
                    black_box(detector.detect(&fields));
                }
            });
        });
        let mut texts: Vec<String> = bodies
            .iter()
            .map(|body| String::from_utf8_lossy(body).into_owned())
            .collect();
        group.bench_function("peer", |bencher| {
            bencher.iter(|| {
                for text in &mut texts {
                    black_box(peer.scan(text).expect("the peer scans"));
                }
            });
        });
        group.bench_function("serde_json", |bencher| {
            bencher.iter(|| {
                for body in &bodies {
                    black_box(serde_json::from_slice::<serde_json::Value>(black_box(body)).ok());
                }
            });
        });
        group.finish();
    }
}

criterion_group!(benches, detection);
criterion_main!(benches);
