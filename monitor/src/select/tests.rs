//! Expressions against one finding, mistakes against their messages, and every
//! prefix of everything.

use super::*;
use crate::{
    finding::{
        EvidenceRecord, FieldRecord, Kind, PeerRecord, ProcessRecord, RecipientRecord,
        RequestRecord, SCHEMA, Severity,
    },
    tracker::Catalog,
};

fn finding() -> Finding {
    let field = |class, form, path: &str, rule| FieldRecord {
        class,
        form,
        path: path.to_owned(),
        rule,
        masked: "a…".to_owned(),
        token: format!("{path}-token"),
        labels: vec!["unhashed"],
    };
    Finding {
        schema: SCHEMA,
        id: "5d41402abc4b2a76b9719d911017c592".to_owned(),
        time: "2026-11-24T02:41:03.123456789Z".to_owned(),
        kind: Kind::Request,
        severity: Severity::High,
        why: "Because.".to_owned(),
        labels: vec!["attempted"],
        recipient: RecipientRecord {
            tracker: "meta".into(),
            owner: "Meta Platforms".into(),
            category: "ads",
            host: "graph.facebook.com".to_owned(),
            matched_by: "host+path",
        },
        identifiers: vec!["email", "ip"],
        health: vec!["condition"],
        fields: vec![
            field("email", "sha256", "body.em", "email.key.hash"),
            field("condition", "plain", "query.q", "condition.key"),
        ],
        request: Some(RequestRecord {
            method: "POST".to_owned(),
            host: None,
            path: "/v26.0/{id}/events".to_owned(),
            protocol: "http/1.1",
            status: Some(200),
            bytes: 20_480,
            body_bytes: 20_000,
        }),
        process: ProcessRecord {
            pid: Some(4711),
            exe: Some("/usr/sbin/php-fpm8.4".to_owned()),
            comm: Some("php-fpm".to_owned()),
            cgroup: Some("/system.slice/shop.service".to_owned()),
            container: None,
            unit: Some("shop.service".to_owned()),
            service: Some("web shop".to_owned()),
        },
        peer: PeerRecord {
            addr: Some("192.0.2.1:443".to_owned()),
            sni: Some("graph.facebook.com".to_owned()),
            host_source: "host-header",
        },
        source: "openssl",
        completeness: "complete",
        person: Some("0123456789abcdef".to_owned()),
        people: None,
        states: Vec::new(),
        evidence: Some(EvidenceRecord {
            file: "a.pcapng".to_owned(),
            packet: 12,
        }),
    }
}

fn vocabulary() -> Vocabulary {
    Vocabulary::of([&Catalog::builtin()])
}

