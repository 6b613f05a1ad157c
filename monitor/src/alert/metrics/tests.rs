//! Tests of the metrics.

use std::collections::HashSet;

use super::{set::SetBuilder, *};
use crate::{
    finding::{
        FieldRecord, HostSource, Kind, PeerRecord, ProcessRecord, RecipientRecord, RequestRecord,
        Severity,
    },
    phi::{Class, Form, Identifier},
    token::Token,
    tracker::{Category, MatchedBy},
};

const TRACKERS: &[&str] = &["meta", "tiktok", "ga4"];
const HOOKS: &[&str] = &["ssl_write", "ssl_write_ex"];

fn metrics() -> Metrics {
    Metrics::new(TRACKERS, HOOKS).unwrap()
}

fn finding(severity: Severity, tracker: &'static str, form: Option<Form>) -> Finding {
    Finding {
        schema: crate::finding::SCHEMA,
        id: "planted-id".to_owned(),
        time: Timestamp(1_795_488_063_500_000_000),
        kind: Kind::Request,
        severity,
        why: String::new(),
        labels: Vec::new(),
        recipient: RecipientRecord {
            tracker: tracker.into(),
            owner: "Planted Owner".into(),
            category: Some(Category::Ads),
            host: "planted.example.com".to_owned(),
            matched_by: MatchedBy::Host,
        },
        identifiers: vec![Identifier::Email],
        health: Vec::new(),
        fields: vec![FieldRecord {
            class: Class::Identifier(Identifier::Email),
            form,
            path: "body.planted".to_owned(),
            rule: "planted_rule",
            masked: "planted-mask".to_owned(),
            token: Some(Token(0xdead_beef_dead_beef)),
            labels: Vec::new(),
        }],
        request: Some(RequestRecord {
            method: "POST".to_owned(),
            host: None,
            path: "/planted/{id}".to_owned(),
            protocol: Protocol::Http1,
            status: Some(200),
            bytes: 1,
            body_bytes: 1,
        }),
        contact: None,
        process: ProcessRecord {
            exe: Some("/planted/exe".to_owned()),
            ..Default::default()
        },
        peer: PeerRecord {
            addr: Some(([192, 0, 2, 7], 443).into()),
            sni: Some("planted.example.com".to_owned()),
            host_source: HostSource::Sni,
        },
        source: Some(Source::OpenSsl),
        completeness: Completeness::Complete,
        person: Some(Token(0xfeed_f00d_feed_f00d)),
        people: None,
        evidence: None,
        states: Vec::new(),
    }
}

/// 02:41:04 of the day on which [`finding`] was sent: half a second later.
const NOW: Timestamp = Timestamp(1_795_488_064_000_000_000);

/// Asserts that the exposition has each of `lines`.
fn check(metrics: &Metrics, lines: &[&str]) {
    let text = metrics.encode().unwrap();
    for line in lines {
        assert!(
            text.lines().any(|found| found == *line),
            "no line {line:?} in\n{text}"
        );
    }
}

#[test]
fn what_an_alert_depends_on_is_zero_at_start() {
    check(
        &metrics(),
        &[
            "phiwatch_findings_total{kind=\"request\",severity=\"critical\",tracker=\"meta\"} 0",
            "phiwatch_findings_total{kind=\"request\",severity=\"high\",tracker=\"other\"} 0",
            "phiwatch_last_finding_timestamp_seconds{severity=\"info\"} 0",
            "phiwatch_phi_fields_total{class=\"email\",form=\"md5\"} 0",
            "phiwatch_phi_fields_total{class=\"lab\",form=\"plain\"} 0",
            "phiwatch_phi_fields_total{class=\"other\",form=\"other\"} 0",
            "phiwatch_people{tracker=\"other\"} 0",
            "phiwatch_tracker_requests_total{tracker=\"other\"} 0",
            "phiwatch_tracker_connections_total{readable=\"false\",tracker=\"other\"} 0",
            "phiwatch_blind_connections_total{reason=\"no_symbols\",tracker=\"other\"} 0",
            "phiwatch_plaintext_coverage_ratio 1",
            "phiwatch_messages_total{completeness=\"late\",protocol=\"http/1.1\"} 0",
            "phiwatch_bytes_total{source=\"socket\"} 0",
            "phiwatch_probe_hits_total{source=\"openssl\"} 0",
            "phiwatch_lost_total{reason=\"ring_full\",stage=\"kernel\"} 0",
            "phiwatch_hook_status{hook=\"ssl_write\",state=\"failed\"} 0",
            "phiwatch_watched_processes 0",
            "phiwatch_detection_seconds_count 0",
            "phiwatch_last_event_timestamp_seconds 0",
            "phiwatch_config_last_reload_successful 0",
        ],
    );
}

