//! The checker finds every breach, and nothing else.

use super::*;

const DOCS: &str = "//! Docs.\n";

fn check(path: &str, code: &str, expected: &[&str]) {
    let problems = source_problems(path, &format!("{DOCS}{code}"));
    assert_eq!(problems.len(), expected.len(), "{path}: {problems:?}");
    for (problem, part) in problems.iter().zip(expected) {
        assert!(problem.contains(part), "{problem} does not say {part}");
    }
}

#[test]
fn the_tree_keeps_every_rule_that_it_can_break() {
    for rule in RULES {
        for prefix in rule.within {
            for name in rule.names {
                let path = format!("{prefix}/x.rs");
                let found = source_problems(&path, &format!("{DOCS}use {name}::Thing;\n"));
                assert!(
                    found.iter().any(|p| p.contains(rule.reason)),
                    "{path} may name {name}"
                );
            }
        }
    }
}

#[test]
fn only_the_probe_names_aya() {
    check(
        "monitor/src/probe/ring.rs",
        "use aya::Ebpf;\nunsafe {}\n",
        &[],
    );
    check(
        "monitor/src/command/run.rs",
        "use aya::Ebpf;\n",
        &["run.rs:2: names `aya`"],
    );
    check("monitor-ebpf/src/main.rs", "use aya_ebpf::maps;\n", &[]);
}

#[test]
fn the_core_is_pure() {
    check(
        "monitor/src/pipeline.rs",
        "let t = Instant::now();\n",
        &["no clock"],
    );
    check(
        "monitor/src/http/h1.rs",
        "use std::{fs, io};\n",
        &["no files"],
    );
    check(
        "monitor/src/stream/mod.rs",
        "tracing::warn!(x);\n",
        &["nor logs"],
    );
    check(
        "monitor/src/alert/journal.rs",
        "use std::fs;\nlet t = Instant::now();\n",
        &[],
    );
    // A name that only begins like a stage is no stage.
    check("monitor/src/eventual.rs", "use std::fs;\n", &[]);
}

#[test]
fn comments_strings_and_tests_are_no_code() {
    check(
        "monitor/src/finding.rs",
        "// no tokio\n/// nor prometheus\nlet a = 1;\n",
        &[],
    );
    check(
        "monitor/src/finding.rs",
        "let a = \"tokio \\\" fs\"; let b = '\"'; // fs\n",
        &[],
    );
    check(
        "monitor/src/finding.rs",
        "let a = \"first\ntokio second\";\nlet b = 1;\n",
        &[],
    );
    check(
        "monitor/src/finding.rs",
        "#[cfg(test)]\nmod tests { use std::fs; }\n",
        &[],
    );
    check("monitor/src/http/h1/tests.rs", "use std::fs;\n", &[]);
    check(
        "monitor/src/finding.rs",
        "let a = '\\'; use tokio;\n",
        &["`tokio`"],
    );
}

#[test]
fn every_file_has_docs_a_name_and_an_end() {
    assert_eq!(
        source_problems("monitor/src/event.rs", "use std::fmt;\n").len(),
        1
    );
    assert!(
        source_problems(
            "a.rs",
            "// SPDX-License-Identifier: MIT\n#![no_std]\n//! Docs.\n"
        )
        .is_empty()
    );
    assert!(!source::has_module_docs(""));
    check("monitor/src/utils.rs", "", &["says nothing"]);
    check("monitor/src/http/helpers/x.rs", "", &["says nothing"]);
}

#[test]
fn what_follows_an_item_of_tests_is_code() {
    check(
        "monitor/src/finding/mod.rs",
        "#[cfg(test)]\nmod tests;\nuse std::fs;\n",
        &["rs:4: names `fs`"],
    );
    check(
        "monitor/src/finding/mod.rs",
        "#[cfg(test)]\nfn a() {\n    fs();\n}\nlet a = r#\"a \"fs\" b\"#; fs();\n",
        &["rs:6: names `fs`"],
    );
}

#[test]
fn only_code_is_long() {
    let repeated = |line: &str| reminder("a.rs", &line.repeat(MAX_LINES + 1));
    assert!(repeated("let a = 1;\n").is_some());
    for line in ["\n", "// prose\n", "/// Docs.\n", "\"text\",\n", "}\n"] {
        assert!(repeated(line).is_none(), "{line}");
    }
    let table = format!(
        "const A: &[u8] = &[\n{}];\n",
        "    b(1),\n".repeat(MAX_LINES + 1)
    );
    assert!(reminder("a.rs", &table).is_none());
    let tests = format!(
        "#[cfg(test)]\nmod tests {{\n{}}}\n",
        "a();\n".repeat(MAX_LINES + 1)
    );
    assert!(reminder("a.rs", &tests).is_none());
}

