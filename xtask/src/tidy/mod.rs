//! `tidy`: the rules of the source tree that no compiler checks.
//!
//! What a stage never names it cannot depend on: see [`RULES`]. The order of the
//! rooms is read from the documentation of `monitor/src/lib.rs`: see [`layers`];
//! the page on the architecture is held to it: see [`architecture`].
//! Length is a reminder and fails nothing.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use self::layers::Layers;
use crate::workspace;

mod architecture;
mod layers;
mod source;
#[cfg(test)]
mod tests;

/// Lines of code from which on a file may have a second noun in it. Data, prose
/// and tests do not count.
const MAX_LINES: usize = 500;

/// What documents the order of the rooms.
const STORY: &str = "monitor/src/lib.rs";

/// The page for new readers.
const PAGE: &str = "docs/architecture.md";

/// Names that collect whatever has no home.
const HOMELESS: &[&str] = &["common", "utils", "util", "helpers", "helper", "misc"];

/// The folders of the workspace's members.
const MEMBERS: &[&str] = &["corpus", "monitor", "monitor-ebpf", "tests", "xtask"];

/// From event to finding: no clock, file, socket, log or runtime.
const CORE: &[&str] = &[
    "monitor/src/event",
    "monitor/src/message",
    "monitor/src/record",
    "monitor/src/stream",
    "monitor/src/http",
    "monitor/src/field",
    "monitor/src/phi",
    "monitor/src/tracker",
    "monitor/src/finding",
    "monitor/src/pipeline",
    "monitor/src/export",
    "monitor/src/report",
];

/// Names that must not stand in a part of the tree.
struct Rule {
    /// Paths that the rule holds for, as prefixes of a file or folder name.
    within: &'static [&'static str],
    /// Paths below those that it does not hold for.
    except: &'static [&'static str],
    /// Identifiers that must not be named.
    names: &'static [&'static str],
    /// Why not.
    reason: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        within: &["monitor/src"],
        except: &["monitor/src/probe"],
        names: &["aya", "aya_log", "aya_obj"],
        reason: "only probe/ knows the kernel",
    },
    Rule {
        within: &["monitor/src"],
        except: &["monitor/src/probe"],
        names: &["unsafe"],
        reason: "only probe/ may have to be unsafe",
    },
    Rule {
        within: CORE,
        except: &[],
        names: &[
            "fs",
            "File",
            "env",
            "rustix",
            "TcpStream",
            "TcpListener",
            "UdpSocket",
        ],
        reason: "the core has no files and no sockets",
    },
    Rule {
        within: CORE,
        except: &[],
        names: &["SystemTime", "Instant", "sleep"],
        reason: "the core has no clock: time comes in the event",
    },
    Rule {
        within: CORE,
        except: &[],
        names: &["tokio", "prometheus", "tracing", "println", "eprintln"],
        reason: "the core neither runs, nor counts for others, nor logs",
    },
    Rule {
        within: CORE,
        except: &["monitor/src/pipeline/pool"],
        names: &["thread"],
        reason: "one pool has the threads of the core",
    },
    Rule {
        within: &["monitor/src/phi"],
        except: &[],
        names: &["http", "stream"],
        reason: "phi knows fields, not where they came from",
    },
];

/// Fails with every breach of a rule.
pub(crate) fn tidy() -> Result<()> {
    let root = workspace::root();
    let layers = Layers::new(&read(&root.join(STORY))?);
    let mut problems: Vec<_> = layers.problems().to_vec();
    for member in MEMBERS {
        let manifest = format!("{member}/Cargo.toml");
        problems.extend(manifest_problems(&manifest, &read(&root.join(&manifest))?));
        let files = rust_files(&root.join(member))?;
        problems.extend(style_problems(root, &files));
        for file in &files {
            let path = relative(root, file);
            let text = read(file)?;
            problems.extend(source_problems(&path, &text));
            problems.extend(layers.arrows_up(&path, &text));
            if let Some(reminder) = reminder(&path, &text) {
                eprintln!("{reminder}");
            }
        }
    }
    let page = read(&root.join(PAGE))?;
    let tree = Checkout(root);
    problems.extend(architecture::problems(PAGE, &page, layers.order(), &tree));
    for problem in &problems {
        eprintln!("{problem}");
    }
    if !problems.is_empty() {
        bail!("{} breaches of the rules in xtask/src/tidy", problems.len());
    }
    Ok(())
}

/// The tree as it lies on the disk.
struct Checkout<'a>(&'a Path);

impl architecture::Tree for Checkout<'_> {
    fn exists(&self, path: &str) -> bool {
        self.0.join(path).exists()
    }

    fn declares(&self, room: &str, name: &str) -> bool {
        let folder = self.0.join(layers::ROOMS).join(room);
        let files = rust_files(&folder).unwrap_or_else(|_| vec![folder.with_extension("rs")]);
        let texts = files.iter().filter_map(|file| read(file).ok());
        texts.into_iter().any(|text| {
            let words: Vec<_> = source::identifiers(&text)
                .into_iter()
                .map(|(_, word)| word)
                .collect();
            words.windows(2).any(|pair| {
                matches!(pair, [kind, own] if own == name
                    && ["struct", "enum", "trait"].contains(&kind.as_str()))
            })
        })
    }
}

fn relative(root: &Path, file: &Path) -> String {
    let path = file.strip_prefix(root).unwrap_or(file);
    path.to_string_lossy().into_owned()
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Lints apply only to members that inherit them.
fn manifest_problems(path: &str, text: &str) -> Vec<String> {
    let inherits = text
        .split("\n[")
        .any(|table| table.starts_with("lints]") && table.contains("workspace = true"));
    if inherits {
        vec![]
    } else {
        vec![format!("{path}: does not inherit the workspace's lints")]
    }
}

/// A module with a folder is the folder's `mod.rs`, so that the folder is
/// complete in itself.
fn style_problems(root: &Path, files: &[PathBuf]) -> Vec<String> {
    let beside_its_folder = |file: &&PathBuf| {
        let folder = file.with_extension("");
        files.iter().any(|other| other.starts_with(&folder))
    };
    files
        .iter()
        .filter(beside_its_folder)
        .map(|file| {
            let path = relative(root, file);
            let folder = path.trim_end_matches(".rs");
            format!("{path}: a module with a folder is its {folder}/mod.rs")
        })
        .collect()
}

fn reminder(path: &str, text: &str) -> Option<String> {
    let lines = source::code_lines(text);
    (lines > MAX_LINES)
        .then(|| format!("reminder: {path}: {lines} lines of code; is there a second noun in it?"))
}

fn source_problems(path: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if !source::has_module_docs(text) {
        problems.push(format!("{path}: does not begin with //! docs"));
    }
    let named = Path::new(path).components().any(|part| {
        let part = part.as_os_str().to_string_lossy();
        HOMELESS.contains(&part.trim_end_matches(".rs"))
    });
    if named {
        problems.push(format!("{path}: the name says nothing about what is in it"));
    }
    if is_test(path) {
        return problems;
    }
    for rule in RULES.iter().filter(|rule| rule.holds_for(path)) {
        for (line, name) in source::identifiers(text) {
            if rule.names.contains(&name.as_str()) {
                problems.push(format!(
                    "{path}:{line}: names `{name}`, but {}",
                    rule.reason
                ));
            }
        }
    }
    problems
}

fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

impl Rule {
    fn holds_for(&self, path: &str) -> bool {
        let below = |prefixes: &[&str]| {
            prefixes.iter().any(|prefix| {
                path.strip_prefix(prefix)
                    .is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
            })
        };
        below(self.within) && !below(self.except)
    }
}
