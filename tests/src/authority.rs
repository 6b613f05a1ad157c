//! A certificate authority for one sandbox, and a certificate for all its hosts.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

/// Files of the authority, in the sandbox's folder, with which the keys are
/// deleted.
pub struct Authority {
    /// What clients must trust.
    pub root: PathBuf,
    /// The sink's certificate.
    pub certificate: PathBuf,
    /// The sink's key.
    pub key: PathBuf,
}

const KEY: &[&str] = &[
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
];

impl Authority {
    /// Creates the authority and a certificate for `hosts` in `folder`.
    pub fn new<'a>(folder: &Path, hosts: impl Iterator<Item = &'a str>) -> Result<Self> {
        let names: Vec<_> = hosts.map(|host| format!("DNS:{host}")).collect();
        fs::write(
            folder.join("names.cnf"),
            format!("subjectAltName={}\n", names.join(",")),
        )
        .context("write the list of names")?;
        let mut root = openssl(folder, "req -x509 -keyout ca.key -out ca.pem -days 2");
        run(root
            .args(KEY)
            .args(["-subj", "/CN=phiwatch test authority"]))?;
        let mut request = openssl(folder, "req -new -keyout sink.key -out sink.csr");
        run(request.args(KEY).args(["-subj", "/CN=phiwatch test sink"]))?;
        run(&mut openssl(
            folder,
            "x509 -req -in sink.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out sink.pem \
             -days 2 -extfile names.cnf",
        ))?;
        Ok(Self {
            root: folder.join("ca.pem"),
            certificate: folder.join("sink.pem"),
            key: folder.join("sink.key"),
        })
    }
}

fn openssl(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new("openssl");
    command
        .current_dir(folder)
        .args(arguments.split_whitespace())
        .stdin(Stdio::null());
    command
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().context("start openssl")?;
    if !output.status.success() {
        bail!(
            "openssl ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}