#[test]
fn a_folder_holds_its_module() {
    let root = Path::new("/r");
    for (files, count) in [
        (&["/r/a/mod.rs", "/r/a/b.rs"][..], 0),
        (&["/r/a.rs", "/r/a/b.rs"], 1),
        (&["/r/a.rs", "/r/ab/b.rs"], 0),
        (&["/r/a.rs", "/r/a/b/c.rs", "/r/a/b.rs"], 2),
    ] {
        let files: Vec<_> = files.iter().map(PathBuf::from).collect();
        assert_eq!(style_problems(root, &files).len(), count, "{files:?}");
    }
}

const LIB: &str = "//! Docs with a [`link`].
//!
//! 1. [`event`] comes first, version 1. It is
//!    said in two lines, which name [`probe`].
//! 2. [`stream`] and [`http`] of [`secret::Secret`].
//!
//! - Uses what is above, and the leaves `loss` and
//!   `secret`. Not [`later`].

pub mod loss;
mod secret;
pub mod event;
pub mod probe;
pub mod stream;
pub mod http;
";

#[test]
fn the_order_of_rooms_is_what_lib_says() {
    let check = |lib: &str, expected: &[&str]| {
        let layers = Layers::new(lib);
        let problems = layers.problems();
        assert_eq!(problems.len(), expected.len(), "{problems:?}");
        for (problem, part) in problems.iter().zip(expected) {
            assert!(problem.contains(part), "{problem}");
        }
    };
    check(LIB, &[]);
    check(&LIB.replace("mod http;", "mod h2;"), &["`h2`", "`http`"]);
    check(
        &LIB.replace("stream;\npub mod http;", "http;\npub mod stream;"),
        &["loss, secret, event, probe, stream, http"],
    );
}

#[test]
fn no_arrow_goes_up() {
    let layers = Layers::new(LIB);
    let check = |path: &str, code: &str, expected: &[&str]| {
        let problems = layers.arrows_up(path, code);
        assert_eq!(problems.len(), expected.len(), "{path}: {problems:?}");
        for (problem, part) in problems.iter().zip(expected) {
            assert!(problem.contains(part), "{problem}");
        }
    };
    check(
        "monitor/src/stream/mod.rs",
        "use crate::event::Event;\n",
        &[],
    );
    check("monitor/src/stream/a/b.rs", "use crate::stream::B;\n", &[]);
    check(
        "monitor/src/stream.rs",
        "let a = 1;\nlet b = crate::http::b();\n",
        &["stream.rs:2: `stream` uses `http`"],
    );
    check(
        "monitor/src/event/mod.rs",
        "pub(crate) use crate::{\n    loss::{self, http},\n    secret, stream::Stream,\n};\n",
        &["mod.rs:3: `event` uses `stream`"],
    );
    check(
        "monitor/src/loss.rs",
        "use crate::secret;\n",
        &["`loss` uses `secret`"],
    );
    for (path, code) in [
        ("monitor/src/event/tests.rs", "use crate::stream;\n"),
        (
            "monitor/src/event/mod.rs",
            "#[cfg(test)]\nuse crate::stream;\n",
        ),
        ("monitor/src/event/mod.rs", "// crate::stream\n"),
        ("monitor/src/main.rs", "use crate::stream;\n"),
        ("tests/src/event.rs", "use crate::stream;\n"),
    ] {
        check(path, code, &[]);
    }
}

/// A tree with one file and one type.
struct Small;

impl architecture::Tree for Small {
    fn exists(&self, path: &str) -> bool {
        path == "docs/a.md"
    }

    fn declares(&self, room: &str, name: &str) -> bool {
        (room, name) == ("event", "Event")
    }
}

#[test]
fn the_page_on_the_architecture_is_held_to_the_tree() {
    let rooms = ["event".to_owned()];
    let row = "| `event` | is `docs/a.md` | `Event` |\n";
    for (text, expected) in [
        (row.to_owned(), &[][..]),
        (String::new(), &["in their order: event"]),
        (row.repeat(2), &["in their order: event"]),
        (row.replace("`Event`", "`Even`"), &["no type `Even`"]),
        (format!("{row}`docs/b.md` `a / b`"), &["no docs/b.md"]),
    ] {
        let problems = architecture::problems("page", &text, &rooms, &Small);
        assert_eq!(problems.len(), expected.len(), "{text}: {problems:?}");
        for (problem, part) in problems.iter().zip(expected) {
            assert!(problem.contains(part), "{problem}");
        }
    }
}

#[test]
fn members_inherit_lints() {
    assert!(
        manifest_problems("a", "[package]\nname = 1\n\n[lints]\nworkspace = true\n").is_empty()
    );
    for breach in [
        "[package]\nlints.workspace = 1\n",
        "[lints]\n\n[dependencies]\nworkspace = true\n",
    ] {
        assert_eq!(manifest_problems("a", breach).len(), 1, "{breach}");
    }
}
