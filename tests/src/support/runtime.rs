//! The runtimes of the matrix: real clients, each with TLS of its own kind.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use super::{Combination, HOST, KEPT, PROXY, Protocol, Route};
use crate::{Running, Sandbox, Side, file, haproxy, nginx, tool};

/// One runtime.
#[derive(Clone, Copy, Debug)]
pub struct Runtime {
    /// What it is.
    pub name: &'static str,
    /// Where its TLS comes from.
    pub tls: &'static str,
    /// What prints its version.
    version: &'static [&'static str],
    pub(super) how: How,
    protocols: &'static [Protocol],
    /// Whether it asks a proxy for tunnels.
    takes_proxy: bool,
    keeps_alive: bool,
}

/// How a runtime is told what to send.
#[derive(Clone, Copy, Debug)]
pub enum How {
    /// These words and `HOST PATH BODY-FILE COUNT`. A word that begins with `@` is a
    /// tool of the tests, one with `clients/` a file of this package.
    Words(&'static [&'static str]),
    /// curl's own command line, with these options.
    Curl(&'static [&'static str]),
    /// wget's own command line.
    Wget,
    /// A server that passes requests on over TLS. This starts it, on a port and before a
    /// host.
    Front(fn(&Sandbox, u16, &str) -> Result<Running>),
}

const HOST_OPENSSL: &str = "OpenSSL of the host";
const PYTHON: &str = "/usr/bin/python3";
const VENV: &str = "@venv/bin/python";
const NODE: &str = "@venv/bin/node";
const BUN: &str = "@npm/node_modules/@oven/bun-linux-x64/bin/bun";
const DENO: &str = "@npm/node_modules/@deno/linux-x64-glibc/deno";

const fn runtime(name: &'static str, tls: &'static str, how: How) -> Runtime {
    Runtime {
        name,
        tls,
        version: &[],
        how,
        protocols: &[Protocol::Http1],
        takes_proxy: false,
        keeps_alive: true,
    }
}

impl Runtime {
    const fn version_by(mut self, words: &'static [&'static str]) -> Self {
        self.version = words;
        self
    }

    const fn with_http2(mut self) -> Self {
        self.protocols = &[Protocol::Http1, Protocol::Http2];
        self
    }

    const fn with_http2_only(mut self) -> Self {
        self.protocols = &[Protocol::Http2];
        self
    }

    const fn with_proxy(mut self) -> Self {
        self.takes_proxy = true;
        self
    }

    const fn without_keep_alive(mut self) -> Self {
        self.keeps_alive = false;
        self
    }

    /// What it is asked to send over this protocol.
    pub fn combinations(&self, protocol: Protocol, lengths: &[usize]) -> Vec<Combination> {
        let mut all = Vec::new();
        if !self.protocols.contains(&protocol) {
            return all;
        }
        for length in lengths {
            for count in [1, KEPT] {
                for route in [Route::Direct, Route::Connect] {
                    let is_known = (count == 1 || self.keeps_alive)
                        && (route == Route::Direct || self.takes_proxy);
                    if is_known {
                        all.push(Combination {
                            protocol,
                            length: *length,
                            count,
                            route,
                        });
                    }
                }
            }
        }
        all
    }

    /// Its version, as it says it; empty if it does not.
    pub fn version(&self) -> String {
        let Some((program, arguments)) = self.version.split_first() else {
            return String::new();
        };
        let output = Command::new(word(program)).args(arguments).output();
        let text = output.map_or_else(
            |_| Vec::new(),
            |output| [output.stdout, output.stderr].concat(),
        );
        let text = String::from_utf8_lossy(&text);
        let line = text.lines().next().unwrap_or_default();
        // The first word with a digit in it: programs say their names before, and
        // more behind.
        let is_version = |word: &&str| word.bytes().any(|byte| byte.is_ascii_digit());
        let word = line.split([' ', '"']).find(is_version).unwrap_or_default();
        word.trim_matches(|own: char| own == ',' || own == '(' || own == ')')
            .to_owned()
    }

    /// A process that does it, in the watched cgroup.
    pub(super) fn command(
        &self,
        sandbox: &Sandbox,
        combination: Combination,
        path: &str,
        body: &Path,
    ) -> Command {
        let root = &sandbox.authority.root;
        let mut command = match self.how {
            How::Words(words) => {
                let (program, arguments) = words.split_first().unwrap_or((&"false", &[]));
                let mut command = sandbox.command(Side::Watched, word(program));
                command.args(arguments.iter().map(|own| word(own)));
                command.args([HOST, path]).arg(body);
                command.arg(combination.count.to_string());
                command
            }
            How::Curl(options) => {
                let mut command = sandbox.command(Side::Watched, "curl");
                command
                    .args(["--silent", "--show-error", "--fail"])
                    .args(options);
                command.args(["--header", "Content-Type: application/json"]);
                command.arg("--data-binary").arg(of_file(body));
                let url = format!("https://{HOST}{path}");
                command.args(std::iter::repeat_n(url, combination.count));
                command
            }
            How::Wget => {
                let mut command = sandbox.command(Side::Watched, "wget");
                command.args(["--quiet", "--output-document=/dev/null", "--ca-certificate"]);
                command
                    .arg(root)
                    .args(["--header", "Content-Type: application/json"]);
                command.arg("--post-file").arg(body);
                let url = format!("https://{HOST}{path}");
                command.args(std::iter::repeat_n(url, combination.count));
                command
            }
            How::Front(_) => Command::new("false"),
        };
        for name in ["NODE_EXTRA_CA_CERTS", "DENO_CERT", "PERL_LWP_SSL_CA_FILE"] {
            command.env(name, root);
        }
        command.env("NODE_PATH", tool("npm/node_modules"));
        command.env("DENO_DIR", sandbox.folder());
        if combination.route == Route::Connect {
            let proxy = format!("http://127.0.0.1:{PROXY}");
            command
                .env("https_proxy", &proxy)
                .env("HTTPS_PROXY", &proxy);
            command.env("NODE_USE_ENV_PROXY", "1");
            let java = format!("-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort={PROXY}");
            command.env("JAVA_TOOL_OPTIONS", java);
        }
        command
    }
}

