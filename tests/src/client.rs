//! Real clients, unmodified, and the bodies that they send.

use std::{
    ffi::OsString,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

use crate::{Sandbox, Side, file, tool};

/// How a client is told what to send.
#[derive(Clone, Copy, Debug)]
enum How {
    /// `PROGRAM SCRIPT HOST PATH BODY-FILE COUNT`.
    Script {
        program: &'static str,
        script: &'static str,
    },
    /// curl's own command line, one URL a request.
    Curl,
    /// A whole request on standard input of `openssl s_client`.
    Openssl,
    /// wget's own command line, one URL a request.
    Wget,
    /// `PROGRAM HOST PATH BODY-FILE COUNT`, one of the tests' tools.
    Program(&'static str),
}

/// One client.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// What it is, for messages.
    pub name: &'static str,
    how: How,
    /// Whether it makes many requests on one connection.
    pub keeps_alive: bool,
}

const fn python(name: &'static str, script: &'static str) -> Client {
    Client {
        name,
        how: How::Script {
            program: "/usr/bin/python3",
            script,
        },
        keeps_alive: true,
    }
}

/// curl, over `OpenSSL`.
pub const CURL: Client = Client {
    name: "curl",
    how: How::Curl,
    keeps_alive: true,
};
/// Python's `http.client`: head and body in separate `SSL_write_ex` calls.
pub const HTTP_CLIENT: Client = python("http.client", "clients/http_client.py");
/// Python's asyncio: the TLS library writes to memory, not to a socket.
pub const ASYNCIO: Client = python("asyncio", "clients/asyncio_client.py");
/// Python's `http.client` with a chunked body.
pub const CHUNKED: Client = python("http.client, chunked", "clients/chunked_client.py");
/// A non-blocking socket with a small buffer. Prints how often it had to wait.
pub const NONBLOCKING: Client = python("non-blocking socket", "clients/nonblocking_client.py");
/// Python's requests.
pub const REQUESTS: Client = Client {
    name: "requests",
    how: How::Script {
        program: "venv/bin/python",
        script: "clients/requests_client.py",
    },
    keeps_alive: true,
};
/// PHP's curl.
pub const PHP: Client = Client {
    name: "php",
    how: How::Script {
        program: "php",
        script: "clients/client.php",
    },
    keeps_alive: true,
};
/// `openssl s_client`.
pub const OPENSSL: Client = Client {
    name: "openssl s_client",
    how: How::Openssl,
    keeps_alive: false,
};

/// Node's own build, with OpenSSL linked into the executable.
pub const NODE: Client = Client {
    name: "node",
    how: How::Script {
        program: "venv/bin/node",
        script: "clients/node_client.js",
    },
    keeps_alive: true,
};
/// Go's own HTTP client and TLS: how the compilers of `xtask` built it.
pub const GO: &[Client] = &[
    go("go/client-1.19"),
    go("go/client-1.24-pie"),
    go("go/client-1.27"),
    go("go/client-1.27-stripped"),
    go("go/client-1.27-pie"),
];

const fn go(program: &'static str) -> Client {
    Client {
        name: program,
        how: How::Program(program),
        keeps_alive: true,
    }
}

/// pyOpenSSL, with OpenSSL linked into an extension module.
pub const PYOPENSSL: Client = Client {
    name: "pyOpenSSL",
    how: How::Script {
        program: "venv/bin/python",
        script: "clients/pyopenssl_client.py",
    },
    keeps_alive: true,
};
/// pycurl's wheel, with OpenSSL beside it under a name of its own.
pub const PYCURL: Client = Client {
    name: "pycurl",
    how: How::Script {
        program: "venv/bin/python",
        script: "clients/pycurl_client.py",
    },
    keeps_alive: true,
};
/// Debian's pycurl, whose libcurl uses `GnuTLS` on a socket that does not block.
pub const PYCURL_GNUTLS: Client = python("pycurl over GnuTLS", "clients/pycurl_client.py");
/// `GnuTLS` itself, on sessions that are corked.
pub const GNUTLS_CORKED: Client = python("corked GnuTLS", "clients/gnutls_client.py");
/// Debian's wget, which uses `GnuTLS`.
pub const WGET: Client = Client {
    name: "wget",
    how: How::Wget,
    keeps_alive: true,
};

/// Every client of the host's OpenSSL.
pub const ALL: &[Client] = &[
    CURL,
    HTTP_CLIENT,
    ASYNCIO,
    CHUNKED,
    NONBLOCKING,
    REQUESTS,
    PHP,
    OPENSSL,
];

/// What a client is to send.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// Where to, by TLS on port 443.
    pub host: &'a str,
    /// The request target.
    pub path: &'a str,
    /// The file that holds the body.
    pub body: &'a Path,
    /// How many requests.
    pub count: usize,
}

