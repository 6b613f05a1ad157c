//! What the bytes of a file tell of the TLS engines in it, and of their versions.
//!
//! In: a file. Out: its [`Traces`]. What a version is said to be is the text that the
//! engine itself has for it; where there are several, none is believed.

use std::{
    collections::BTreeSet,
    io::{self, Read},
};

use memchr::memmem::Finder;

use super::{super::executable, judge::TlsEngine};

/// How much is read at once, bytes.
const PIECE: usize = 1 << 20;
/// How many bytes before and behind a trace are looked at.
const AROUND: usize = 128;
/// How many versions of a file are remembered.
const MAX_VERSIONS: usize = 16;
/// The longest version, bytes.
const MAX_VERSION: usize = 32;

/// What was found in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Traces {
    /// The engines that left something of their own.
    pub engines: BTreeSet<TlsEngine>,
    /// The versions that they say they are.
    pub versions: BTreeSet<(TlsEngine, String)>,
    /// The TLS part of OpenSSL or of a relative is in the file, whichever it is.
    pub is_openssl: bool,
    /// It is one of those that are written in C++.
    pub is_cpp: bool,
}

/// What is searched for, with what looks at it: the trace and the bytes around it.
const NEEDLES: &[(&[u8], Note)] = &[
    (b"ssl_lib.c", source_file),
    (b"OpenSSL ", openssl),
    (b"LibreSSL ", libressl),
    (b"GnuTLS ", gnutls),
    (b"Version: NSS ", nss),
    (b"crypto/tls.(*Conn).", go),
    (executable::NAME, rustls),
];

/// Takes in a trace that stands between these bytes.
type Note = fn(&mut Traces, before: &[u8], behind: &[u8]);

impl Traces {
    /// Searches a file.
    pub(super) fn search(mut file: impl Read) -> io::Result<Self> {
        let finders: Vec<_> = NEEDLES
            .iter()
            .map(|(needle, note)| (Finder::new(needle), needle.len(), note))
            .collect();
        let mut traces = Self::default();
        let mut window = Vec::with_capacity(PIECE);
        // Where in the window the next trace may begin.
        let mut from = 0;
        loop {
            let wanted = PIECE.saturating_sub(window.len()) as u64;
            let is_end = file.by_ref().take(wanted).read_to_end(&mut window)? == 0;
            // What begins later is looked at with all that follows it.
            let to = if is_end {
                window.len()
            } else {
                window.len().saturating_sub(2 * AROUND)
            };
            for (finder, length, note) in &finders {
                let rest = window.get(from..).unwrap_or_default();
                let places = finder.find_iter(rest).map(|at| from + at);
                for at in places.take_while(|at| *at < to) {
                    let before = &window[at.saturating_sub(AROUND)..at];
                    let behind = &window[at + length..];
                    note(&mut traces, before, &behind[..behind.len().min(AROUND)]);
                }
            }
            if is_end {
                return Ok(traces);
            }
            let kept = to.saturating_sub(AROUND);
            window.drain(..kept);
            from = to - kept;
        }
    }

    /// The version of an engine, if one is known.
    pub(super) fn version(&self, engine: TlsEngine) -> Option<&str> {
        let mut own = self.versions.iter().filter(|(of, _)| *of == engine);
        let (_, version) = own.next()?;
        own.next().is_none().then_some(version.as_str())
    }

    /// All versions of an engine, where a program may hold more than one of them.
    pub(super) fn all_versions(&self, engine: TlsEngine) -> Option<String> {
        let own = self.versions.iter().filter(|(of, _)| *of == engine);
        let own: Vec<&str> = own.map(|(_, version)| version.as_str()).collect();
        (!own.is_empty()).then(|| own.join(", "))
    }

    /// Which relative of OpenSSL the file has, given that it has one.
    pub(super) fn relative(&self) -> TlsEngine {
        let has = |engine| self.engines.contains(&engine);
        match (has(TlsEngine::BoringSsl), has(TlsEngine::AwsLc)) {
            (true, false) => TlsEngine::BoringSsl,
            (false, true) => TlsEngine::AwsLc,
            _ if self.is_cpp => TlsEngine::BoringSslOrAwsLc,
            _ if has(TlsEngine::LibreSsl) => TlsEngine::LibreSsl,
            _ => TlsEngine::OpenSsl,
        }
    }

    fn note(&mut self, engine: TlsEngine, version: Option<&str>) {
        self.engines.insert(engine);
        if let Some(version) = version.filter(|_| self.versions.len() < MAX_VERSIONS) {
            self.versions.insert((engine, version.to_owned()));
        }
    }
}

