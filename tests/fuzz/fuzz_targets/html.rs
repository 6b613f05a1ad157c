//! Pages of any content, in pieces, from markup to findings.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use phiwatch::{
    event::{StreamId, Timestamp},
    field::{FieldLimits, html::HtmlReader},
    finding::{Memory, PageSettings, Pages, Sender},
    http::{Completeness, Page},
    loss::Losses,
    secret::Secret,
    stream::Facts,
    token::TokenKey,
    tracker::Catalog,
};

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::builtin);

fuzz_target!(|input: (&[u8], Vec<&[u8]>)| {
    let (target, pieces) = input;
    let mut reader = HtmlReader::default();
    for piece in &pieces {
        reader.push(piece);
    }
    let document = reader.finish();
    let limits = FieldLimits::default();
    let mut losses = Losses::default();
    let (fields, _) = document.examine(Some(target), &limits, &mut losses);
    assert!(fields.len() <= limits.fields, "{} fields", fields.len());

    let page = Page {
        stream: StreamId {
            owner: 1,
            handle: 1,
            born: 0,
        },
        facts: Arc::new(Facts::default()),
        time: Timestamp(0),
        place: None,
        method: None,
        target: Some(Secret::new(bytes::Bytes::copy_from_slice(target))),
        host: None,
        status: 200,
        headers: Vec::new(),
        declared: true,
        body: Secret::new(pieces.concat().into()),
        wire_length: 0,
        completeness: Completeness::Complete,
    };
    let key = TokenKey::from_bytes([1; 32]);
    let settings = PageSettings {
        catalog: &CATALOG,
        sender: Sender::default(),
        key: &key,
        limits: &limits,
        recorded: None,
    };
    let (mut pages, mut memory) = (Pages::default(), Memory::default());
    drop(pages.examine(&page, &settings, &mut memory, &mut losses));
    let again = pages.examine(&page, &settings, &mut memory, &mut losses);
    assert!(again.is_none(), "a page is reported twice");
});
