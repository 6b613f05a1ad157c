//! haproxy, as a client of TLS.

use std::{fs, time::Duration};

use anyhow::{Context as _, Result};

use crate::{Running, Sandbox, Side, wait};

/// Takes plaintext on this port of the loopback interface and passes it on to `host`.
pub fn start_as_client(sandbox: &Sandbox, port: u16, host: &str) -> Result<Running> {
    let root = sandbox.authority.root.display();
    let configuration = format!(
        "global\n maxconn 64\n\
         defaults\n mode http\n timeout connect 5s\n timeout client 30s\n timeout server 30s\n\
         frontend front\n bind 127.0.0.1:{port}\n default_backend sink\n\
         backend sink\n server sink {host}:443 ssl verify required ca-file {root} sni str({host})\n"
    );
    let path = sandbox.folder().join("haproxy.cfg");
    fs::write(&path, configuration).context("write haproxy.cfg")?;
    let mut command = sandbox.command(Side::Watched, "haproxy");
    let running = sandbox.start("haproxy", {
        command.args(["-db", "-f"]).arg(path);
        command
    })?;
    wait("haproxy listens", Duration::from_secs(10), || {
        let mut probe = sandbox.command(Side::Outside, "python3");
        probe.arg("-c");
        probe.arg(format!(
            "import socket; socket.create_connection(('127.0.0.1', {port}))"
        ));
        Ok(sandbox.run(&mut probe).ok())
    })?;
    Ok(running)
}
