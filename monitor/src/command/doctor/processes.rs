//! `phiwatch doctor --processes`: which processes use TLS, and which of them phiwatch
//! reads.
//!
//! In: an [`Inventory`]. Out: a table with what to do about the rest, or JSON, and an
//! exit code that says whether something is not read.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    io::{self, IsTerminal as _, Write as _},
};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use crate::{
    command::{
        ExitStatus, Failure, OrFail as _,
        scope::{ScopeArgs, overlay, scope},
    },
    config::ScopeSection,
    probe::{Hindrance, Inventory, Sending, TlsProcess, TlsUse, inventory},
    report::cut,
};

/// Characters of one cell.
const MAX_CELL: usize = 160;
/// Characters of the reason why a process was not seen.
const MAX_WHY: usize = 1_000;

/// What helps against most hindrances.
const PROXY: &str = "or let it send through a plaintext proxy on this host, which phiwatch reads.";
const LOOK: &str = "Find out why the file cannot be looked at; if a permission is missing, run \
                    phiwatch as root on the host itself.";
const AS_ROOT: &str = "Run phiwatch as root on the host itself, or with CAP_SYS_PTRACE, \
                       CAP_SYS_ADMIN and CAP_DAC_READ_SEARCH.";

/// Looks at the processes of the scope and prints what is known of them.
pub(super) fn execute(args: &ScopeArgs, is_json: bool) -> Result<(), Failure> {
    let mut section = ScopeSection::default();
    overlay(&mut section, args);
    let scope = scope(&section)?;
    let found = inventory(&scope).or_fail(ExitStatus::Io)?;
    let text = if is_json {
        let document = Document::from(&found);
        let text = serde_json::to_string_pretty(&document).or_fail(ExitStatus::Internal)?;
        format!("{text}\n")
    } else {
        report(&found, io::stdout().is_terminal()).or_fail(ExitStatus::Internal)?
    };
    io::stdout()
        .lock()
        .write_all(text.as_bytes())
        .or_fail(ExitStatus::Io)?;
    verdict(&found)
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Document<'a> {
    processes: Vec<Entry<'a>>,
    others: usize,
    unseen: Vec<UnseenEntry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    pid: u32,
    exe: Option<&'a str>,
    comm: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<&'a str>,
    engines: Vec<EngineEntry<'a>>,
}

#[derive(Serialize)]
struct EngineEntry<'a> {
    engine: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    file: &'a str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

#[derive(Serialize)]
struct UnseenEntry<'a> {
    pid: u32,
    why: &'a str,
}

impl<'a> From<&'a Inventory> for Document<'a> {
    fn from(found: &'a Inventory) -> Self {
        let entry = |own: &'a TlsProcess| Entry {
            pid: own.process.pid,
            exe: own.process.exe.as_deref(),
            comm: own.process.comm.as_deref(),
            unit: own.process.unit.as_deref(),
            container: own.process.container.as_deref(),
            engines: own.engines.iter().map(EngineEntry::from).collect(),
        };
        let unseen = found.unseen.iter().map(|own| UnseenEntry {
            pid: own.pid,
            why: &own.why,
        });
        Self {
            processes: found.processes.iter().map(entry).collect(),
            others: found.others,
            unseen: unseen.collect(),
        }
    }
}

impl<'a> From<&'a TlsUse> for EngineEntry<'a> {
    fn from(own: &'a TlsUse) -> Self {
        Self {
            engine: own.engine.as_str(),
            version: own.version.as_deref(),
            file: &own.file,
            state: state(&own.sending),
            reason: reason(&own.sending),
            advice: advice(&own.sending),
        }
    }
}

const fn state(sending: &Sending) -> &'static str {
    match sending {
        Sending::Read => "read",
        Sending::Partly(_) => "partly",
        Sending::Blind(_) => "blind",
        Sending::Unknown(_) => "unknown",
    }
}

/// Why not all of it is read.
fn reason(sending: &Sending) -> Option<&str> {
    Some(match sending {
        Sending::Read => return None,
        Sending::Partly(why) | Sending::Unknown(why) => why,
        Sending::Blind(why) => match why {
            Hindrance::Java => "Java's own TLS, which is no native code",
            Hindrance::Rustls => "rustls, whose functions phiwatch does not know",
            Hindrance::NoSymbols => "compiled in, without symbols for its functions",
            Hindrance::OldGo => "Go older than 1.17",
            Hindrance::UnknownGo => "its functions are not in the table of the program",
            Hindrance::NoHooks => "a library that phiwatch has no hooks for",
            Hindrance::NoFunctions(why) => why,
        },
    })
}

