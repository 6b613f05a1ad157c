//! Mistakes against their messages.

use super::{Filter, vocabulary};

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
#[expect(clippy::too_many_lines, reason = "a table of mistakes")]
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
