//! Tests of the catalog and its matcher.

use std::collections::HashSet;

use super::{Catalog, Category, MatchedBy, Weight};

/// `expected` is `id matched_by`, `id matched_by housekeeping`, or empty.
fn check(cases: &[(&str, &str, &str, &str)]) {
    let catalog = Catalog::builtin();
    for (host, method, path, expected) in cases {
        let host = (!host.is_empty()).then_some(*host);
        let found = catalog
            .match_request(host, method, path)
            .map_or_else(String::new, |found| {
                let role = if found.housekeeping {
                    " housekeeping"
                } else {
                    ""
                };
                format!("{} {}{role}", found.tracker.id, found.matched_by.as_str())
            });
        assert_eq!(found, *expected, "{host:?} {method} {path}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn the_interfaces_of_the_incident() {
    check(&[
        (
            "graph.facebook.com",
            "POST",
            "/v26.0/1234/events",
            "meta host+path",
        ),
        (
            "Graph.Facebook.COM:443",
            "POST",
            "/v26.0/1234/events/",
            "meta host+path",
        ),
        ("www.facebook.com.", "GET", "/tr/", "meta host+path"),
        (
            "graph.facebook.com",
            "POST",
            "/v19.0/77/users",
            "meta host+path",
        ),
        (
            "business-api.tiktok.com",
            "POST",
            "/open_api/v1.3/event/track/",
            "tiktok host+path",
        ),
        (
            "business-api.tiktok.com",
            "POST",
            "/open_api/v1.3/pixel/batch/",
            "tiktok host+path",
        ),
        (
            "analytics.tiktok.com",
            "POST",
            "/api/v2/pixel",
            "tiktok host+path",
        ),
        (
            "www.google-analytics.com",
            "POST",
            "/mp/collect",
            "ga4_mp host+path",
        ),
        (
            "region1.google-analytics.com",
            "POST",
            "/g/collect",
            "ga4_web host+path",
        ),
        ("www.google-analytics.com", "POST", "/batch", "ua host+path"),
        ("www.google-analytics.com", "GET", "/other", "ga4_web host"),
        (
            "googleads.googleapis.com",
            "POST",
            "/v17/customers/1:uploadClickConversions",
            "google_ads host+path",
        ),
        (
            "www.google.com",
            "POST",
            "/ccm/collect",
            "google_ads host+path",
        ),
        ("ad.doubleclick.net", "GET", "/ddm/x", "doubleclick host"),
        (
            "tr.snapchat.com",
            "POST",
            "/v3/abc/events",
            "snap host+path",
        ),
        (
            "api.pinterest.com",
            "POST",
            "/v5/ad_accounts/9/events",
            "pinterest host+path",
        ),
        (
            "api.linkedin.com",
            "POST",
            "/rest/conversionEvents",
            "linkedin host+path",
        ),
        (
            "px.ads.linkedin.com",
            "GET",
            "/collect",
            "linkedin host+path",
        ),
        (
            "ads-api.x.com",
            "POST",
            "/12/measurement/conversions/o8z6j",
            "x host+path",
        ),
        ("t.co", "GET", "/i/adsct", "x host+path"),
        (
            "ads-api.reddit.com",
            "POST",
            "/api/v2.0/conversions/events/t2_a",
            "reddit host+path",
        ),
        (
            "capi.uet.microsoft.com",
            "POST",
            "/v1/55/events",
            "uet host+path",
        ),
        ("k.clarity.ms", "POST", "/collect", "clarity host+path"),
        ("api.segment.io", "POST", "/v1/batch", "segment host+path"),
        ("api.mixpanel.com", "POST", "/track", "mixpanel host+path"),
        (
            "api2.amplitude.com",
            "POST",
            "/2/httpapi",
            "amplitude host+path",
        ),
        ("us.i.posthog.com", "POST", "/batch/", "posthog host+path"),
        (
            "track.customer.io",
            "PUT",
            "/api/v1/customers/jane@example.com",
            "customerio host+path",
        ),
    ]);
}

#[test]
fn other_interfaces_and_look_alikes_are_no_trackers() {
    check(&[
        ("graph.facebook.com", "POST", "/v26.0/1234/messages", ""),
        ("graph.facebook.com", "GET", "/v26.0/me", ""),
        ("facebook.com", "GET", "/somepage", ""),
        ("notfacebook.com", "POST", "/v26.0/1234/events", ""),
        (
            "graph.facebook.com.evil.example",
            "POST",
            "/v26.0/1234/events",
            "",
        ),
        ("facebook.com.evil.example", "GET", "/tr", ""),
        ("www.google.com", "GET", "/search", ""),
        ("api.linkedin.com", "GET", "/v2/me", ""),
        ("pinterest.com", "GET", "/", ""),
        ("t.co", "GET", "/abc", ""),
        ("a.t.co", "GET", "/i/adsct", ""),
        ("api.hubapi.com", "GET", "/crm/v3/objects/contacts", ""),
        ("ehr.example.com", "POST", "/fhir/Patient", ""),
        (".facebook.net", "GET", "/x", ""),
        ("", "POST", "/fhir/Patient", ""),
    ]);
}

#[test]
fn housekeeping_is_marked() {
    check(&[
        (
            "graph.facebook.com",
            "GET",
            "/v26.0/act_1/insights",
            "meta host+path housekeeping",
        ),
        (
            "business-api.tiktok.com",
            "GET",
            "/open_api/v1.3/report/integrated/get/",
            "tiktok host+path housekeeping",
        ),
        (
            "cdn.segment.com",
            "GET",
            "/v1/projects/key/settings",
            "segment host+path housekeeping",
        ),
        (
            "us.i.posthog.com",
            "GET",
            "/api/feature_flag/local_evaluation",
            "posthog host+path housekeeping",
        ),
        (
            "googleads.googleapis.com",
            "POST",
            "/v17/customers/1/googleAds:searchStream",
            "google_ads host+path housekeeping",
        ),
    ]);
}

#[test]
fn protocols_are_recognised_on_unknown_hosts() {
    check(&[
        (
            "capi.clinic.example",
            "POST",
            "/capi/1234/events",
            "meta protocol",
        ),
        ("127.0.0.1:8080", "POST", "/g/collect", "ga4_web protocol"),
        ("localhost", "POST", "/mp/collect", "ga4_mp protocol"),
        ("[::1]:80", "POST", "/v1/batch", ""),
        ("", "POST", "/v1/batch", ""),
        ("api.clinic.example", "POST", "/v1/batch", ""),
        (
            "segment-proxy.clinic.example",
            "POST",
            "/v1/batch",
            "segment protocol",
        ),
        (
            "my-tracking.clinic.example:8080",
            "POST",
            "/v1/batch",
            "segment protocol",
        ),
        ("backtrack.clinic.example", "POST", "/v1/batch", ""),
        (
            "stats.clinic.example",
            "GET",
            "/analytics/matomo.php",
            "matomo protocol",
        ),
        ("", "POST", "/g/collect", "ga4_web protocol"),
        ("stats.clinic.example", "GET", "/v1/batch", ""),
    ]);
    let found = Catalog::builtin().match_request(Some("localhost"), "POST", "/capi/1/events");
    let found = found.unwrap();
    assert_eq!(
        (found.weight, found.matched_by),
        (Weight::R2, MatchedBy::Protocol)
    );
}

#[test]
fn a_host_alone_says_whether_it_suffices() {
    let catalog = Catalog::builtin();
    for (host, expected) in [
        ("graph.facebook.com", Some(("meta", false))),
        ("www.google-analytics.com", Some(("ga4_web", true))),
        ("tr.snapchat.com", Some(("snap", true))),
        ("www.google.com", Some(("google_ads", false))),
        ("clinic.example", None),
        ("127.0.0.1", None),
        ("", None),
    ] {
        let found = catalog
            .match_host(host)
            .map(|found| (found.tracker.id, found.alone));
        assert_eq!(found, expected, "{host}");
    }
}

#[test]
fn the_catalog_is_well_formed() {
    let catalog = Catalog::builtin();
    let mut ids = HashSet::new();
    for tracker in catalog.entries() {
        assert!(ids.insert(tracker.id), "{} stands twice", tracker.id);
        for host in tracker.hosts {
            assert_eq!(host.name, host.name.to_ascii_lowercase());
            assert!(
                host.name.contains('.') && !host.name.starts_with('.'),
                "{}",
                host.name
            );
        }
        for rule in tracker.paths.iter().chain(tracker.protocol) {
            assert!(rule.path.starts_with('/'), "{}", rule.path);
            let apex = rule.host.trim_start_matches('.');
            let named = rule.host.is_empty()
                || tracker.hosts.iter().any(|host| {
                    host.matches(apex) || host.name == apex || host.name.ends_with(rule.host)
                });
            assert!(
                named,
                "{} has a rule for a foreign host {}",
                tracker.id, rule.host
            );
        }
        assert!(tracker.protocol.iter().all(|rule| rule.host.is_empty()));
    }
    let categories: HashSet<_> = catalog
        .entries()
        .iter()
        .map(|entry| entry.category)
        .collect();
    assert_eq!(categories.len(), Category::ALL.len());
}
