//! Hash-chained lines: the form of the manifest and of the custody log.
//!
//! A line is a JSON object that begins with the hash of the line before it and
//! ends with its own, which is the SHA-256 of everything before `,"hash":`.
//! With the last hash one can verify that no line was changed, removed or
//! inserted. In: objects, or the text of a file. Out: lines, or the objects
//! with the number of the first line that is not as it was written.

use serde::Serialize;

use super::digest::sha256;

/// Stands for the hash before the first line.
pub(super) const NO_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The longest line that is read, in bytes. What is written is far shorter.
pub(super) const MAX_LINE: usize = 256 * 1024;

const HASH_DIGITS: usize = 64;
const BEFORE_HASH: &str = ",\"hash\":\"";
const AFTER_HASH: &str = "\"}";

/// Why a line is not the next of its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ChainError {
    /// It has no newline: its writer was interrupted, or it was cut.
    #[error("line {line} is incomplete")]
    Torn {
        /// From 1.
        line: usize,
    },
    /// It is not what its own hash says.
    #[error("line {line} was changed: it does not have its hash")]
    Changed {
        /// From 1.
        line: usize,
    },
    /// It does not follow the line before it.
    #[error("line {line} does not follow the line before it: lines were taken out or put in")]
    Broken {
        /// From 1.
        line: usize,
    },
}

/// A line, without its newline, and its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) hash: String,
}

/// The line for `body` that follows the one with hash `previous`. `body` is a
/// JSON object with at least one member.
pub(super) fn link(previous: &str, body: &impl Serialize) -> Line {
    let body = serde_json::to_string(body).unwrap_or_default();
    let members = body
        .strip_prefix('{')
        .and_then(|body| body.strip_suffix('}'))
        .unwrap_or_default();
    let mut text = format!("{{\"previous\":\"{previous}\",{members}");
    let hash = sha256(text.as_bytes());
    text.push_str(BEFORE_HASH);
    text.push_str(&hash);
    text.push_str(AFTER_HASH);
    Line { text, hash }
}

/// The lines of a text that form a chain from `previous` on, and why the chain
/// ends, unless the text does.
pub(super) fn follow<'a>(
    text: &'a str,
    previous: &str,
) -> (Vec<(&'a str, &'a str)>, Option<ChainError>) {
    let mut lines = Vec::new();
    let mut previous = previous;
    let mut rest = text;
    while !rest.is_empty() {
        let number = lines.len() + 1;
        let Some((line, after)) = rest.split_once('\n') else {
            return (lines, Some(ChainError::Torn { line: number }));
        };
        match hash_of(line) {
            None => return (lines, Some(ChainError::Changed { line: number })),
            Some((stated, hash)) => {
                if stated != previous {
                    return (lines, Some(ChainError::Broken { line: number }));
                }
                lines.push((line, hash));
                previous = hash;
            }
        }
        rest = after;
    }
    (lines, None)
}

/// The hash of the previous line that `line` states, and its own, if that is
/// correct.
fn hash_of(line: &str) -> Option<(&str, &str)> {
    if line.len() > MAX_LINE {
        return None;
    }
    let stated = line.strip_prefix("{\"previous\":\"")?.get(..HASH_DIGITS)?;
    let (body, hash) = line.strip_suffix(AFTER_HASH)?.rsplit_once(BEFORE_HASH)?;
    let is_right = sha256(body.as_bytes()) == hash;
    is_right.then_some((stated, hash))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn chain() -> (String, Vec<String>) {
        let mut text = String::new();
        let mut hashes = vec![NO_HASH.to_owned()];
        for number in 0..3 {
            let line = link(
                hashes.last().unwrap(),
                &json!({"type": "x", "number": number}),
            );
            text.push_str(&line.text);
            text.push('\n');
            hashes.push(line.hash);
        }
        (text, hashes)
    }

    #[test]
    fn a_chain_reads_as_it_was_written() {
        let (text, hashes) = chain();
        let (lines, error) = follow(&text, NO_HASH);
        assert_eq!(error, None);
        let read: Vec<_> = lines.iter().map(|(_, hash)| *hash).collect();
        assert_eq!(read, hashes[1..]);
        let value: serde_json::Value = serde_json::from_str(lines[1].0).unwrap();
        assert_eq!(
            (&value["number"], &value["previous"]),
            (&json!(1), &json!(hashes[1]))
        );
    }

    #[test]
    fn every_flipped_bit_names_its_line() {
        let (text, _) = chain();
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let Ok(changed) = String::from_utf8(bytes) else {
                    continue;
                };
                let line = text[..at].matches('\n').count();
                let (lines, error) = follow(&changed, NO_HASH);
                assert!(
                    error.is_some() && lines.len() <= line,
                    "byte {at} bit {bit}"
                );
            }
        }
    }

    #[test]
    fn lines_cannot_be_taken_out_or_swapped() {
        let (text, _) = chain();
        let lines: Vec<_> = text.split_inclusive('\n').collect();
        let check = |order: &[usize], expected| {
            let text: String = order.iter().map(|index| lines[*index]).collect();
            assert_eq!(follow(&text, NO_HASH).1, expected, "{order:?}");
        };
        check(&[1, 2], Some(ChainError::Broken { line: 1 }));
        check(&[0, 2], Some(ChainError::Broken { line: 2 }));
        check(&[0, 2, 1], Some(ChainError::Broken { line: 2 }));
        check(&[0, 0], Some(ChainError::Broken { line: 2 }));
        for end in 0..text.len() {
            let (read, error) = follow(&text[..end], NO_HASH);
            let is_whole = end == 0 || text.as_bytes()[end - 1] == b'\n';
            assert_eq!(error.is_none(), is_whole, "cut at {end}");
            assert_eq!(read.len(), text[..end].matches('\n').count());
        }
    }
}