#[test]
fn every_loss_is_a_series() {
    let metrics = metrics();
    for (index, loss) in Loss::ALL.iter().enumerate() {
        metrics.follow_loss(*loss, index as u64 + 1);
    }
    let lines: Vec<_> = Loss::ALL
        .iter()
        .enumerate()
        .map(|(index, loss)| {
            let (stage, reason) = loss.labels();
            let count = index + 1;
            format!("phiwatch_lost_total{{reason=\"{reason}\",stage=\"{stage}\"}} {count}")
        })
        .collect();
    check(
        &metrics,
        &lines.iter().map(String::as_str).collect::<Vec<_>>(),
    );
}

#[test]
fn a_finding_counts_everywhere() {
    let metrics = metrics();
    metrics.finding(
        &finding(Severity::Critical, "meta", Some(Form::Sha256)),
        NOW,
    );
    metrics.finding(
        &finding(Severity::Critical, "meta", Some(Form::Sha256)),
        NOW,
    );
    metrics.finding(&finding(Severity::Low, "unlisted", None), NOW);
    check(
        &metrics,
        &[
            "phiwatch_findings_total{kind=\"request\",severity=\"critical\",tracker=\"meta\"} 2",
            "phiwatch_findings_total{kind=\"request\",severity=\"low\",tracker=\"other\"} 1",
            "phiwatch_phi_fields_total{class=\"email\",form=\"sha256\"} 2",
            "phiwatch_phi_fields_total{class=\"other\",form=\"other\"} 1",
            "phiwatch_last_finding_timestamp_seconds{severity=\"critical\"} 1795488063.5",
            "phiwatch_detection_seconds_bucket{le=\"0.1\"} 0",
            "phiwatch_detection_seconds_bucket{le=\"0.5\"} 3",
            "phiwatch_detection_seconds_sum 1.5",
        ],
    );
}

#[test]
fn the_last_finding_does_not_go_back_in_time() {
    let metrics = metrics();
    metrics.finding(&finding(Severity::High, "meta", Some(Form::Sha256)), NOW);
    let mut older = finding(Severity::High, "meta", Some(Form::Sha256));
    older.time = Timestamp(1_735_689_600_000_000_000);
    metrics.finding(&older, NOW);
    check(
        &metrics,
        &["phiwatch_last_finding_timestamp_seconds{severity=\"high\"} 1795488063.5"],
    );
}

#[test]
fn nothing_of_a_finding_but_its_closed_names_reaches_the_exposition() {
    let metrics = metrics();
    metrics.finding(&finding(Severity::Critical, "planted-tracker", None), NOW);
    metrics.tracker_request("planted-tracker");
    metrics.connection("planted-tracker", None);
    metrics.connection("planted-tracker", Some(Blindness::Unknown));
    metrics.set_people("planted-tracker", 3);
    metrics.set_hook(
        "planted-hook",
        HookCounts {
            active: 1,
            disabled: 0,
            failed: 0,
        },
    );
    let text = metrics.encode().unwrap();
    assert!(!text.to_lowercase().contains("planted"), "{text}");
    for value in ["192.0.2.7", "deadbeef", "feedf00d"] {
        assert!(!text.contains(value), "{text}");
    }
    check(&metrics, &["phiwatch_people{tracker=\"other\"} 3"]);
}

#[test]
fn totals_of_others_are_followed_and_never_go_down() {
    let metrics = metrics();
    for (total, expected) in [(5, 5), (5, 5), (9, 9), (3, 9), (10, 10)] {
        metrics.follow_probe_hits(Source::OpenSsl, total);
        metrics.follow_bytes(Source::Socket, total);
        check(
            &metrics,
            &[
                &format!("phiwatch_probe_hits_total{{source=\"openssl\"}} {expected}"),
                &format!("phiwatch_bytes_total{{source=\"socket\"}} {expected}"),
            ],
        );
    }
    let mut losses = Losses::default();
    losses.add(Loss::StreamGap, 4);
    metrics.follow_losses(&losses);
    losses.count(Loss::StreamGap);
    metrics.follow_losses(&losses);
    check(
        &metrics,
        &["phiwatch_lost_total{reason=\"gap\",stage=\"stream\"} 5"],
    );
}

#[test]
fn connections_count_by_tracker_and_reason() {
    let metrics = metrics();
    for (tracker, blindness) in [
        ("meta", None),
        ("meta", Some(Blindness::Java)),
        ("meta", Some(Blindness::Java)),
        ("unlisted", Some(Blindness::Proxy)),
    ] {
        metrics.connection(tracker, blindness);
    }
    check(
        &metrics,
        &[
            "phiwatch_tracker_connections_total{readable=\"true\",tracker=\"meta\"} 1",
            "phiwatch_tracker_connections_total{readable=\"false\",tracker=\"meta\"} 2",
            "phiwatch_blind_connections_total{reason=\"java\",tracker=\"meta\"} 2",
            "phiwatch_blind_connections_total{reason=\"proxy\",tracker=\"other\"} 1",
            "phiwatch_plaintext_coverage_ratio 0.25",
        ],
    );
}