fn of_file(path: &Path) -> OsString {
    let mut word = OsString::from("@");
    word.push(path);
    word
}

fn word(word: &str) -> PathBuf {
    if let Some(path) = word.strip_prefix('@') {
        tool(path)
    } else if word.starts_with("clients/") {
        file(word)
    } else {
        PathBuf::from(word)
    }
}

const CURL: Runtime = runtime("curl", HOST_OPENSSL, How::Curl(&[]))
    .version_by(&["curl", "--version"])
    .with_http2()
    .with_proxy();
const PYTHON_HTTP: Runtime = runtime(
    "Python http.client",
    HOST_OPENSSL,
    How::Words(&[PYTHON, "clients/http_client.py"]),
)
.version_by(&[PYTHON, "--version"]);
const REQUESTS: Runtime = runtime(
    "Python requests",
    HOST_OPENSSL,
    How::Words(&[VENV, "clients/requests_client.py"]),
)
.version_by(&[VENV, "-c", "import requests; print(requests.__version__)"])
.with_proxy();
const PYOPENSSL: Runtime = runtime(
    "Python pyOpenSSL",
    "OpenSSL in the wheel of cryptography",
    How::Words(&[VENV, "clients/pyopenssl_client.py"]),
)
.version_by(&[VENV, "-c", "import OpenSSL; print(OpenSSL.__version__)"]);
const PYCURL: Runtime = runtime(
    "Python pycurl",
    "OpenSSL beside the wheel",
    How::Words(&[VENV, "clients/pycurl_client.py"]),
)
.version_by(&[VENV, "-c", "import pycurl; print(pycurl.version)"])
.with_http2()
.with_proxy();
const PYCURL_GNUTLS: Runtime = runtime(
    "Python pycurl of Debian",
    "GnuTLS of the host",
    How::Words(&[PYTHON, "clients/pycurl_client.py"]),
)
.version_by(&[PYTHON, "-c", "import pycurl; print(pycurl.version)"])
.with_http2()
.with_proxy();
const WGET: Runtime = runtime("wget", "GnuTLS of the host", How::Wget)
    .version_by(&["wget", "--version"])
    .with_proxy();
const PHP: Runtime = runtime(
    "PHP curl",
    HOST_OPENSSL,
    How::Words(&["php", "clients/client.php"]),
)
.version_by(&["php", "--version"])
.with_http2()
.with_proxy();
const NODE_HTTPS: Runtime = runtime(
    "Node https",
    "OpenSSL in the executable",
    How::Words(&[NODE, "clients/node_client.js"]),
)
.version_by(&[NODE, "--version"]);
const NODE_FETCH: Runtime = runtime(
    "Node fetch",
    "OpenSSL in the executable",
    How::Words(&[NODE, "clients/fetch_client.mjs"]),
)
.version_by(&[NODE, "--version"])
.with_proxy();
const NODE_HTTP2: Runtime = runtime(
    "Node http2",
    "OpenSSL in the executable",
    How::Words(&[NODE, "clients/http2_client.js"]),
)
.version_by(&[NODE, "--version"])
.with_http2_only();
const JAVA: Runtime = runtime(
    "Java",
    "Java's own",
    How::Words(&["java", "clients/BlindClient.java"]),
)
.version_by(&["java", "-version"])
.with_http2()
.with_proxy();

