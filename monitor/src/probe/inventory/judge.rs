//! Which TLS engines a file has, and whether phiwatch reads what they send. Pure.
//!
//! In: what the hooks' [`Decision`]s and the file's [`Traces`] say. Out: a [`Verdict`]
//! for each engine.

use super::{
    super::{
        sites::Decision,
        status::State,
        table::{Attachment, HOOKS, Object},
    },
    trace::Traces,
};

/// An implementation of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TlsEngine {
    /// OpenSSL.
    OpenSsl,
    /// `LibreSSL`.
    LibreSsl,
    /// `BoringSSL`.
    BoringSsl,
    /// AWS-LC.
    AwsLc,
    /// One of the two.
    BoringSslOrAwsLc,
    /// `GnuTLS`.
    GnuTls,
    /// Go's `crypto/tls`.
    Go,
    /// That of a Java virtual machine.
    Java,
    /// rustls.
    Rustls,
    /// NSS.
    Nss,
    /// Mbed TLS.
    MbedTls,
    /// `wolfSSL`.
    WolfSsl,
    /// s2n-tls.
    S2n,
}

impl TlsEngine {
    /// What it is called.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenSsl => "OpenSSL",
            Self::LibreSsl => "LibreSSL",
            Self::BoringSsl => "BoringSSL",
            Self::AwsLc => "AWS-LC",
            Self::BoringSslOrAwsLc => "BoringSSL or AWS-LC",
            Self::GnuTls => "GnuTLS",
            Self::Go => "Go crypto/tls",
            Self::Java => "Java",
            Self::Rustls => "rustls",
            Self::Nss => "NSS",
            Self::MbedTls => "Mbed TLS",
            Self::WolfSsl => "wolfSSL",
            Self::S2n => "s2n-tls",
        }
    }

    /// The engine of a library with this name, without folders, for which there are no
    /// hooks.
    pub(super) fn without_hooks(name: &[u8]) -> Option<Self> {
        let is_library = |stem: &[u8]| {
            let rest = name.strip_prefix(stem);
            rest.is_some_and(|rest| rest.starts_with(b".so") || rest.starts_with(b"-"))
        };
        [
            (&b"libssl3"[..], Self::Nss),
            (b"libmbedtls", Self::MbedTls),
            (b"libwolfssl", Self::WolfSsl),
            (b"libs2n", Self::S2n),
        ]
        .into_iter()
        .find_map(|(stem, engine)| is_library(stem).then_some(engine))
    }

    /// The engine of a file of this kind, if it is one.
    pub(super) const fn of(object: Object) -> Option<Self> {
        match object {
            Object::OpenSsl => Some(Self::OpenSsl),
            Object::GnuTls => Some(Self::GnuTls),
            Object::Go => Some(Self::Go),
            Object::Loader => None,
        }
    }
}

/// How much of what an engine sends can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sending {
    /// All of it.
    Read,
    /// What goes through some of its functions; the text says which others there are.
    Partly(String),
    /// Nothing.
    Blind(Hindrance),
    /// That cannot be told, for this reason.
    Unknown(String),
}

/// What keeps an engine from being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// It is that of a Java virtual machine.
    Java,
    /// It is rustls.
    Rustls,
    /// It was linked into the file, and its functions have no symbols.
    NoSymbols,
    /// Go older than 1.17, whose functions are called in another way.
    OldGo,
    /// Its functions were not found in the table that Go programs have.
    UnknownGo,
    /// phiwatch has no hooks for it.
    NoHooks,
    /// Its functions cannot be probed, for this reason.
    NoFunctions(String),
}

/// The oldest Go that is read.
const MIN_GO: (u32, u32) = (1, 17);

/// What is known of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    /// Its name, without folders.
    pub name: &'a [u8],
    /// What was decided about its functions.
    pub decisions: &'a [Decision],
    /// Whether it is a program written in Go.
    pub is_go: bool,
    /// Which version of Go built it.
    pub go_version: Option<&'a str>,
    /// What its bytes show.
    pub traces: &'a Traces,
}

