//! Tests of the configuration.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

const SHIPPED: &str = include_str!("../../../packaging/phiwatch.toml");

/// Asserts the whole text of the error.
fn check(text: &str, expected: &str) {
    let error = Config::parse(text, Path::new("p.toml")).unwrap_err();
    assert_eq!(error.to_string(), expected, "in {text:?}");
}

#[test]
fn keys_that_are_not_known() {
    check(
        "[listen]\nadress = \"127.0.0.1:1\"\n",
        "p.toml:2:1: listen.adress: this key is not known here; known are: address; \
         did you mean address?",
    );
    check(
        "[journal]\nfile = \"-\"\n  findings_per_secund = 1\n",
        "p.toml:3:3: journal.findings_per_secund: this key is not known here; known are: \
         file, max_bytes, keep, findings_per_second; did you mean findings_per_second?",
    );
    check(
        "[ring]\nsize = 1\n",
        "p.toml:2:1: ring.size: this key is not known here; known are: data_bytes, control_bytes",
    );
    check(
        "[jurnal]\nfile = \"-\"\n",
        "p.toml:1:2: jurnal: this key is not known here; known are: scope, listen, journal, \
         capture, ring, overhead, state, trackers, policy, service, canary; did you mean journal?",
    );
    check(
        "ring.data_byte = 65536\n",
        "p.toml:1:6: ring.data_byte: this key is not known here; known are: data_bytes, \
         control_bytes; did you mean data_bytes?",
    );
    check(
        "ring = { data_byte = 65536 }\n",
        "p.toml:1:10: ring.data_byte: this key is not known here; known are: data_bytes, \
         control_bytes; did you mean data_bytes?",
    );
}

#[test]
fn values_that_are_not_valid() {
    let ring = "must be a power of two from 65536 to 1073741824";
    let absolute = "must be an absolute path";
    for (section, line, column, message) in [
        ("ring", "data_bytes = 100000", 14, ring),
        ("ring", "data_bytes = 32768", 14, ring),
        ("ring", "control_bytes = 0", 17, ring),
        ("ring", "data_bytes = 2147483648", 14, ring),
        (
            "listen",
            "address = \"localhost:1\"",
            11,
            "must be an IP address and a port, like 127.0.0.1:9765 or [::1]:9765",
        ),
        ("state", "directory = \"var\"", 13, absolute),
        ("capture", "directory = \"\"", 13, absolute),
        ("capture", "max_bytes = 1", 13, "must be at least 1048576"),
        ("capture", "max_age_days = 0", 16, "must be at least 1"),
        ("capture", "segment_bytes = 9", 17, "must be at least 65536"),
        ("capture", "segment_seconds = 0", 19, "must be at least 1"),
        (
            "capture",
            "sync = \"never\"",
            8,
            "must be \"second\", \"segment\" or \"write\"",
        ),
        (
            "capture",
            "recipients = [\"ann\"]",
            14,
            "not an age recipient (age1…): invalid Bech32 encoding",
        ),
        ("capture", "sign_key = \"k\"", 12, absolute),
        ("scope", "cgroup = \"a\"", 10, absolute),
        (
            "scope",
            "exe = [\"/a\", \"b\"]",
            7,
            "must be absolute paths",
        ),
        (
            "scope",
            "pid = []",
            7,
            "must name at least one; leave the key out to watch them all",
        ),
        (
            "scope",
            "exe = []",
            7,
            "must name at least one; leave the key out to watch them all",
        ),
        ("scope", "cgroup = \"\"", 10, absolute),
        (
            "scope",
            "pid = [1, 0]",
            7,
            "must be process ids, which begin at 1",
        ),
        (
            "journal",
            "file = \"f\"",
            8,
            "must be an absolute path, or \"-\" for standard output",
        ),
        ("journal", "keep = 0", 8, "must be from 1 to 1000"),
        ("journal", "max_bytes = 65535", 13, "must be at least 65536"),
        (
            "journal",
            "findings_per_second = 0",
            23,
            "must be at least 1",
        ),
    ] {
        let key = line.split(' ').next().unwrap();
        check(
            &format!("# é\n[{section}]\n{line}\n"),
            &format!("p.toml:3:{column}: {section}.{key}: {message}"),
        );
    }
}

