//! Who can read the raw captures of these tests, and the stock tool that reads
//! them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};

/// The recipient of raw captures. Made for these tests, by age-keygen.
pub const RECIPIENT: &str = "age1dfqysv3709ydu4tuf9exzhapcqncsqm6pjyxmkhgh3p6dzlnvgwqvyv62x";

/// Its identity, which protects nothing but made-up data of these tests.
const IDENTITY: &str = "AGE-SECRET-KEY-1NYMCVM8C5QZFH2TD869SVQVWU57APGWSPRP3ZFM4VTARMNH8KUGSEW49J7";

/// The arguments that make a capture raw.
pub const RAW: &[&str] = &["--raw", "--recipient", RECIPIENT];

/// A file in `folder` with the identity.
pub fn file(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("identity.txt");
    fs::write(&path, format!("{IDENTITY}\n")).context("write the identity")?;
    Ok(path)
}

/// The raw segments in `captures`, decrypted by stock `age -d`, in the order of
/// their names.
pub fn decrypted(captures: &Path) -> Result<Vec<Vec<u8>>> {
    let folder = tempfile::tempdir().context("make a folder for the identity")?;
    let identity = file(folder.path())?;
    let mut paths = Vec::new();
    for entry in fs::read_dir(captures).with_context(|| format!("list {}", captures.display()))? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(".pcapng.age") {
            paths.push(path);
        }
    }
    paths.sort();
    ensure!(
        !paths.is_empty(),
        "{} holds no raw segment",
        captures.display()
    );
    paths
        .iter()
        .map(|path| {
            let output = Command::new("age")
                .args([
                    "-d".as_ref(),
                    "-i".as_ref(),
                    identity.as_os_str(),
                    path.as_os_str(),
                ])
                .output()
                .context("start age")?;
            let error = String::from_utf8_lossy(&output.stderr);
            ensure!(
                output.status.success(),
                "age -d {}: {error}",
                path.display()
            );
            Ok(output.stdout)
        })
        .collect()
}
