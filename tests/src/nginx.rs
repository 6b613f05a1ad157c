//! nginx, as it stands before an application.

use std::{fs, time::Duration};

use anyhow::{Context as _, Result};

use crate::{Running, Sandbox, Side, wait};

/// nginx as a TLS server on port 443 in front of a plaintext application on
/// 8080.
pub fn start(sandbox: &Sandbox) -> Result<Running> {
    start_before(sandbox, 443, "http://127.0.0.1:8080")
}

/// [`start`] on any port in front of anything. It answers `/small` itself.
pub fn start_before(sandbox: &Sandbox, port: u16, application: &str) -> Result<Running> {
    let tls = format!(
        "ssl; ssl_certificate {}; ssl_certificate_key {}",
        sandbox.authority.certificate.display(),
        sandbox.authority.key.display(),
    );
    start_with(sandbox, port, &tls, application)
}

/// nginx as a client of TLS: it takes plaintext on this port of the loopback interface
/// and passes it on to `host`.
pub fn start_as_client(sandbox: &Sandbox, port: u16, host: &str) -> Result<Running> {
    start_with(sandbox, port, "", &format!("https://{host}"))
}

fn start_with(sandbox: &Sandbox, port: u16, listen: &str, application: &str) -> Result<Running> {
    let folder = sandbox.folder().display();
    let configuration = format!(
        "user root; worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log stderr;
         events {{ worker_connections 64; }}
         http {{
             access_log off; client_max_body_size 8m;
             client_body_temp_path {folder}/nginx-body; proxy_temp_path {folder}/nginx-proxy;
             fastcgi_temp_path {folder}/nginx-fastcgi; uwsgi_temp_path {folder}/nginx-uwsgi;
             scgi_temp_path {folder}/nginx-scgi;
             server {{
                 listen 127.0.0.1:{port} {listen};
                 location = /small {{ return 200 'ok'; }}
                 location / {{
                     proxy_pass {application}; proxy_set_header Host $host;
                     proxy_http_version 1.1; proxy_ssl_server_name on;
                 }}
             }}
         }}"
    );
    let path = sandbox.folder().join("nginx.conf");
    fs::write(&path, configuration).context("write nginx.conf")?;
    let mut command = sandbox.command(Side::Watched, "nginx");
    let running = sandbox.start("nginx", {
        command.args(["-e", "stderr", "-c"]).arg(path);
        command
    })?;
    wait("nginx listens", Duration::from_secs(10), || {
        let mut probe = sandbox.command(Side::Outside, "curl");
        probe.args([
            "--silent",
            "--output",
            "/dev/null",
            "--connect-timeout",
            "1",
        ]);
        // It answers this itself, as it does any plaintext on a TLS port: nothing
        // reaches the sink.
        let url = format!("http://127.0.0.1:{port}/small");
        Ok(sandbox.run(probe.arg(url)).ok())
    })?;
    Ok(running)
}