fn check(text: &str, expected: bool) {
    let filter = Filter::parse(text, &vocabulary()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(filter.matches(&finding()), expected, "{text}");
    let negated = Filter::parse(&format!("not ({text})"), &vocabulary()).unwrap();
    assert_eq!(negated.matches(&finding()), !expected, "not ({text})");
}

/// Expressions that this finding fits.
const FITTING: &[&str] = &[
    "severity >= high",
    "severity == High",
    "severity < critical and severity > medium",
    "severity in [low, high]",
    "severity != low",
    "kind == request",
    "tracker == meta",
    "tracker in [tiktok, meta]",
    "tracker not in [tiktok]",
    "tracker != tiktok",
    "owner == \"Meta Platforms\"",
    "owner == 'meta platforms'",
    "owner contains platform",
    "category == ads",
    "host == graph.facebook.com",
    "host =~ *.facebook.com",
    "host !~ *.example.com",
    "host contains 'facebook'",
    "host not contains 'twitter'",
    "page_host == none",
    "method == POST",
    "path =~ /v*/events",
    "path == \"/v26.0/{id}/events\"",
    "protocol == http/1.1",
    "status == 200",
    "status >= 200 and status < 300",
    "status in [200, 204]",
    "status != none",
    "bytes > 20kB",
    "bytes >= 20KiB",
    "bytes == 20480",
    "bytes < 1MB",
    "time == 2026-11-24",
    "time == 2026-11-24T02:41Z",
    "time == 2026-11-24T02:41:03Z",
    "time == 2026-11-24T03:41:03.123456789+01:00",
    "time >= 2026-11-24 and time <= 2026-11-24",
    "time > 2026-11-23",
    "time < 2026-11-25",
    "time < \"2026-11-24 02:42\"",
    "time >= 2026-11-24T00:00Z + 2h and time < 2026-11-24T00:00Z + 3h",
    "time < 2026-11-25T02:41Z - 1h + 90s",
    "time in [2026-11-23, 2026-11-24]",
    "body_bytes > 0",
    "state has OH",
    "state in [oh, pa]",
    "pid == 4711",
    "exe =~ */php-fpm*",
    "exe == /usr/sbin/php-fpm8.4",
    "comm == php-fpm",
    "cgroup =~ /system.slice/*",
    "container == none",
    "container is none",
    "container != abc",
    "unit == shop.service",
    "service == \"web shop\"",
    "peer == 192.0.2.1:443",
    "sni =~ graph.*",
    "class has email",
    "class contains condition",
    "class not has ssn",
    "class has any [ssn, email]",
    "class has all [ip, email, condition]",
    "class in [ssn, condition]",
    "class =~ cond*",
    "class != none",
    "identifiers has ip",
    "health has condition",
    "health not has lab or identifiers has email",
    "form has sha256",
    "rule has email.key.hash",
    "rule =~ email.*",
    "field has body.em",
    "field =~ body.*",
    "token has body.em-token",
    "label has attempted",
    "label has unhashed",
    "source == openssl",
    "completeness == complete",
    "person == 0123456789abcdef",
    "people == none",
    "id =~ 5d41*",
    "file == a.pcapng",
    "packet == 12",
    "not severity == low",
    "!severity == low",
    "! (severity == low) && tracker == meta || tracker == tiktok",
    "severity == low or tracker == meta and status == 200",
    "(severity == low or tracker == meta) AND NOT status == 404",
    "((((severity==high))))",
    "tracker==meta&&severity>=low",
];

const OTHERS: &[&str] = &[
    "severity > high",
    "severity <= medium",
    "severity in [low, info]",
    "tracker == tiktok",
    "tracker not in [meta]",
    "host =~ facebook.com",
    "host == facebook.com",
    "status == 404",
    "status == none",
    "status != 200",
    "bytes > 1MiB",
    "time < 2026-11-24",
    "time > 2026-11-24",
    "time > 2026-11-24T02:41Z",
    "time in [2026-11-25]",
    "container =~ *",
    "people > 0",
    "people < 1",
    "page_host contains a",
    "class has ssn",
    "class has all [email, ssn]",
    "class has any [ssn, mrn]",
    "identifiers has email and health has procedure",
    "health == none",
    "(severity == low or tracker == meta) and status == 404",
];

#[test]
fn expressions() {
    for text in FITTING {
        check(text, true);
    }
    for text in OTHERS {
        check(text, false);
    }
}

#[test]
fn every_field_has_an_expression() {
    for subject in SUBJECTS {
        let is_asked = FITTING.iter().any(|text| {
            text.trim_start_matches(['!', '(', ' '])
                .strip_prefix(subject.name)
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        });
        assert!(is_asked, "{}", subject.name);
        assert!(help().contains(&format!("\n  {:<13} ", subject.name)));
    }
}

fn wrong(text: &str, message: &str, place: &str, help: &str) {
    let error = Filter::parse(text, &vocabulary()).unwrap_err();
    let marked = &text[error.position..error.position + error.length];
    assert!(error.message.contains(message), "{text}: {error}");
    assert_eq!(marked, place, "{text}: {error}");
    assert!(error.help.contains(help), "{text}: {error}");
    if help.is_empty() {
        assert_eq!(error.help, "", "{text}");
    }
}

#[test]
fn mistakes_are_explained() {
    for (text, message, place, help) in [
        ("", "is empty", "", "severity >= high"),
        ("  ", "is empty", "", "severity >= high"),
        (
            "trakcer == meta",
            "no field `trakcer`",
            "trakcer",
            "did you mean `tracker`?",
        ),
        ("severtiy >= high", "no field", "severtiy", "`severity`"),
        ("xyzzyx == 1", "no field", "xyzzyx", "--filter help"),
        (
            "high <= severity",
            "no field `high`",
            "high",
            "the field comes first",
        ),
        (
            "\"meta\" == tracker",
            "where a field should",
            "\"meta\"",
            "comes first",
        ),
        ("severity", "operator is missing", "", "== != < <= > >= in"),
        ("severity high", "operator is missing", "high", "== != <"),
        ("severity = high", "`=` is no operator", "=", "write `==`"),
        ("severity >= hgih", "no severity `hgih`", "hgih", "`high`"),
        (
            "severity >= 5",
            "no severity `5`",
            "5",
            "one of info, low, medium",
        ),
        ("severity >=", "a value to compare `severity`", "", ""),
        ("severity >= high and", "a test is missing", "", ""),
        (
            "severity >= high tracker == meta",
            "could end here",
            "tracker",
            "`and` or `or`",
        ),
        (
            "severity =~ hi*",
            "is a severity, which has no such",
            "=~",
            "== != <",
        ),
        ("severity == none", "always there", "none", ""),
        ("tracker == mtea", "no tracker `mtea`", "mtea", "`meta`"),
        (
            "tracker == zzzzzzzz",
            "no tracker",
            "zzzzzzzz",
            "`phiwatch trackers`",
        ),
        ("tracker == me*", "is a pattern", "me*", "tracker =~ me*"),
        (
            "tracker > meta",
            "is a text, which has no such",
            ">",
            "== != =~",
        ),
        (
            "tracker in meta",
            "a list is missing",
            "meta",
            "[meta, tiktok]",
        ),
        ("tracker in [meta", "`,` or `]`", "", ""),
        ("tracker in [meta tiktok]", "`,` or `]`", "tiktok", ""),
        ("tracker in []", "a value to compare", "]", ""),
        ("tracker == [meta]", "not a list", "[", "in [..]"),
        (
            "tracker not meta",
            "`in`, `has` or `contains`",
            "meta",
            "not tracker",
        ),
        ("class == email", "is a set", "==", "class has email"),
        ("class has emial", "no class `emial`", "emial", "`email`"),
        (
            "class has [email]",
            "all needed or is one enough",
            "[",
            "has any",
        ),
        (
            "status == ok",
            "is a number, and this is none",
            "ok",
            "status >= 400",
        ),
        (
            "status == \"2OO\"",
            "is a number",
            "\"2OO\"",
            "status >= 400",
        ),
        (
            "status =~ 2*",
            "is a number, which has no such",
            "=~",
            "== != <",
        ),
        ("bytes > 10 kB", "could end here", "kB", "join two tests"),
        (
            "bytes > 99999999999999999999",
            "is a number",
            "99999999999999999999",
            "10kB",
        ),
        (
            "bytes > 99999999999999999GB",
            "is a number",
            "99999999999999999GB",
            "10kB",
        ),
        ("time > 2h", "a duration is no time", "2h", "+ 2h"),
        (
            "time > yesterday",
            "this is no time",
            "yesterday",
            "2026-11-24",
        ),
        ("time > 2026-11-24 + 2", "this is no duration", "2", "90s"),
        (
            "host =~ ^graph.*",
            "looks like a regular",
            "^graph.*",
            "pattern",
        ),
        (
            "host =~ \"a|b\"",
            "looks like a regular",
            "\"a|b\"",
            "pattern",
        ),
        ("rule has email.kye", "no rule", "email.kye", "`email.key`"),
        ("kind == pages", "no kind `pages`", "pages", "`page`"),
        ("(severity >= high", "never closed", "(", ""),
        ("severity >= high)", "never opened", ")", ""),
        ("host =~ '.*\\.com'", "after a backslash", "\\.", ""),
        (
            "(severity >= high tracker == meta)",
            "closing parenthesis",
            "tracker",
            "",
        ),
        (
            "severity >= high & tracker == meta",
            "one sign",
            "&",
            "`and`",
        ),
        ("and severity >= high", "no field `and`", "and", ""),
        ("tracker == \"meta", "does not end", "\"", ""),
        ("tracker == \"me\\ta\\q\"", "after a backslash", "\\q", ""),
        ("tracker == me;ta", "means nothing", ";", "quotes"),
        (
            "severity >= high § tracker == meta",
            "means nothing",
            "§",
            "quotes",
        ),
    ] {
        if text == "host =~ ^graph.*" {
            // A caret is no part of a word; quoted, it is seen for what it is.
            wrong(text, "means nothing", "^", "quotes");
            wrong("host =~ '^graph'", message, "'^graph'", help);
            continue;
        }
        if text == "and severity >= high" {
            let error = Filter::parse(text, &vocabulary()).unwrap_err();
            assert!(error.message.contains(message), "{error}");
            continue;
        }
        wrong(text, message, place, help);
    }
}

#[test]
fn a_mark_stands_below_the_mistake() {
    let error = Filter::parse("host == ä.example.com and trakcer == meta", &vocabulary());
    assert_eq!(
        error.unwrap_err().to_string(),
        "there is no field `trakcer`, at character 27\n\
         \u{20} host == ä.example.com and trakcer == meta\n\
         \u{20}                           ^^^^^^^ did you mean `tracker`?"
    );
    let long = format!("{}trakcer == meta", "severity >= high and ".repeat(40));
    let error = Filter::parse(&long, &vocabulary()).unwrap_err().to_string();
    let lines: Vec<&str> = error.lines().collect();
    assert!(
        lines.iter().all(|line| line.chars().count() < 160),
        "{error}"
    );
    let column = lines[2].find('^').unwrap();
    let under: String = lines[1].chars().skip(column).take(7).collect();
    assert_eq!(under, "trakcer", "{error}");
    let error = Filter::parse("\u{1b}[31m == 1", &vocabulary()).unwrap_err();
    assert!(!error.to_string().contains('\u{1b}'));
}

#[test]
fn length_and_depth_have_limits() {
    let deep = |levels: usize| {
        let (open, close) = ("(".repeat(levels), ")".repeat(levels));
        Filter::parse(&format!("{open}severity >= high{close}"), &vocabulary())
    };
    assert!(deep(MAX_DEPTH - 1).is_ok());
    assert!(deep(MAX_DEPTH).unwrap_err().message.contains("levels"));
    assert!(deep(4_000).unwrap_err().message.contains("levels"));
    let negated = format!("{}severity >= high", "not ".repeat(1_000));
    assert!(Filter::parse(&negated, &vocabulary()).is_err());
    let wide = "severity >= high or ".repeat(300) + "severity == low";
    assert!(Filter::parse(&wide, &vocabulary()).is_ok());
    let long = "severity >= high or ".repeat(1_000);
    let error = Filter::parse(&long, &vocabulary()).unwrap_err();
    assert!(error.message.contains("longer"), "{error}");
    assert!(error.to_string().len() < 1_000);
}

#[test]
fn every_prefix_ends_well() {
    let vocabulary = vocabulary();
    let strange = [
        "tracker == \"\\",
        "[(!",
        "time > 2026-11-24T02:41:03.€",
        "a\0b",
        "+ - +",
    ];
    for text in FITTING.iter().chain(OTHERS).chain(&strange) {
        for (end, _) in text.char_indices() {
            match Filter::parse(&text[..end], &vocabulary) {
                Ok(filter) => drop(filter.matches(&finding())),
                Err(error) => {
                    assert!(error.position <= end, "{}", &text[..end]);
                    assert!(!error.to_string().is_empty());
                }
            }
        }
    }
}

#[test]
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
