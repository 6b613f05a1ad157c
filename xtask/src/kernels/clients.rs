//! What the clients of a guest send.

use std::fmt::Write as _;

/// The recipient of all requests, which is a tracker.
pub(super) const HOST: &str = "graph.facebook.com";
/// The request target.
const PATH: &str = "/v26.0/100000000000001/events";
/// A synthetic patient, as a guest knows the file.
pub(super) const BODY: &str = "/event.json";

/// How a client's bytes reach the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Over TLS, watched.
    Tls,
    /// In plaintext, watched.
    Plain,
    /// Over TLS, out of scope: none of it may be seen.
    Outside,
}

/// A client, which runs to its end.
pub(super) struct Client {
    /// What its files are called.
    pub(super) name: &'static str,
    /// How it sends.
    pub(super) way: Way,
    /// A program of `tests/native`, or busybox.
    program: &'static str,
    /// Its further arguments.
    arguments: &'static str,
    /// How many requests it makes, each of which is one finding.
    pub(super) requests: usize,
}

const fn exact(name: &'static str, arguments: &'static str) -> Client {
    Client {
        name,
        way: Way::Tls,
        program: "exact",
        arguments,
        requests: 50,
    }
}

const fn fibers(name: &'static str, way: Way, arguments: &'static str) -> Client {
    Client {
        name,
        way,
        program: "fibers",
        arguments,
        requests: FIBERS * 20,
    }
}

/// Fibers of a process, as its arguments say.
const FIBERS: usize = 8;

/// In this order, one after another.
pub(super) const CLIENTS: &[Client] = &[
    exact("answered-plain", "answered plain"),
    exact("answered-ex", "answered ex"),
    exact("pipelined", "pipelined plain"),
    // Every write has to be made again.
    exact("refused", "refused ex"),
    // Stays until the guest has examined what phiwatch holds.
    Client {
        name: "held",
        way: Way::Tls,
        program: "crowd",
        arguments: "5 0",
        requests: 5,
    },
    Client {
        name: "plaintext",
        way: Way::Plain,
        program: "wget",
        arguments: "",
        requests: 1,
    },
    fibers("fibers-outside", Way::Outside, "ucontext 8 1 20 plain -"),
    fibers("fibers-ucontext", Way::Tls, "ucontext 8 1 20 plain -"),
    // From thread to thread, and with an eye on the return address.
    fibers("fibers-assembly", Way::Tls, "assembly 8 2 20 ex look"),
];

impl Client {
    /// Whether it leaves its stack inside the library.
    pub(super) fn has_fibers(&self) -> bool {
        self.program == "fibers"
    }

    /// Name, side and command line, as `guest.sh` takes them.
    fn line(&self) -> String {
        let Self {
            name,
            program,
            arguments,
            ..
        } = self;
        match self.way {
            Way::Plain => {
                format!("{name} watched {program} -q -O - --post-file {BODY} http://{HOST}{PATH}")
            }
            Way::Tls => {
                format!("{name} watched {program} {HOST} 443 {PATH} {BODY} {arguments}")
            }
            Way::Outside => {
                format!("{name} outside {program} {HOST} 8443 {PATH} {BODY} {arguments}")
            }
        }
    }
}

/// A line for each client.
pub(super) fn lines() -> String {
    let mut text = String::new();
    for client in CLIENTS {
        writeln!(text, "{}", client.line()).expect("a string takes everything");
    }
    text
}