/// The name of a source file, for messages.
fn source_file(traces: &mut Traces, before: &[u8], behind: &[u8]) {
    if before.last().is_some_and(|byte| is_word(*byte)) {
        return;
    }
    traces.is_openssl = true;
    traces.is_cpp |= behind.starts_with(b"c");
    let start = before
        .iter()
        .rposition(|byte| !byte.is_ascii_graphic())
        .map_or(0, |at| at + 1);
    let folder = &before[start..];
    for (name, engine) in [
        (&b"boringssl"[..], TlsEngine::BoringSsl),
        (b"aws-lc", TlsEngine::AwsLc),
    ] {
        if memchr::memmem::find(folder, name).is_some() {
            traces.note(engine, None);
        }
    }
}

/// `OpenSSL 3.0.19 27 Jan 2026`, `OpenSSL 1.1.1k  FIPS 25 Mar 2021`, and what relatives
/// say to programs that ask: `OpenSSL 1.1.1 (compatible; AWS-LC 1.48.0)`.
fn openssl(traces: &mut Traces, before: &[u8], behind: &[u8]) {
    let Some((version, rest)) = version(before, behind) else {
        return;
    };
    if let Some(rest) = rest.strip_prefix(b" (compatible; ") {
        if rest.starts_with(b"BoringSSL)") {
            traces.note(TlsEngine::BoringSsl, None);
        } else if let Some(rest) = rest.strip_prefix(b"AWS-LC") {
            let own = rest.strip_prefix(b" ");
            let own = own.and_then(|rest| self::version(&[], rest));
            traces.note(TlsEngine::AwsLc, own.map(|(version, _)| version));
        }
        return;
    }
    let rest = rest.trim_ascii_start();
    let rest = rest.strip_prefix(b"FIPS ").unwrap_or(rest);
    if is_date(rest) {
        traces.note(TlsEngine::OpenSsl, Some(version));
    }
}

fn libressl(traces: &mut Traces, before: &[u8], behind: &[u8]) {
    if let Some((version, rest)) = version(before, behind)
        && rest.first() == Some(&0)
    {
        traces.note(TlsEngine::LibreSsl, Some(version));
    }
}

/// `GnuTLS 3.7.9 logging..`
fn gnutls(traces: &mut Traces, before: &[u8], behind: &[u8]) {
    if let Some((version, rest)) = version(before, behind)
        && rest.starts_with(b" logging")
    {
        traces.note(TlsEngine::GnuTls, Some(version));
    }
}

fn nss(traces: &mut Traces, before: &[u8], behind: &[u8]) {
    if let Some((version, _)) = version(before, behind) {
        traces.note(TlsEngine::Nss, Some(version));
    }
}

fn go(traces: &mut Traces, _: &[u8], _: &[u8]) {
    traces.engines.insert(TlsEngine::Go);
}