impl Client {
    /// Does the job in the watched cgroup; every response must be a 200.
    /// Returns what the client printed.
    pub fn send(&self, sandbox: &Sandbox, job: Job<'_>) -> Result<String> {
        let Job {
            host,
            path,
            body,
            count,
        } = job;
        if count != 1 && !self.keeps_alive {
            bail!("{} makes one request on a connection", self.name);
        }
        let output = match self.how {
            How::Script { program, script } => {
                let program = if program.contains("venv") {
                    tool(program)
                } else {
                    PathBuf::from(program)
                };
                let mut command = sandbox.command(Side::Watched, program);
                command
                    .arg(file(script))
                    .args([host, path])
                    .arg(body)
                    .arg(count.to_string());
                sandbox.run(&mut command)?.stdout
            }
            How::Wget => sandbox.run(&mut wget(sandbox, job))?.stdout,
            How::Program(program) => {
                let mut command = sandbox.command(Side::Watched, tool(program));
                command.args([host, path]).arg(body).arg(count.to_string());
                sandbox.run(&mut command)?.stdout
            }
            How::Curl => sandbox.run(&mut curl(sandbox, job))?.stdout,
            How::Openssl => {
                let bytes = fs::read(body).context("read the body")?;
                let head = format!(
                    "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n\
                     Connection: close\r\n\r\n",
                    bytes.len()
                );
                let mut command = sandbox.command(Side::Watched, "openssl");
                command.args(["s_client", "-quiet", "-ign_eof", "-servername", host]);
                command.args(["-connect", &format!("{host}:443")]);
                fed(command, &[head.as_bytes(), &bytes])?
            }
        };
        Ok(String::from_utf8_lossy(&output).into_owned())
    }
}

fn curl(sandbox: &Sandbox, job: Job<'_>) -> Command {
    let mut command = sandbox.command(Side::Watched, "curl");
    command.args(["--silent", "--show-error", "--fail", "--http1.1"]);
    command.args([
        "--header",
        "Content-Type: application/json",
        "--data-binary",
    ]);
    let mut data = OsString::from("@");
    data.push(job.body);
    command.arg(data);
    let url = format!("https://{}{}", job.host, job.path);
    command.args(std::iter::repeat_n(url, job.count));
    command
}

fn wget(sandbox: &Sandbox, job: Job<'_>) -> Command {
    let mut command = sandbox.command(Side::Watched, "wget");
    command.args(["--quiet", "--output-document=/dev/null", "--ca-certificate"]);
    command.arg(&sandbox.authority.root);
    command.args(["--header", "Content-Type: application/json", "--post-file"]);
    command.arg(job.body);
    let url = format!("https://{}{}", job.host, job.path);
    command.args(std::iter::repeat_n(url, job.count));
    command
}

/// Sends bytes that need not be HTTP over TLS; responses are ignored.
pub fn raw(sandbox: &Sandbox, host: &str, bytes: &[u8]) -> Result<()> {
    let mut command = sandbox.command(Side::Watched, "openssl");
    command.args(["s_client", "-quiet", "-no_ign_eof", "-servername", host]);
    command.args(["-connect", &format!("{host}:443")]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().context("start openssl")?;
    child
        .stdin
        .take()
        .context("openssl has an input")?
        .write_all(bytes)?;
    child.wait()?;
    Ok(())
}

/// Runs `command` with the pieces as its standard input, and returns its
/// output.
fn fed(mut command: Command, pieces: &[&[u8]]) -> Result<Vec<u8>> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().context("start a client")?;
    let mut stdin = child.stdin.take().context("a client has an input")?;
    for piece in pieces {
        stdin.write_all(piece).context("feed a client")?;
    }
    drop(stdin);
    let output = child.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() || !text.starts_with("HTTP/1.1 200 ") {
        let error = String::from_utf8_lossy(&output.stderr);
        bail!("the client ended with {}: {text} {error}", output.status);
    }
    Ok(output.stdout)
}

/// Writes a body of `length` bytes in which no 16 bytes repeat, so that a lost,
/// doubled or displaced piece changes its hash.
pub fn body(folder: &Path, length: usize) -> Result<PathBuf> {
    let path = folder.join(format!("body-{length}"));
    let mut bytes: Vec<u8> = (0..length.div_ceil(16))
        .flat_map(|n| format!("piece {n:09}\n").into_bytes())
        .collect();
    bytes.truncate(length);
    fs::write(&path, bytes).with_context(|| format!("write {}", path.display()))?;
    Ok(path)
}
