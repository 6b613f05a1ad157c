//! The checker finds what it must find, and nothing else.

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
    check("monitor/src/a.rs", &"\n".repeat(MAX_LINES), &["501 lines"]);
    check("monitor/src/a.rs", &"\n".repeat(MAX_LINES - 1), &[]);
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