#[test]
fn states_are_set() {
    let metrics = metrics();
    metrics.set_hook(
        "ssl_write_ex",
        HookCounts {
            active: 3,
            disabled: 2,
            failed: 1,
        },
    );
    metrics.set_watched_processes(7);
    metrics.event_seen(NOW);
    metrics.message(Protocol::Http1, Completeness::Gap);
    metrics.follow_bytes(Source::OpenSsl, 12);
    metrics.config_loaded(true, NOW);
    check(
        &metrics,
        &[
            "phiwatch_hook_status{hook=\"ssl_write_ex\",state=\"active\"} 3",
            "phiwatch_hook_status{hook=\"ssl_write_ex\",state=\"disabled\"} 2",
            "phiwatch_hook_status{hook=\"ssl_write_ex\",state=\"failed\"} 1",
            "phiwatch_watched_processes 7",
            "phiwatch_last_event_timestamp_seconds 1795488064",
            "phiwatch_messages_total{completeness=\"gap\",protocol=\"http/1.1\"} 1",
            "phiwatch_bytes_total{source=\"openssl\"} 12",
            "phiwatch_config_last_reload_successful 1",
            "phiwatch_config_last_reload_success_timestamp_seconds 1795488064",
        ],
    );
    metrics.config_loaded(false, NOW.plus(1_000_000_000));
    check(
        &metrics,
        &[
            "phiwatch_config_last_reload_successful 0",
            "phiwatch_config_last_reload_success_timestamp_seconds 1795488064",
        ],
    );
}

#[test]
fn label_sets_that_would_merge_are_refused() {
    // The crate sees "ab" "c" and "a" "bc" as one series.
    let children = [vec!["ab", "c"], vec!["a", "bc"]];
    let error = SetBuilder::default()
        .counters("phiwatch_x_total", "Help.", &["one", "other"], &children)
        .unwrap_err();
    assert!(
        error.to_string().contains("phiwatch_x_total would merge"),
        "{error}"
    );
    assert!(Metrics::new(&["meta", "meta"], HOOKS).is_err());
    assert!(Metrics::new(TRACKERS, &["hook", "hook"]).is_err());
}

#[test]
fn a_full_catalog_keeps_the_series_budget_and_merges_nothing() {
    let leak = |prefix: &str, count: usize| -> Vec<&'static str> {
        (0..count)
            .map(|number| &*format!("{prefix}{number}").leak())
            .collect()
    };
    let (trackers, hooks) = (leak("tracker", 231), leak("hook", 20));
    let metrics = Metrics::new(&trackers, &hooks).unwrap();
    let text = metrics.encode().unwrap();
    let series: HashSet<_> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(name, _)| name)
        .collect();
    assert!(series.len() < 1_000, "{} series", series.len());
    // Each finding raises exactly one series, whichever came before.
    for tracker in &trackers {
        for severity in Severity::ALL {
            metrics.finding(&finding(*severity, tracker, Some(Form::Sha256)), NOW);
        }
    }
    let text = metrics.encode().unwrap();
    let ones = text
        .lines()
        .filter(|line| line.starts_with("phiwatch_findings_total{") && line.ends_with(" 1"));
    assert_eq!(ones.count(), trackers.len() * Severity::ALL.len());
}

#[test]
fn the_process_metrics_have_no_prefix_and_plausible_values() {
    let text = metrics().encode().unwrap();
    let value = |name: &str| -> f64 {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("no {name}")).parse().unwrap()
    };
    for name in [
        "process_resident_memory_bytes",
        "process_virtual_memory_bytes",
        "process_threads",
        "process_open_fds",
        "process_max_fds",
    ] {
        assert!(value(name) >= 1.0, "{name}");
    }
    assert!(value("process_cpu_seconds_total") >= 0.0);
    assert!(value("process_start_time_seconds") > 1e9);
    assert!(!text.contains("phiwatch_process"));
}

#[test]
fn every_metric_has_help_and_counters_end_in_total() {
    let text = metrics().encode().unwrap();
    let mut types = 0;
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        assert!(text.contains(&format!("# HELP {name} ")), "{name}");
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
        types += 1;
    }
    assert!(types >= 25, "{types}");
    // For `promtool check metrics`, which tests cannot bring along.
    if let Some(path) = std::env::var_os("PHIWATCH_WRITE_METRICS") {
        std::fs::write(path, text).unwrap();
    }
}