/// What to do about it.
fn advice(sending: &Sending) -> Option<String> {
    let what = match sending {
        Sending::Read => return None,
        Sending::Unknown(_) => return Some(LOOK.to_owned()),
        Sending::Partly(_) | Sending::Blind(Hindrance::NoFunctions(_)) => {
            "Use a build of the library whose functions can be probed, such as that of the \
             distribution,"
        }
        Sending::Blind(why) => match why {
            Hindrance::Java => "Look at the service's own configuration and logs,",
            Hindrance::Rustls => {
                "Build the program with native-tls, which uses the system's OpenSSL,"
            }
            Hindrance::NoSymbols => {
                "Use a build that links the system's OpenSSL, or install its symbols below \
                 /usr/lib/debug,"
            }
            Hindrance::OldGo => "Build the program with Go 1.17 or later,",
            Hindrance::UnknownGo => "Build the program with a released Go, unobfuscated,",
            Hindrance::NoHooks | Hindrance::NoFunctions(_) => {
                "Let the program use OpenSSL or GnuTLS,"
            }
        },
    };
    Some(format!("{what} {PROXY}"))
}

/// The report for people.
fn report(found: &Inventory, is_terminal: bool) -> Result<String, fmt::Error> {
    let mut text = String::new();
    if !found.processes.is_empty() {
        text.push_str(&table(&found.processes, is_terminal));
        text.push('\n');
    }
    let mut advised: BTreeMap<String, usize> = BTreeMap::new();
    for process in &found.processes {
        let mut own: Vec<_> = process
            .engines
            .iter()
            .filter_map(|engine| {
                Some(format!(
                    "{}: {}",
                    engine.engine.as_str(),
                    advice(&engine.sending)?
                ))
            })
            .collect();
        own.sort();
        own.dedup();
        for line in own {
            *advised.entry(line).or_default() += 1;
        }
    }
    for (line, count) in advised {
        writeln!(text, "-> {} with {line}", processes(count))?;
    }
    for own in &found.unseen {
        let why = cut(&own.why, MAX_WHY);
        writeln!(text, "Process {} was not seen in whole: {why}", own.pid)?;
    }
    if found.unseen.iter().any(|own| own.is_permission) {
        writeln!(text, "-> {AS_ROOT}")?;
    }
    let unread = unread(found);
    writeln!(
        text,
        "{} with TLS: {} read, {unread} not or not in whole. Without a trace of TLS: {}. Not seen \
         in whole: {}.",
        processes(found.processes.len()),
        found.processes.len() - unread,
        processes(found.others),
        processes(found.unseen.len()),
    )?;
    Ok(text)
}

fn table(all: &[TlsProcess], is_terminal: bool) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "PID",
        "EXECUTABLE",
        "TLS",
        "VERSION",
        "READ",
        "WHY",
    ]);
    // For other programs a row is one line, however long.
    if is_terminal {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    for own in all {
        let exe = own.process.exe.as_deref().unwrap_or("-");
        for engine in &own.engines {
            let read = match &engine.sending {
                Sending::Read => "yes",
                Sending::Partly(_) => "partly",
                Sending::Blind(_) => "no",
                Sending::Unknown(_) => "unknown",
            };
            let mut why = reason(&engine.sending).unwrap_or_default().to_owned();
            if !why.is_empty() && engine.file != exe {
                why = format!("{why} ({})", engine.file);
            }
            table.add_row([
                own.process.pid.to_string(),
                cut(exe, MAX_CELL).into_owned(),
                engine.engine.as_str().to_owned(),
                cut(engine.version.as_deref().unwrap_or("-"), MAX_CELL).into_owned(),
                read.to_owned(),
                cut(&why, MAX_CELL).into_owned(),
            ]);
        }
    }
    format!("{}\n", table.trim_fmt())
}

fn processes(count: usize) -> String {
    match count {
        1 => "1 process".to_owned(),
        _ => format!("{count} processes"),
    }
}

/// How many processes have an engine that is not read in whole.
fn unread(found: &Inventory) -> usize {
    let is_unread = |own: &&TlsProcess| {
        let mut engines = own.engines.iter();
        engines.any(|engine| engine.sending != Sending::Read)
    };
    found.processes.iter().filter(is_unread).count()
}

