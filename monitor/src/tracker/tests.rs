//! Tests of the catalog and its matcher. The cases stand in `tests/cases.tsv`.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{
    BodyShape, Catalog, Category, Host, IMPORTED, Match, MatchedBy, Policy, Weight, parse_catalog,
    parse_list,
};

const CASES: &str = include_str!("tests/cases.tsv");

/// Id, method, host, path, expectation.
fn cases() -> impl Iterator<Item = [&'static str; 5]> {
    CASES
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let columns: Vec<_> = line.split('\t').collect();
            <[&str; 5]>::try_from(columns).unwrap_or_else(|_| panic!("not five columns: {line}"))
        })
}

fn find(catalog: &Catalog, method: &str, host: &str, path: &str) -> Option<Match> {
    catalog.match_request((host != "-").then_some(host), method, path)
}

fn outcome(found: &Match) -> &'static str {
    match (found.matched_by, found.housekeeping) {
        (MatchedBy::HostAndPath, false) => "event",
        (MatchedBy::HostAndPath, true) => "housekeeping",
        (MatchedBy::Host, _) => "host",
        (MatchedBy::Protocol, _) if found.needs_body_shape.is_some() => "guess",
        (MatchedBy::Protocol, _) => "protocol",
        (MatchedBy::Script, _) => "script",
    }
}