fn rustls(traces: &mut Traces, before: &[u8], behind: &[u8]) {
    let Some(last) = before.last() else { return };
    let around = [&[*last], executable::NAME, behind].concat();
    if !executable::is_mark(&around, 1) {
        return;
    }
    let folder = behind.strip_prefix(b"-").filter(|_| *last == b'/');
    let own = folder.and_then(|rest| version(b"/", rest));
    let own = own.filter(|(_, rest)| rest.first() == Some(&b'/'));
    traces.note(TlsEngine::Rustls, own.map(|(version, _)| version));
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// A version with at least two dots, and what stands behind it. What stands `before`
/// its name may not go on in that.
fn version<'a>(before: &[u8], text: &'a [u8]) -> Option<(&'a str, &'a [u8])> {
    if before.last().is_some_and(|byte| is_word(*byte)) {
        return None;
    }
    let length = text
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric() && !b".+-".contains(byte))?;
    let (version, rest) = text.split_at(length);
    let version = std::str::from_utf8(version).ok()?;
    let mut parts = version.split('.');
    let is_number = |part: Option<&str>| {
        part.is_some_and(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let is_whole = is_number(parts.next())
        && is_number(parts.next())
        && parts
            .next()
            .is_some_and(|part| part.starts_with(|first: char| first.is_ascii_digit()));
    (is_whole && version.len() <= MAX_VERSION).then_some((version, rest))
}

/// Whether a text begins with a date as `27 Jan 2026`.
fn is_date(text: &[u8]) -> bool {
    const MONTHS: &[&[u8]] = &[
        b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov",
        b"Dec",
    ];
    let is_number = |part: &[u8], lengths: &[usize]| {
        lengths.contains(&part.len()) && part.iter().all(u8::is_ascii_digit)
    };
    let mut parts = text.splitn(3, |byte| *byte == b' ');
    let (Some(day), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let year = rest.get(..4).unwrap_or_default();
    is_number(day, &[1, 2])
        && MONTHS.contains(&month)
        && is_number(year, &[4])
        && !rest.get(4).is_some_and(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The traces of a file with this text in it, wherever it stands.
    fn check(text: &str, is_openssl: bool, engines: &[TlsEngine], versions: &[&str]) {
        for before in [
            0,
            1,
            AROUND,
            PIECE - 300,
            PIECE - 2 * AROUND,
            PIECE - 12,
            PIECE,
            2 * PIECE - 20,
        ] {
            let mut file = vec![0; before];
            file.push(b'"');
            file.extend_from_slice(text.as_bytes());
            file.extend([0; 100]);
            let found = Traces::search(file.as_slice()).unwrap();
            assert_eq!(found.is_openssl, is_openssl, "{text} behind {before}");
            let expected: BTreeSet<_> = engines.iter().copied().collect();
            assert_eq!(found.engines, expected, "{text} behind {before}");
            let own: Vec<_> = found.versions.iter().map(|(_, own)| own.as_str()).collect();
            assert_eq!(own, versions, "{text} behind {before}");
        }
    }

    #[test]
    fn engines_leave_traces_and_say_their_versions() {
        use TlsEngine::{AwsLc, BoringSsl, GnuTls, Go, LibreSsl, Nss, OpenSsl, Rustls};
        let none: &[TlsEngine] = &[];
        for (text, is_openssl, engines, versions) in [
            (
                "OpenSSL 3.0.19 27 Jan 2026",
                false,
                &[OpenSsl][..],
                &["3.0.19"][..],
            ),
            (
                "OpenSSL 1.1.1w  11 Sep 2023",
                false,
                &[OpenSsl],
                &["1.1.1w"],
            ),
            (
                "OpenSSL 1.1.1k  FIPS 25 Mar 2021",
                false,
                &[OpenSsl],
                &["1.1.1k"],
            ),
            (
                "OpenSSL 3.0.15+quic 3 Sep 2024",
                false,
                &[OpenSsl],
                &["3.0.15+quic"],
            ),
            ("OpenSSL 3.0 legacy provider", false, none, &[]),
            ("OpenSSL 3.0's legacy provider failed", false, none, &[]),
            ("OpenSSL 3.0.19", false, none, &[]),
            ("OpenSSL 3.0.19 is too old", false, none, &[]),
            ("OpenSSL 3.0.19 27 Jan 20266", false, none, &[]),
            ("MyOpenSSL 3.0.19 27 Jan 2026", false, none, &[]),
            (
                "OpenSSL 1.1.1 (compatible; BoringSSL)",
                false,
                &[BoringSsl],
                &[],
            ),
            (
                "OpenSSL 1.1.1 (compatible; AWS-LC 1.48.0)",
                false,
                &[AwsLc],
                &["1.48.0"],
            ),
            (
                "OpenSSL 1.1.1 (compatible; AWS-LC FIPS)",
                false,
                &[AwsLc],
                &[],
            ),
            ("ssl/ssl_lib.c", true, none, &[]),
            ("wolfssl_lib.c", false, none, &[]),
            (
                "third_party/boringssl/src/ssl/ssl_lib.cc",
                true,
                &[BoringSsl],
                &[],
            ),
            ("/src/aws-lc/ssl/ssl_lib.cc", true, &[AwsLc], &[]),
            ("LibreSSL 4.0.0", false, &[LibreSsl], &["4.0.0"]),
            ("LibreSSL 4.0.0 is newer", false, none, &[]),
            ("GnuTLS 3.7.9 logging..", false, &[GnuTls], &["3.7.9"]),
            ("GnuTLS 3.7.9 is old", false, none, &[]),
            ("Version: NSS 3.87.1", false, &[Nss], &["3.87.1"]),
            ("crypto/tls.(*Conn).Write", false, &[Go], &[]),
            (
                "registry/rustls-0.23.46/src/msgs",
                false,
                &[Rustls],
                &["0.23.46"],
            ),
            ("registry/tokio-rustls-0.26.6/src", false, none, &[]),
            ("/rustls-0.23.46.crate", false, &[Rustls], &[]),
            ("_ZN6rustls6client2hs", false, &[Rustls], &[]),
        ] {
            check(text, is_openssl, engines, versions);
        }
    }

    #[test]
    fn of_several_versions_none_is_believed() {
        for (text, one, all) in [
            ("/rustls-0.21.1/a", Some("0.21.1"), Some("0.21.1")),
            (
                "/rustls-0.21.1/a /rustls-0.21.1/b",
                Some("0.21.1"),
                Some("0.21.1"),
            ),
            (
                "/rustls-0.21.1/a /rustls-0.23.4/b",
                None,
                Some("0.21.1, 0.23.4"),
            ),
            ("rustls::client", None, None),
        ] {
            let found = Traces::search(text.as_bytes()).unwrap();
            assert_eq!(found.version(TlsEngine::Rustls), one, "{text}");
            assert_eq!(
                found.all_versions(TlsEngine::Rustls).as_deref(),
                all,
                "{text}"
            );
        }
    }
}
