//! nginx, as it stands before an application.

use std::{fs, time::Duration};

use anyhow::{Context as _, Result};

use crate::{Running, Sandbox, Side, wait};

/// nginx as a TLS server on port 443 before a plaintext application on 8080.
pub fn start(sandbox: &Sandbox) -> Result<Running> {
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
                 listen 127.0.0.1:443 ssl;
                 ssl_certificate {}; ssl_certificate_key {};
                 location / {{ proxy_pass http://127.0.0.1:8080; proxy_set_header Host $host; }}
             }}
         }}",
        sandbox.authority.certificate.display(),
        sandbox.authority.key.display(),
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
        // Port 443 answers a plaintext request, so nothing reaches the sink.
        Ok(sandbox.run(probe.arg("http://127.0.0.1:443/")).ok())
    })?;
    Ok(running)
}