/// An engine in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub engine: TlsEngine,
    pub version: Option<String>,
    pub sending: Sending,
}

/// The engines of a file. Of a library of OpenSSL without a version, `crypto` has what
/// the library beside it shows that it calls.
pub(super) fn judge(facts: Facts<'_>, crypto: Option<&Traces>) -> Vec<Verdict> {
    let Facts { traces, .. } = facts;
    let mut found = Vec::new();
    let mut add = |engine, version, sending| {
        found.push(Verdict {
            engine,
            version,
            sending,
        });
    };
    let no_symbols = || Sending::Blind(Hindrance::NoSymbols);
    let openssl = sending(facts.decisions, Object::OpenSsl);
    if let Some(sending) = openssl.or_else(|| traces.is_openssl.then(no_symbols)) {
        let (engine, version) = relative(traces, crypto);
        add(engine, version, sending);
    }
    let version = |engine| traces.version(engine).map(str::to_owned);
    let says_gnutls = traces.engines.contains(&TlsEngine::GnuTls);
    let gnutls = sending(facts.decisions, Object::GnuTls);
    if let Some(sending) = gnutls.or_else(|| says_gnutls.then(no_symbols)) {
        let named = || soname(facts.name).map(str::to_owned);
        let own = version(TlsEngine::GnuTls).or_else(named);
        add(TlsEngine::GnuTls, own, sending);
    }
    let has_go = facts.is_go && traces.engines.contains(&TlsEngine::Go);
    let go = sending(facts.decisions, Object::Go);
    if let Some(sending) = go.or_else(|| has_go.then(|| unread_go(facts.go_version))) {
        let own = facts.go_version.map(str::to_owned);
        add(TlsEngine::Go, own, sending);
    }
    if traces.engines.contains(&TlsEngine::Rustls) {
        let own = traces.all_versions(TlsEngine::Rustls);
        add(TlsEngine::Rustls, own, Sending::Blind(Hindrance::Rustls));
    }
    if let Some(engine) = TlsEngine::without_hooks(facts.name) {
        let sending = Sending::Blind(Hindrance::NoHooks);
        add(engine, version(engine), sending);
    }
    found
}

/// Which relative of OpenSSL a file has, and its version.
fn relative(traces: &Traces, crypto: Option<&Traces>) -> (TlsEngine, Option<String>) {
    let told = |of: &Traces| {
        let engine = of.relative();
        (engine, of.version(engine).map(str::to_owned))
    };
    let (engine, version) = told(traces);
    let is_vague = matches!(engine, TlsEngine::OpenSsl | TlsEngine::BoringSslOrAwsLc);
    match crypto.map(told) {
        Some((other, of_other)) if version.is_none() && (is_vague || engine == other) => {
            let is_said = other != TlsEngine::OpenSsl || of_other.is_some();
            if is_said {
                (other, of_other)
            } else {
                (engine, None)
            }
        }
        _ => (engine, version),
    }
}

/// What stands behind the name of a shared library: `so.30` of `libgnutls.so.30`.
pub(super) fn soname(name: &[u8]) -> Option<&str> {
    let at = memchr::memmem::rfind(name, b".so.")?;
    std::str::from_utf8(name.get(at + 1..)?).ok()
}

/// How much is read of what an engine with hooks sends; `None` if the file has none of
/// this kind.
fn sending(decisions: &[Decision], object: Object) -> Option<Sending> {
    let own: Vec<&Decision> = decisions
        .iter()
        .filter(|decision| is_sender(decision.hook, object))
        .collect();
    let first = own.first()?;
    let missed: Vec<&str> = own
        .iter()
        .filter(|decision| decision.is_missed)
        .map(|decision| decision.detail.as_str())
        .collect();
    let is_read = own.iter().any(|decision| decision.state == State::Active);
    Some(match (is_read, missed.as_slice()) {
        (true, []) => Sending::Read,
        (true, all) => Sending::Partly(all.join("; ")),
        (false, []) => Sending::Blind(Hindrance::NoFunctions(first.detail.clone())),
        (false, all) => Sending::Blind(Hindrance::NoFunctions(all.join("; "))),
    })
}