#[test]
fn every_case_has_its_outcome() {
    let catalog = Catalog::builtin();
    let mut wrong = Vec::new();
    for [id, method, host, path, expected] in cases() {
        let found = find(&catalog, method, host, path);
        let right = match &found {
            Some(found) => &*found.tracker.id == id && outcome(found) == expected,
            None => expected == "none",
        };
        if !right {
            let found = found.map(|found| format!("{} {}", found.tracker.id, outcome(&found)));
            wrong.push(format!(
                "{id} {method} {host} {path}: {expected}, not {found:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_entry_has_a_positive_and_another_case() {
    let mut seen: BTreeMap<&str, [bool; 2]> = BTreeMap::new();
    for [id, _, _, _, expected] in cases() {
        let is_positive = matches!(expected, "event" | "host" | "protocol");
        let is_negative = matches!(expected, "housekeeping" | "none");
        let both = seen.entry(id).or_default();
        both[0] |= is_positive;
        both[1] |= is_negative;
    }
    let catalog = Catalog::builtin();
    let ids: BTreeSet<&str> = catalog.entries().iter().map(|entry| &*entry.id).collect();
    let covered: BTreeSet<&str> = seen
        .iter()
        .filter(|(_, both)| **both == [true, true])
        .map(|(id, _)| *id)
        .collect();
    assert_eq!(ids, covered);
    assert!(ids.len() >= 86, "{}", ids.len());
}

#[test]
fn a_guess_counts_only_with_the_body_of_the_protocol() {
    let catalog = Catalog::builtin();
    for [_, method, host, path, expected] in cases() {
        let host = (host != "-").then_some(host);
        let without = catalog.confirm(host, method, path, |_| false);
        match expected {
            "guess" => assert_eq!(without, None, "{host:?} {path}"),
            "none" => {}
            _ => assert!(without.is_some(), "{host:?} {path}"),
        }
    }
    // Two protocols share a path: the body decides which it is.
    for (shape, id) in [
        (BodyShape::Amplitude, "amplitude"),
        (BodyShape::Posthog, "posthog"),
    ] {
        let found = catalog.confirm(Some("p.example"), "POST", "/batch", |asked| asked == shape);
        let found = found.unwrap();
        assert_eq!((&*found.tracker.id, found.weight), (id, Weight::R2));
    }
}

#[test]
fn ids_of_the_first_release_stay() {
    let catalog = Catalog::builtin();
    let ids: HashSet<&str> = catalog.entries().iter().map(|entry| &*entry.id).collect();
    for id in
        "meta tiktok google_ads doubleclick snap pinterest linkedin x reddit uet criteo taboola \
               outbrain the_trade_desk amazon_ads quora nextdoor spotify ga4_mp ua ga4_web \
               google_tag_manager clarity adobe_analytics adobe_experience_platform segment \
               rudderstack mparticle mixpanel amplitude heap posthog fullstory hotjar logrocket \
               braze klaviyo hubspot iterable customerio appsflyer adjust branch matomo snowplow"
            .split_whitespace()
    {
        assert!(ids.contains(id), "{id}");
    }
}

#[test]
fn the_catalog_is_well_formed() {
    let catalog = Catalog::builtin();
    let mut ids = HashSet::new();
    for tracker in catalog.entries() {
        assert!(ids.insert(&tracker.id), "{} stands twice", tracker.id);
        assert!(
            !tracker.hosts.is_empty() && !tracker.paths.is_empty(),
            "{}",
            tracker.id
        );
        assert!(!tracker.owner.is_empty(), "{}", tracker.id);
    }
    let categories: HashSet<_> = catalog
        .entries()
        .iter()
        .map(|entry| entry.category)
        .collect();
    assert_eq!(categories.len(), Category::ALL.len());
    let meta = find(&catalog, "POST", "graph.facebook.com", "/v1.0/1/events").unwrap();
    assert!(meta.tracker.documents_hashing("email") && !meta.tracker.documents_hashing("ip"));
    assert_eq!(meta.weight, Weight::R3);
}

#[test]
fn a_host_alone_says_whether_it_suffices() {
    let catalog = Catalog::builtin();
    for (host, expected) in [
        ("graph.facebook.com", Some(("meta", false))),
        ("WWW.google-analytics.com:443", Some(("ga4_web", true))),
        ("tr.snapchat.com", Some(("snap", true))),
        ("www.google.com", Some(("google_ads", false))),
        ("clinic.example", None),
        ("127.0.0.1", None),
        ("", None),
    ] {
        let found = catalog.match_host(host);
        let found = found
            .as_ref()
            .map(|found| (&*found.tracker.id, found.alone));
        assert_eq!(found, expected, "{host}");
    }
}

#[test]
fn a_request_that_no_rule_matches_belongs_to_whom_its_host_does() {
    let catalog = Catalog::builtin();
    let hosts = catalog.entries().iter().flat_map(|entry| &entry.hosts);
    for host in hosts {
        let by_name = catalog.match_host(&host.name).unwrap();
        let request = find(&catalog, "BREW", &host.name, "/no/tracker/has/this");
        let own = by_name.alone.then_some(&by_name.tracker);
        let found = request.filter(|found| found.matched_by == MatchedBy::Host);
        if let Some(found) = &found {
            assert_eq!(Some(&found.tracker), own, "{host}");
        }
    }
}

#[test]
fn a_shared_host_says_how_much_of_it_is_a_tracker() {
    let catalog = Catalog::builtin();
    let mut shared = 0;
    for entry in catalog.entries() {
        for host in entry.hosts.iter().filter(|host| !host.alone) {
            let paths = catalog.match_host(&host.name).unwrap().paths;
            assert!(paths.events <= paths.known, "{host}");
            shared += usize::from(paths.events > 0);
        }
    }
    assert!(shared > 60, "{shared}");
    assert!(
        catalog
            .match_host("graph.facebook.com")
            .unwrap()
            .paths
            .events
            > 0
    );
}

#[test]
fn the_policy_decides_over_the_catalog() {
    let policy = Policy::new(
        &["clinic.example".to_owned(), ".segment.io".to_owned()],
        &[
            "meta".to_owned(),
            "eu.i.posthog.com".to_owned(),
            "partner.example".to_owned(),
        ],
    );
    let catalog = Catalog::builtin().with_policy(policy.unwrap());
    for (method, host, path, expected) in [
        ("POST", "capi.clinic.example", "/capi/1/events", None),
        ("POST", "API.segment.io:443", "/v1/batch", None),
        (
            "POST",
            "graph.facebook.com",
            "/v1.0/1/events",
            Some((Weight::R1, true)),
        ),
        (
            "POST",
            "eu.i.posthog.com",
            "/batch",
            Some((Weight::R1, true)),
        ),
        (
            "POST",
            "us.i.posthog.com",
            "/batch",
            Some((Weight::R2, false)),
        ),
        (
            "POST",
            "a.partner.example",
            "/g/collect",
            Some((Weight::R1, true)),
        ),
        (
            "POST",
            "notclinic.example",
            "/g/collect",
            Some((Weight::R2, false)),
        ),
    ] {
        let found = find(&catalog, method, host, path);
        let found = found.map(|found| (found.weight, found.agreement));
        assert_eq!(found, expected, "{host}");
    }
    assert!(catalog.match_host("a.clinic.example").is_none());
    let error = Policy::new(&["x".to_owned(), "not a host".to_owned()], &[]).unwrap_err();
    assert_eq!(error.to_string(), "item 2 of first_parties is no host name");
}

#[test]
fn own_entries_override_and_imported_hosts_stand_behind() {
    let own = "[[tracker]]\nid = \"mixpanel\"\nowner = \"Own\"\ncategory = \"ads\"\n\
               hosts = [\".mixpanel.example\"]\nevents = [\"POST * /{a,b}/*\"]\n\
               [[tracker]]\nid = \"own\"\nowner = \"Own\"\ncategory = \"dmp\"\n\
               hosts = [\"api.segment.io\"]\n";
    let list = "||ads.example.net^\n||facebook.com^\n0.0.0.0 api.segment.io\n||ads.example.net^\n";
    let catalog =
        Catalog::builtin().with_lists(parse_catalog(own).unwrap(), parse_list(list).unwrap().hosts);
    for (host, path, expected) in [
        ("a.mixpanel.example", "/b/1", Some("mixpanel event")),
        ("api.mixpanel.com", "/track", None),
        ("api.segment.io", "/v1/batch", Some("segment event")),
        ("api.segment.io", "/other", Some("own host")),
        ("x.ads.example.net", "/", Some("imported host")),
        ("www.facebook.com", "/page", None),
    ] {
        // Own entries are tried first, but a rule is more specific than a host.
        let found = find(&catalog, "POST", host, path);
        let found = found.map(|found| format!("{} {}", found.tracker.id, outcome(&found)));
        assert_eq!(found.as_deref(), expected, "{host}");
    }
    let imported = catalog.entries().last().unwrap();
    assert_eq!((&*imported.id, imported.hosts.len()), (IMPORTED, 1));
    let again = Catalog::builtin().with_lists(Vec::new(), Vec::<Host>::new());
    assert_eq!(again.entries(), Catalog::builtin().entries());
}

#[test]
fn faults_of_a_catalog_have_a_line() {
    let entry = |lines: &str| format!("\n[[tracker]]\nowner = \"O\"\n{lines}");
    for (lines, line, reason) in [
        ("id = \"Meta\"\ncategory = \"ads\"", 4, "an id is"),
        ("id = \"imported\"\ncategory = \"ads\"", 4, "an id is"),
        (
            "id = \"a\"\ncategory = \"adz\"",
            5,
            "a category is one of ads, dsp",
        ),
        (
            "id = \"a\"\ncategory = \"ads\"\nconfidence = \"x\"",
            6,
            "a confidence is",
        ),
        (
            "id = \"a\"\ncategory = \"ads\"\nhosts = [\n\"a.b\",\n\"a/b\"]",
            8,
            "a host is written",
        ),
        (
            "id = \"a\"\ncategory = \"ads\"\nhosts = [\"A.b\"]",
            6,
            "a host is written",
        ),
        (
            "id = \"a\"\ncategory = \"ads\"\nevents = [\"POST /x\"]",
            6,
            "a rule is written",
        ),
        (
            "id = \"a\"\ncategory = \"ads\"\nevents = [\"POST c.d /x\"]",
            6,
            "none of the entry's",
        ),
        (
            "id = \"a\"\ncategory = \"ads\"\nevents = [\"post * /x\"]",
            6,
            "methods are",
        ),
        (
            "id = \"a\"\ncategory = \"ads\"\nevents = [\"POST * x\"]",
            6,
            "begins with /",
        ),
        (
            "id = \"a\"\ncategory = \"ads\"\nevents = [\"POST * /{x\"]",
            6,
            "not closed",
        ),
        (
            "id = \"a\"\ncategory = \"ads\"\nprotocol = [\"POST /x y\"]",
            6,
            "shape of a body",
        ),
        (
            "id = \"a\"\ncategory = \"ads\"\nhashed = [\"soul\"]",
            6,
            "no class",
        ),
        (
            "id = \"a\"\ncategory = \"ads\"\ncolor = 1",
            6,
            "unknown field",
        ),
        (
            "id = \"a\"\ncategory = \"ads\"\n[[tracker]]\nid = \"a\"\nowner = \"\"\ncategory = \"ads\"",
            7,
            "another entry",
        ),
    ] {
        let error = parse_catalog(&entry(lines)).unwrap_err();
        assert_eq!(error.line, line, "{lines}: {error}");
        assert!(error.reason.contains(reason), "{lines}: {error}");
    }
    let braces = "{a,b,c}".repeat(4);
    let text = entry(&format!(
        "id = \"a\"\ncategory = \"ads\"\nevents = [\"POST * /{braces}\"]"
    ));
    assert!(
        parse_catalog(&text)
            .unwrap_err()
            .reason
            .contains("more than 64")
    );
    for end in 0..text.len() {
        drop(parse_catalog(&text[..end]));
    }
}
