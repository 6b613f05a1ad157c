//! The order of the rooms of phiwatch's library, and the arrows between them.
//!
//! In: the documentation of `lib.rs`, whose numbered list is the order and whose
//! sentence on leaves names them, and the source of every room. Out: where the
//! documentation and the declarations differ, and each use of a room that stands
//! further down.

use super::{is_test, source};

/// The folder of the rooms.
pub(super) const ROOMS: &str = "monitor/src/";
/// Begins the sentence that names the leaves.
const LEAVES: &str = "and the leaves";

/// The rooms in the order in which each may use those before it.
pub(super) struct Layers {
    /// The leaves first.
    order: Vec<String>,
    problems: Vec<String>,
}

impl Layers {
    /// Reads the order from the text of `lib.rs`.
    pub(super) fn new(lib: &str) -> Self {
        let documented = documented(lib);
        let declared = declared(lib);
        let mut problems = Vec::new();
        for room in &declared {
            if !documented.contains(room) {
                problems.push(format!("{ROOMS}lib.rs: does not say where `{room}` stands"));
            }
        }
        for room in &documented {
            if !declared.contains(room) {
                problems.push(format!(
                    "{ROOMS}lib.rs: tells of `{room}`, which is no module"
                ));
            }
        }
        if problems.is_empty() && declared != documented {
            problems.push(format!(
                "{ROOMS}lib.rs: the modules are not declared in the order of its list: {}",
                documented.join(", ")
            ));
        }
        Self {
            order: documented,
            problems,
        }
    }

    /// Where documentation and declarations of `lib.rs` differ.
    pub(super) fn problems(&self) -> &[String] {
        &self.problems
    }

    /// The rooms, the leaves first.
    pub(super) fn order(&self) -> &[String] {
        &self.order
    }

    /// What a file uses that stands further down than the file's own room.
    pub(super) fn arrows_up(&self, path: &str, text: &str) -> Vec<String> {
        let Some(own) = path.strip_prefix(ROOMS).map(room) else {
            return vec![];
        };
        let Some(position) = self.position(own) else {
            return vec![];
        };
        if is_test(path) {
            return vec![];
        }
        uses(text)
            .into_iter()
            .filter(|(_, used)| self.position(used).is_some_and(|other| other > position))
            .map(|(line, used)| {
                format!("{path}:{line}: `{own}` uses `{used}`, which stands below it in lib.rs")
            })
            .collect()
    }

    fn position(&self, room: &str) -> Option<usize> {
        self.order.iter().position(|other| other == room)
    }
}

/// The room that a path below the folder of the rooms is in.
fn room(path: &str) -> &str {
    let first = path.split('/').next().unwrap_or(path);
    first.trim_end_matches(".rs")
}

/// The leaves, and then the rooms as the numbered list first names them.
fn documented(lib: &str) -> Vec<String> {
    let docs: Vec<&str> = lib
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .collect();
    let text = docs.join(" ");
    let mut order = Vec::new();
    if let Some((_, leaves)) = text.split_once(LEAVES) {
        let sentence = leaves
            .split_once(". ")
            .map_or(leaves, |(sentence, _)| sentence);
        order.extend(quoted(sentence, "`", "`"));
    }
    let mut in_list = false;
    for line in docs {
        let begins = line
            .trim_start()
            .split_once(". ")
            .is_some_and(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()));
        in_list = begins || in_list && line.starts_with("   ");
        if in_list {
            for room in quoted(line, "[`", "`]") {
                if !order.contains(&room) {
                    order.push(room);
                }
            }
        }
    }
    order
}

/// What stands between `open` and `close`.
fn quoted(text: &str, open: &str, close: &str) -> Vec<String> {
    text.split(open)
        .skip(1)
        .step_by(if open == close { 2 } else { 1 })
        .filter_map(|part| {
            part.split_once(close)
                .map_or(Some(part), |(inner, _)| Some(inner))
        })
        .filter(|name| {
            name.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        })
        .map(str::to_owned)
        .collect()
}

/// The modules that `lib.rs` declares, in order.
fn declared(lib: &str) -> Vec<String> {
    lib.lines()
        .map(|line| line.strip_prefix("pub ").unwrap_or(line))
        .filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'))
        .map(str::to_owned)
        .collect()
}

/// The rooms that code names by `crate::room` or in `crate::{room, …}`, with
/// their lines.
fn uses(text: &str) -> Vec<(usize, String)> {
    let tokens = source::tokens(text);
    let mut found = Vec::new();
    for (index, (_, token)) in tokens.iter().enumerate() {
        if token != "crate" || tokens.get(index + 1).is_none_or(|(_, next)| next != "::") {
            continue;
        }
        let mut rest = tokens.iter().skip(index + 2);
        match rest.next() {
            Some((_, brace)) if brace == "{" => {
                let (mut depth, mut is_first) = (1_usize, true);
                for (line, token) in rest {
                    match token.as_str() {
                        "{" => depth += 1,
                        "}" if depth == 1 => break,
                        "}" => depth -= 1,
                        "," if depth == 1 => is_first = true,
                        name if is_first && depth == 1 => {
                            found.push((*line, name.to_owned()));
                            is_first = false;
                        }
                        _ => {}
                    }
                }
            }
            Some((line, name)) => found.push((*line, name.clone())),
            None => {}
        }
    }
    found
}
