//! The filters of the command line against one finding.

use super::{Filter, Selection, Severity, finding, parse_time, vocabulary};

#[test]
#[expect(clippy::too_many_lines, reason = "a table of filters")]
fn selections() {
    let named = |name: &str| vec![name.to_owned()];
    let time = |text| parse_time(text).unwrap();
    let check = |selection: Selection, expected: bool| {
        assert_eq!(selection.matches(&finding()), expected, "{selection:?}");
    };
    check(Selection::default(), true);
    assert!(Selection::default().is_empty());
    for (since, expected) in [
        ("2026-11-24", true),
        ("2026-11-24T02:41:03.123456789Z", true),
        ("2026-11-24T02:41:03.123456790Z", false),
        ("2026-11-25", false),
    ] {
        let since = Some(time(since).first);
        check(
            Selection {
                since,
                ..Selection::default()
            },
            expected,
        );
    }
    for (until, expected) in [
        ("2026-11-24", true),
        ("2026-11-24T02:41:03.123456789Z", true),
        ("2026-11-24T02:41:03.123456788Z", false),
        ("2026-11-23", false),
    ] {
        let until = Some(time(until).last);
        check(
            Selection {
                until,
                ..Selection::default()
            },
            expected,
        );
    }
    for (name, expected) in [
        ("4711", true),
        ("471", false),
        ("php-fpm", true),
        ("php*", true),
        ("php", false),
        ("/usr/sbin/php-fpm8.4", true),
        ("php-fpm8.4", true),
        ("shop.service", true),
        ("shop", true),
        ("web shop", true),
    ] {
        let processes = named(name);
        check(
            Selection {
                processes,
                ..Selection::default()
            },
            expected,
        );
    }
    for (name, expected) in [
        ("facebook.com", true),
        (".facebook.com", true),
        ("*.facebook.com", true),
        ("graph.facebook.com", true),
        ("FACEBOOK.com", true),
        ("book.com", false),
        ("com", true),
        ("example.com", false),
    ] {
        let hosts = named(name);
        check(
            Selection {
                hosts,
                ..Selection::default()
            },
            expected,
        );
    }
    for (classes, expected) in [(vec!["ssn", "condition"], true), (vec!["ssn"], false)] {
        let classes = classes.into_iter().map(str::to_owned).collect();
        check(
            Selection {
                classes,
                ..Selection::default()
            },
            expected,
        );
    }
    for (severity, expected) in [(Severity::High, true), (Severity::Critical, false)] {
        let severity = Some(severity);
        check(
            Selection {
                severity,
                ..Selection::default()
            },
            expected,
        );
    }
    let trackers = named("tiktok");
    check(
        Selection {
            trackers,
            ..Selection::default()
        },
        false,
    );
    let filter = Filter::parse("status == 404", &vocabulary()).ok();
    check(
        Selection {
            filter,
            ..Selection::default()
        },
        false,
    );
}

#[test]
fn a_container_is_known_by_the_beginning_of_its_id() {
    let mut finding = finding();
    finding.process.container = Some("0123456789abcdef".to_owned());
    for (name, expected) in [("012345", true), ("01234", false), ("123456", false)] {
        let processes = vec![name.to_owned()];
        let selection = Selection {
            processes,
            ..Selection::default()
        };
        assert_eq!(selection.matches(&finding), expected, "{name}");
    }
}
