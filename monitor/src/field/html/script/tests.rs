//! Names, addresses and values in scripts.

use super::*;
use crate::{field::FieldLimits, loss::Losses};

fn check(script: &str, names: &[&str], fields: &[(&str, &str)]) {
    let (limits, mut losses) = (FieldLimits::default(), Losses::default());
    let mut reader = Reader::new(&limits, &mut losses);
    let mut mentions = Mentions::default();
    read(script, &mut reader, &mut mentions);
    let found: Vec<_> = mentions.names.iter().copied().collect();
    assert_eq!(found, names, "{script}");
    let read: Vec<_> = reader
        .into_fields()
        .iter()
        .map(|field| {
            (
                crate::field::tests::path_of(&field),
                field.value().to_owned(),
            )
        })
        .collect();
    let expected: Vec<_> = fields
        .iter()
        .map(|(path, value)| ((*path).to_owned(), (*value).to_owned()))
        .collect();
    assert_eq!(read, expected, "{script}");
}

#[test]
fn names_are_sorted() {
    assert!(LOADERS.is_sorted_by(|one, next| one.0 < next.0));
}

#[test]
fn calls_give_their_values() {
    check(
        "fbq('init', '12345', {em: 'jane@example.com', n: 3});\n\
         // fbq('comment')\n fbq(\"track\", 'Lead', {content_name: \"Depression\"})",
        &["fbq"],
        &[
            ("body.fbq.event", "init"),
            ("body.fbq.event", "12345"),
            ("body.fbq.em", "jane@example.com"),
            ("body.fbq.n", "3"),
            ("body.fbq.event", "track"),
            ("body.fbq.event", "Lead"),
            ("body.fbq.content_name", "Depression"),
        ],
    );
    check(
        "window.dataLayer = window.dataLayer || [{'user': {'tags': ['a', x, 'b']}}]",
        &["dataLayer"],
        &[
            ("body.dataLayer.user.tags[0]", "a"),
            ("body.dataLayer.user.tags[2]", "b"),
        ],
    );
    check(
        "mixpanel.identify('u-1'); const hj = 1; hj(x); function ga(a) {} analytics = 3;",
        &["mixpanel"],
        &[("body.mixpanel.user_id", "u-1")],
    );
    check(
        "w.hj('identify', f('no'), {\"city\": 'S\\u00e3o'}); /* ttq */ var s = 'snaptr';",
        &["hj"],
        &[("body.hj.event", "identify"), ("body.hj.city", "S\u{e3}o")],
    );
}

#[test]
fn addresses_and_ids_are_found_in_strings() {
    let (limits, mut losses) = (FieldLimits::default(), Losses::default());
    let mut reader = Reader::new(&limits, &mut losses);
    let mut mentions = Mentions::default();
    let script = r"j.src='https:\/\/www.googletagmanager.com\/gtm.js?id='+i;
        f(w,d,'GTM-AB12CD'); var a='//cdn.example.com/x.js', b = 'MY-G-123456', c = 'a // b';";
    read(script, &mut reader, &mut mentions);
    let hosts: Vec<_> = mentions.resources.iter().map(|r| r.host.as_str()).collect();
    assert_eq!(hosts, ["www.googletagmanager.com", "cdn.example.com"]);
    assert_eq!(mentions.ids.iter().copied().collect::<Vec<_>>(), ["GTM-"]);
}

#[test]
fn no_prefix_does_harm() {
    let script = "fbq('a\\u00e9', {x: [1, {y: `z${q}`}]}, /* c */ \"\\x41\"); ttq.load('k')";
    for (end, _) in script.char_indices() {
        let (limits, mut losses) = (FieldLimits::default(), Losses::default());
        let mut reader = Reader::new(&limits, &mut losses);
        read(&script[..end], &mut reader, &mut Mentions::default());
    }
}
