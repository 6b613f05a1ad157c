//! `fit`: the weights of the score, from the written events.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};

use crate::{eval, process, setup, workspace};

/// Rounds over all formats of the tables in `corpus/words` that are learned from too.
const ROUNDS: &str = "6";

/// The splits that are learned from: `dev`, and those that have had their first run.
const SPLITS: [&str; 3] = ["dev", "unseen-1", "unseen-2"];

/// Writes `monitor/data/phi/weights.tsv`, and prints the grouped cross-validation. The
/// same data gives the same file.
pub(crate) fn fit() -> Result<()> {
    let toolchain = setup::setup()?;
    let folder = workspace::target().join("fit");
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    let mut fit = toolchain.cargo();
    fit.args(["run", "--quiet", "--release", "--package", "phiwatch"]);
    fit.args(["--example", "fit", "--"]);
    for split in SPLITS {
        let requests = folder.join(format!("{split}.jsonl"));
        let mut write = eval::events(&toolchain, Path::new(split), &folder);
        write.arg("--requests").arg(&requests);
        process::run(write.args(["--rounds", ROUNDS]))?;
        fit.arg(requests);
    }
    fit.arg("--out");
    process::run(fit.arg(workspace::root().join("monitor/data/phi/weights.tsv")))
}