#[test]
fn values_of_the_wrong_type_are_not_repeated() {
    check(
        "[journal]\nkeep = \"hunter2, \\\"expected\"\n",
        "p.toml:2:8: journal.keep: invalid type: string, expected u32",
    );
    check(
        "[scope]\npid = [\n  1,\n  \"hunter2\",\n]\n",
        "p.toml:4:3: scope.pid: invalid type: string, expected u32",
    );
    check(
        "[journal]\nkeep = -1\n",
        "p.toml:2:8: journal.keep: invalid value: integer, expected u32",
    );
}

#[test]
fn text_that_is_no_toml_has_a_place() {
    for (text, place) in [
        ("[scope\n", "p.toml:1:7: "),
        ("a = 1\na = 2\n", "p.toml:2:1: "),
    ] {
        let error = Config::parse(text, Path::new("p.toml"))
            .unwrap_err()
            .to_string();
        assert!(error.starts_with(place), "{error}");
    }
    // A password that was pasted into the file must not appear in the error.
    let error = Config::parse("[state]\npassword hunter2\n", Path::new("p")).unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[test]
fn every_prefix_of_the_shipped_file_parses_or_has_a_place() {
    for end in (0..SHIPPED.len()).filter(|end| SHIPPED.is_char_boundary(*end)) {
        if let Err(error) = Config::parse(&SHIPPED[..end], Path::new("p")) {
            let text = error.to_string();
            assert!(
                text.starts_with("p:") && text.split(':').count() >= 4,
                "{text}"
            );
        }
    }
}

#[test]
fn the_shipped_file_is_the_default() {
    assert_eq!(
        Config::parse(SHIPPED, Path::new("p")).unwrap(),
        Config::default()
    );
}

/// The shipped file with its commented examples made active.
fn uncommented() -> String {
    SHIPPED
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if rest.split_once(" = ").is_some_and(|(key, _)| is_key(key)) => rest,
            Some(rest) if rest.starts_with("[[") => rest,
            _ => line,
        })
        .flat_map(|line| [line, "\n"])
        .collect()
}

fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[test]
fn the_shipped_file_shows_every_key() {
    let text = uncommented();
    let config = Config::parse(&text, Path::new("p")).unwrap();
    assert_eq!(
        config.scope.cgroup,
        Some(PathBuf::from("/sys/fs/cgroup/system.slice/shop.service"))
    );
    assert!(config.capture.directory.is_some());

    let shown: BTreeMap<String, toml::Value> = toml::from_str(&text).unwrap();
    // The parser itself says which keys there are.
    let known = |text: &str| -> BTreeSet<String> {
        let error = toml::from_str::<Config>(text).unwrap_err();
        error
            .message()
            .split('`')
            .skip(3)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(
        shown.keys().cloned().collect::<BTreeSet<_>>(),
        known("no_such_key = 1")
    );
    for (section, keys) in &shown {
        let (keys, header) = match keys {
            toml::Value::Array(items) => (items[0].as_table().unwrap(), format!("[[{section}]]")),
            table => (table.as_table().unwrap(), format!("[{section}]")),
        };
        let expected = known(&format!("{header}\nno_such_key = 1"));
        assert_eq!(
            keys.keys().cloned().collect::<BTreeSet<_>>(),
            expected,
            "{section}"
        );
    }
}

#[test]
fn files_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.toml");
    let load = || Config::load(Some(&path));
    assert!(matches!(load(), Err(ConfigError::Read { .. })));
    std::fs::write(&path, b"\xff").unwrap();
    assert!(matches!(load(), Err(ConfigError::Read { .. })));
    std::fs::write(&path, "#".repeat(MAX_FILE_BYTES as usize)).unwrap();
    assert_eq!(load().unwrap(), Config::default());
    std::fs::write(&path, "#".repeat(MAX_FILE_BYTES as usize + 1)).unwrap();
    assert!(matches!(load(), Err(ConfigError::Read { .. })));
}

#[test]
fn journal_arguments() {
    assert_eq!(
        JournalTarget::from_argument(Path::new("-")),
        JournalTarget::Stdout
    );
    let JournalTarget::File(path) = JournalTarget::from_argument(Path::new("a/b")) else {
        panic!("not a file");
    };
    assert!(path.is_absolute() && path.ends_with("a/b"));
}