const fn go(name: &'static str, program: &'static [&'static str]) -> Runtime {
    runtime(name, "Go's own", How::Words(program))
        .with_http2()
        .with_proxy()
}

const GO_OLD: Runtime = go("Go 1.19, stripped", &["@go/client-1.19"]);
const GO_PIE: Runtime = go(
    "Go 1.24, position-independent, stripped",
    &["@go/client-1.24-pie"],
);
const GO: Runtime = go("Go 1.27", &["@go/client-1.27"]);
const GO_STRIPPED: Runtime = go("Go 1.27, stripped", &["@go/client-1.27-stripped"]);
const GO_C: Runtime = go(
    "Go 1.27, position-independent, stripped, linked with C",
    &["@go/client-1.27-pie"],
);
const NGINX: Runtime = runtime(
    "nginx as a proxy",
    HOST_OPENSSL,
    How::Front(nginx::start_as_client),
)
.version_by(&["nginx", "-v"]);

/// Those that every run of the tests has.
pub const SHORT: &[Runtime] = &[
    CURL,
    PYTHON_HTTP,
    REQUESTS,
    PYOPENSSL,
    PYCURL,
    PYCURL_GNUTLS,
    WGET,
    PHP,
    NODE_HTTPS,
    NODE_FETCH,
    NODE_HTTP2,
    JAVA,
    GO_OLD,
    GO_PIE,
    GO,
    GO_STRIPPED,
    GO_C,
    NGINX,
];

/// All.
pub const ALL: &[Runtime] = &[
    CURL,
    PYTHON_HTTP,
    REQUESTS,
    runtime(
        "Python urllib3",
        HOST_OPENSSL,
        How::Words(&[VENV, "clients/urllib3_client.py"]),
    )
    .version_by(&[VENV, "-c", "import urllib3; print(urllib3.__version__)"])
    .with_proxy(),
    runtime(
        "Python httpx",
        HOST_OPENSSL,
        How::Words(&[VENV, "clients/httpx_client.py"]),
    )
    .version_by(&[VENV, "-c", "import httpx; print(httpx.__version__)"])
    .with_http2()
    .with_proxy(),
    runtime(
        "Python aiohttp",
        HOST_OPENSSL,
        How::Words(&[VENV, "clients/aiohttp_client.py"]),
    )
    .version_by(&[VENV, "-c", "import aiohttp; print(aiohttp.__version__)"])
    .with_proxy(),
    PYOPENSSL,
    PYCURL,
    PYCURL_GNUTLS,
    runtime(
        "Python curl_cffi",
        "BoringSSL in the wheel",
        How::Words(&[VENV, "clients/curl_cffi_client.py"]),
    )
    .version_by(&[VENV, "-c", "import curl_cffi; print(curl_cffi.__version__)"])
    .with_http2()
    .with_proxy(),
    WGET,
    PHP,
    runtime(
        "PHP streams",
        HOST_OPENSSL,
        How::Words(&["php", "clients/stream_client.php"]),
    )
    .version_by(&["php", "--version"])
    .with_proxy()
    .without_keep_alive(),
    runtime(
        "Ruby Net::HTTP",
        HOST_OPENSSL,
        How::Words(&["ruby", "clients/client.rb"]),
    )
    .version_by(&["ruby", "--version"])
    .with_proxy(),
    runtime(
        "Perl LWP",
        HOST_OPENSSL,
        How::Words(&["perl", "clients/client.pl"]),
    )
    .version_by(&["perl", "-e", "print \"perl $^V\""])
    .with_proxy(),
    NODE_HTTPS,
    NODE_FETCH,
    runtime(
        "Node axios",
        "OpenSSL in the executable",
        How::Words(&[NODE, "clients/axios_client.js"]),
    )
    .version_by(&[NODE, "--version"]),
    NODE_HTTP2,
    runtime(
        "Bun fetch",
        "BoringSSL in the executable",
        How::Words(&[BUN, "clients/fetch_client.mjs"]),
    )
    .version_by(&[BUN, "--version"])
    .with_proxy(),
    runtime(
        "Deno fetch",
        "rustls in the executable",
        How::Words(&[
            DENO,
            "run",
            "--quiet",
            "--allow-all",
            "clients/fetch_client.mjs",
        ]),
    )
    .version_by(&[DENO, "--version"])
    .with_http2()
    .with_proxy(),
    JAVA,
    GO_OLD,
    GO_PIE,
    GO,
    GO_STRIPPED,
    GO_C,
    runtime(
        "Rust reqwest, native-tls",
        HOST_OPENSSL,
        How::Words(&["@rust/client-native"]),
    )
    .with_http2()
    .with_proxy(),
    runtime(
        "Rust reqwest, rustls",
        "rustls in the executable",
        How::Words(&["@rust/client-rustls"]),
    )
    .with_http2()
    .with_proxy(),
    NGINX,
    runtime(
        "haproxy",
        HOST_OPENSSL,
        How::Front(haproxy::start_as_client),
    )
    .version_by(&["haproxy", "-v"]),
];