fn verdict(found: &Inventory) -> Result<(), Failure> {
    let unread = unread(found);
    if unread > 0 {
        let message = format!(
            "not all that is sent over TLS by {} is read",
            processes(unread)
        );
        return Err(Failure::message(ExitStatus::Blind, message));
    }
    if found.unseen.is_empty() {
        return Ok(());
    }
    let is_permission = found.unseen.iter().any(|own| own.is_permission);
    let code = if is_permission {
        ExitStatus::NotPermitted
    } else {
        ExitStatus::Blind
    };
    let count = processes(found.unseen.len());
    Err(Failure::message(code, format!("{count} not seen in whole")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::Process,
        probe::{TlsEngine, Unseen},
    };

    fn used(engine: TlsEngine, version: Option<&str>, sending: Sending) -> TlsUse {
        TlsUse {
            engine,
            version: version.map(str::to_owned),
            file: "/lib/libssl.so.3".to_owned(),
            sending,
        }
    }

    fn process(pid: u32, exe: &str, engines: Vec<TlsUse>) -> TlsProcess {
        TlsProcess {
            process: Process {
                pid,
                exe: Some(exe.to_owned()),
                comm: Some("app".to_owned()),
                unit: (pid == 7).then(|| "shop.service".to_owned()),
                ..Process::default()
            },
            engines,
        }
    }

    fn read() -> TlsUse {
        used(TlsEngine::OpenSsl, Some("3.0.19"), Sending::Read)
    }

    fn blind(why: Hindrance) -> TlsUse {
        used(TlsEngine::Rustls, None, Sending::Blind(why))
    }

    fn unseen(is_permission: bool) -> Unseen {
        Unseen {
            pid: 9,
            why: "why\u{1b}[2J\u{202e}".to_owned(),
            is_permission,
        }
    }

    #[test]
    fn the_exit_code_says_whether_something_is_not_read() {
        let unknown = || used(TlsEngine::OpenSsl, None, Sending::Unknown("it".to_owned()));
        let partly = || used(TlsEngine::OpenSsl, None, Sending::Partly("it".to_owned()));
        for (engines, unseen, expected) in [
            (vec![], vec![], None),
            (vec![vec![read()]], vec![], None),
            (
                vec![vec![read()], vec![read(), blind(Hindrance::Rustls)]],
                vec![],
                Some(ExitStatus::Blind),
            ),
            (vec![vec![unknown()]], vec![], Some(ExitStatus::Blind)),
            (
                vec![vec![partly()]],
                vec![unseen(true)],
                Some(ExitStatus::Blind),
            ),
            (
                vec![vec![read()]],
                vec![unseen(true)],
                Some(ExitStatus::NotPermitted),
            ),
            (vec![], vec![unseen(false)], Some(ExitStatus::Blind)),
        ] {
            let all = engines.into_iter().map(|own| process(7, "/app", own));
            let found = Inventory {
                processes: all.collect(),
                others: 0,
                unseen,
            };
            let code = verdict(&found).err().map(|failure| failure.code);
            assert_eq!(code, expected, "{found:?}");
        }
    }

    fn example() -> Inventory {
        Inventory {
            processes: vec![
                process(7, "/a\u{1b}[31m\u{9b}pp\u{202e}", vec![read()]),
                process(
                    8,
                    "/lib/libssl.so.3",
                    vec![read(), blind(Hindrance::Rustls)],
                ),
            ],
            others: 1,
            unseen: vec![unseen(true)],
        }
    }

    #[test]
    fn people_read_a_table_without_active_characters() {
        let text = report(&example(), false).unwrap();
        let is_harmless = |char: char| char == '\n' || !char.is_control() && char != '\u{202e}';
        assert!(text.chars().all(is_harmless), "{text:?}");
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let lines: Vec<String> = text.lines().map(words).collect();
        for expected in [
            "PID EXECUTABLE TLS VERSION READ WHY",
            "7 /a\\u{1b}[31m\\u{9b}pp\\u{202e} OpenSSL 3.0.19 yes",
            "8 /lib/libssl.so.3 OpenSSL 3.0.19 yes",
            "8 /lib/libssl.so.3 rustls - no rustls, whose functions phiwatch does not know",
            "Process 9 was not seen in whole: why\\u{1b}[2J\\u{202e}",
            "2 processes with TLS: 1 read, 1 not or not in whole. Without a trace of TLS: 1 \
             process. Not seen in whole: 1 process.",
        ] {
            assert!(
                lines.iter().any(|line| line == expected),
                "{expected}\n{text}"
            );
        }
        assert!(
            text.contains("-> 1 process with rustls: Build the program"),
            "{text}"
        );
    }

    #[test]
    fn programs_read_json() {
        let document = serde_json::to_value(Document::from(&example())).unwrap();
        let own = &document["processes"][0];
        assert_eq!(own["pid"], 7);
        assert_eq!(own["unit"], "shop.service");
        assert_eq!(own.get("container"), None);
        let engine = &own["engines"][0];
        let expected = serde_json::json!({
            "engine": "OpenSSL",
            "version": "3.0.19",
            "file": "/lib/libssl.so.3",
            "state": "read",
        });
        assert_eq!(*engine, expected);
        let engine = &document["processes"][1]["engines"][1];
        assert_eq!(engine["state"], "blind");
        assert!(engine["reason"].is_string() && engine["advice"].is_string());
        assert_eq!(engine.get("version"), None);
        assert_eq!(document["others"], 1);
        assert_eq!(document["unseen"][0]["pid"], 9);
    }

    #[test]
    fn advice_is_a_sentence() {
        for why in [
            Hindrance::Java,
            Hindrance::Rustls,
            Hindrance::NoSymbols,
            Hindrance::OldGo,
            Hindrance::UnknownGo,
            Hindrance::NoHooks,
            Hindrance::NoFunctions("it".to_owned()),
        ] {
            let sending = Sending::Blind(why);
            let text = advice(&sending).unwrap();
            assert!(
                text.ends_with('.') && text.starts_with(char::is_uppercase),
                "{text}"
            );
            assert!(reason(&sending).is_some());
        }
    }
}
