//! Pages to findings: which, how bad, and when again.

use std::sync::Arc;

use bytes::Bytes;

use super::*;
use crate::{event::StreamId, name::joined, secret::Secret, stream::Facts};

const PIXEL: &str = "<script>fbq('init', '1'); fbq('track', 'PageView')</script>";
const ANALYTICS: &str = "<script src='https://cdn.amplitude.com/a.js'></script>";

fn page(target: &str, markup: &str) -> Page {
    Page {
        stream: StreamId {
            owner: 1,
            handle: 1,
            born: 0,
        },
        facts: Arc::new(Facts::default()),
        time: Timestamp(SECOND),
        place: None,
        method: Some("GET".to_owned()),
        target: Some(Secret::new(Bytes::copy_from_slice(target.as_bytes()))),
        host: Some("clinic.example".to_owned()),
        status: 200,
        headers: Vec::new(),
        declared: true,
        body: Secret::new(Bytes::copy_from_slice(markup.as_bytes())),
        wire_length: markup.len() as u64,
        completeness: Completeness::Complete,
    }
}

fn examine(pages: &mut Pages, page: &Page) -> Vec<Finding> {
    let mut losses = Losses::default();
    let key = TokenKey::from_bytes([1; 32]);
    let settings = PageSettings {
        catalog: &Catalog::builtin(),
        sender: Sender::default(),
        key: &key,
        limits: &FieldLimits::default(),
        recorded: None,
    };
    pages
        .examine(page, &settings, &mut Memory::default(), &mut losses)
        .map(|told| told.findings)
        .unwrap_or_default()
}

fn check(target: &str, markup: &str, expected: &str) {
    let found = examine(&mut Pages::default(), &page(target, markup));
    let shown: Vec<_> = found
        .iter()
        .map(|finding| {
            format!(
                "{} {} {} [{}] [{}]",
                finding.recipient.tracker,
                finding.request.as_ref().unwrap().path,
                finding.severity.as_str(),
                joined(&finding.identifiers, " "),
                joined(&finding.health, " ")
            )
        })
        .collect();
    assert_eq!(shown.join("; "), expected, "{target} {markup}");
}

#[test]
fn severity_follows_from_context_forms_and_values() {
    let with = |text: &str| format!("{PIXEL}{text}");
    check("/", "<title>Depression help</title>", "");
    check("/", PIXEL, "meta / info [] []");
    check(
        "/blog/17",
        &with("<title>Living with depression</title>"),
        "meta /blog/{id} low [] [condition]",
    );
    check(
        "/blog/17",
        &format!("{ANALYTICS}<title>Living with depression</title>"),
        "amplitude /blog/{id} low [] [condition]",
    );
    check(
        "/assessment/depression",
        PIXEL,
        "meta /assessment/depression medium [] [condition]",
    );
    check(
        "/blog/17",
        &with("<h1>Depression</h1><input type=email placeholder='Newsletter'>"),
        "meta /blog/{id} medium [email] [condition]",
    );
    check(
        "/start",
        &with("<h1>Depression treatment</h1><label>Date of birth <input name=q></label>"),
        "meta /start high [birth_date] [condition treatment]",
    );
    check(
        "/contact",
        &with("<input type=tel name=phone>"),
        "meta /contact low [phone] []",
    );
    check(
        "/thanks",
        "<script>fbq('init', '1', {em: 'jane@example.com'});\
         fbq('track', 'Lead', {content_name: 'Depression'})</script>",
        "meta /thanks critical [email] [condition]",
    );
}

#[test]
fn a_route_is_told_once_for_each_version() {
    let mut pages = Pages::default();
    let count =
        |pages: &mut Pages, target: &str, markup: &str| examine(pages, &page(target, markup)).len();
    let tokens = |n: u32| format!("{PIXEL}<h1>ADHD</h1><input type=hidden name=csrf value={n}>");
    assert_eq!(count(&mut pages, "/patients/1", &tokens(1)), 1);
    assert_eq!(count(&mut pages, "/patients/2?x=1", &tokens(2)), 0);
    let more = format!("{}<script>ttq.load('x')</script>", tokens(3));
    assert_eq!(count(&mut pages, "/patients/3", &more), 1);
    let form = format!("{}<input name=dob>", tokens(3));
    assert_eq!(count(&mut pages, "/patients/3", &form), 1);
    assert_eq!(count(&mut pages, "/patients/3", &tokens(4)), 0);
    assert_eq!(count(&mut pages, "/", &tokens(4)), 1);
}

#[test]
fn memory_and_work_are_bounded() {
    let (mut pages, mut losses) = (Pages::default(), Losses::default());
    let count = MAX_ROUTES as u64 + 10;
    for route in 0..count {
        assert!(pages.is_new(route, 0, &mut losses));
    }
    assert_eq!(losses.get(Loss::PageEvicted), 10);
    assert_eq!(
        (pages.routes.len(), pages.order.len()),
        (MAX_ROUTES, MAX_ROUTES)
    );
    assert!(!pages.is_new(count - 1, 0, &mut losses));
    for version in 1..40 {
        pages.is_new(count - 1, version, &mut losses);
    }
    assert_eq!(losses.get(Loss::PageVersions), 40 - MAX_VERSIONS as u64);
    let time = Timestamp(7 * SECOND);
    assert!(pages.affords(time, MAX_BYTES_PER_SECOND));
    assert!(!pages.affords(time, 1));
    assert!(pages.affords(time.plus(SECOND), 1));
}

#[test]
fn no_value_stands_in_a_finding() {
    let markup = format!(
        "{PIXEL}<script>fbq('init', '1', {{em: 'jane.roe@example.com', jane: 'x'}})</script>\
         <title>Hello Jane Roe, your depression results</title>"
    );
    let target = "/patients/jane-roe/results?email=jane.roe@example.com";
    for finding in examine(&mut Pages::default(), &page(target, &markup)) {
        let text = serde_json::to_string(&finding).unwrap();
        let lower = text.to_lowercase();
        assert!(!lower.contains("jane") && !lower.contains("roe"), "{text}");
    }
}