/// Whether a hook is in a function of such a file that sends what it is given.
fn is_sender(hook: &str, wanted: Object) -> bool {
    HOOKS.iter().any(|row| {
        row.name == hook
            && matches!(row.attachment, Attachment::Function { object, reading, .. }
                if object == wanted && reading.is_sent())
    })
}

fn unread_go(version: Option<&str>) -> Sending {
    let is_old = version
        .and_then(major_and_minor)
        .is_some_and(|own| own < MIN_GO);
    Sending::Blind(if is_old {
        Hindrance::OldGo
    } else {
        Hindrance::UnknownGo
    })
}

fn major_and_minor(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    let major = parts.next()?.parse().ok()?;
    // As in `1.17rc1`.
    let minor = parts.next()?;
    let end = minor.find(|char: char| !char.is_ascii_digit());
    Some((major, minor[..end.unwrap_or(minor.len())].parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(hook: &'static str, state: State, is_missed: bool) -> Decision {
        Decision {
            hook,
            state,
            detail: format!("{hook} it is"),
            is_missed,
        }
    }

    fn active(hook: &'static str) -> Decision {
        decision(hook, State::Active, false)
    }

    fn absent(hook: &'static str) -> Decision {
        decision(hook, State::Disabled, false)
    }

    fn missed(hook: &'static str) -> Decision {
        decision(hook, State::Disabled, true)
    }

    fn traces(text: &str) -> Traces {
        Traces::search(format!("\0{text}\0").as_bytes()).unwrap()
    }

    #[derive(Default)]
    struct Case {
        name: &'static str,
        decisions: Vec<Decision>,
        text: &'static str,
        crypto: Option<&'static str>,
        /// Of a program written in Go the version, empty where it says none.
        go: Option<&'static str>,
        expected: &'static [(TlsEngine, Option<&'static str>, &'static str)],
    }

    fn check(case: &Case) {
        let traces_of_file = traces(case.text);
        let crypto = case.crypto.map(traces);
        let facts = Facts {
            name: case.name.as_bytes(),
            decisions: &case.decisions,
            is_go: case.go.is_some(),
            go_version: case.go.filter(|version| !version.is_empty()),
            traces: &traces_of_file,
        };
        let found = judge(facts, crypto.as_ref());
        let shown: Vec<_> = found
            .iter()
            .map(|own| {
                let sending = format!("{:?}", own.sending);
                (own.engine, own.version.as_deref(), sending)
            })
            .collect();
        let expected: Vec<_> = case
            .expected
            .iter()
            .map(|(engine, version, sending)| (*engine, *version, (*sending).to_owned()))
            .collect();
        assert_eq!(shown, expected, "{} {:?}", case.name, case.text);
    }

    const DYNAMIC: &str = "libssl.so.3";

    #[test]
    fn a_library_is_what_it_says_or_what_it_calls() {
        use TlsEngine::{AwsLc, BoringSslOrAwsLc, LibreSsl, OpenSsl};
        const NEW: &str = "OpenSSL 3.0.19 27 Jan 2026";
        const OLD: &str = "OpenSSL 1.1.1w  11 Sep 2023";
        const AWS: &str = "OpenSSL 1.1.1 (compatible; AWS-LC 1.48.0)";
        for (text, crypto, expected) in [
            ("", Some(NEW), &[(OpenSsl, Some("3.0.19"), "Read")]),
            ("", None, &[(OpenSsl, None, "Read")]),
            (OLD, Some(NEW), &[(OpenSsl, Some("1.1.1w"), "Read")]),
            ("ssl_lib.cc", Some(AWS), &[(AwsLc, Some("1.48.0"), "Read")]),
            ("ssl_lib.cc", Some(""), &[(BoringSslOrAwsLc, None, "Read")]),
            (
                "",
                Some("LibreSSL 4.0.0"),
                &[(LibreSsl, Some("4.0.0"), "Read")],
            ),
        ] {
            check(&Case {
                name: DYNAMIC,
                decisions: vec![active("ssl_write")],
                text,
                crypto,
                expected,
                ..Case::default()
            });
        }
    }

    #[test]
    fn what_is_probed_in_whole_is_read() {
        use TlsEngine::{BoringSsl, GnuTls, OpenSsl};
        for (name, decisions, text, expected) in [
            (
                DYNAMIC,
                vec![active("ssl_write"), absent("ssl_write_ex2")],
                "",
                &[(OpenSsl, None, "Read")][..],
            ),
            (
                DYNAMIC,
                vec![
                    active("ssl_write"),
                    missed("ssl_write_ex"),
                    active("ssl_free"),
                ],
                "",
                &[(OpenSsl, None, "Partly(\"ssl_write_ex it is\")")],
            ),
            // What only receives takes nothing from it.
            (
                DYNAMIC,
                vec![active("ssl_write"), missed("ssl_read")],
                "",
                &[(OpenSsl, None, "Read")],
            ),
            (
                DYNAMIC,
                vec![missed("ssl_write"), active("ssl_free")],
                "",
                &[(OpenSsl, None, "Blind(NoFunctions(\"ssl_write it is\"))")],
            ),
            (
                "app",
                vec![],
                "boringssl/ssl/ssl_lib.cc",
                &[(BoringSsl, None, "Blind(NoSymbols)")],
            ),
            (
                "libgnutls.so.30",
                vec![active("gnutls_record_send2"), active("ssl_free")],
                "GnuTLS 3.7.9 logging",
                &[(GnuTls, Some("3.7.9"), "Read")],
            ),
            (
                "libgnutls.so.30",
                vec![active("gnutls_record_send2")],
                "",
                &[(GnuTls, Some("so.30"), "Read")],
            ),
            (
                "ld-linux-x86-64.so.2",
                vec![active("library_loaded")],
                "",
                &[],
            ),
            (
                "nginx",
                vec![],
                "built with OpenSSL 3.0.19 27 Jan 2026",
                &[],
            ),
        ] {
            check(&Case {
                name,
                decisions,
                text,
                expected,
                ..Case::default()
            });
        }
    }

    #[test]
    fn what_is_not_read_has_its_reason() {
        use TlsEngine::{Go, MbedTls, Nss, OpenSsl, Rustls};
        const TLS: &str = "crypto/tls.(*Conn).Write";
        for (name, decisions, text, go, expected) in [
            (
                "app",
                vec![active("go_write")],
                TLS,
                Some("1.24.3"),
                &[(Go, Some("1.24.3"), "Read")][..],
            ),
            (
                "app",
                vec![],
                TLS,
                Some("1.16.15"),
                &[(Go, Some("1.16.15"), "Blind(OldGo)")],
            ),
            (
                "app",
                vec![],
                TLS,
                Some("1.17rc1"),
                &[(Go, Some("1.17rc1"), "Blind(UnknownGo)")],
            ),
            (
                "app",
                vec![],
                TLS,
                Some(""),
                &[(Go, None, "Blind(UnknownGo)")],
            ),
            ("app", vec![], "", Some("1.24.3"), &[]),
            // The name in another program's text.
            ("app", vec![], TLS, None, &[]),
            (
                "app",
                vec![active("ssl_write")],
                "OpenSSL 3.5.7 9 Jun 2026\0/rustls-0.23.12/src",
                None,
                &[
                    (OpenSsl, Some("3.5.7"), "Read"),
                    (Rustls, Some("0.23.12"), "Blind(Rustls)"),
                ],
            ),
            (
                "libssl3.so",
                vec![],
                "Version: NSS 3.87.1",
                None,
                &[(Nss, Some("3.87.1"), "Blind(NoHooks)")],
            ),
            (
                "libmbedtls.so.14",
                vec![],
                "",
                None,
                &[(MbedTls, None, "Blind(NoHooks)")],
            ),
        ] {
            check(&Case {
                name,
                decisions,
                text,
                go,
                expected,
                crypto: None,
            });
        }
    }
}
