//! The hooks, as data: one row a hook, one loop attaches them.

use phiwatch_ebpf::abi::function;

use crate::event::Source;

/// The kinds of files whose functions are probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// OpenSSL and its relatives: libssl, or a program or library that it is linked
    /// into.
    OpenSsl,
    /// `GnuTLS`, likewise.
    GnuTls,
    /// A program written in Go, with its `crypto/tls`.
    Go,
    /// A dynamic loader, of glibc or musl.
    Loader,
}

impl Object {
    /// Every kind.
    pub const ALL: &'static [Self] = &[Self::OpenSsl, Self::GnuTls, Self::Go, Self::Loader];

    /// What the plaintext of a TLS library is said to come from; `None` for a
    /// file that is none.
    pub const fn source(self) -> Option<Source> {
        match self {
            Self::OpenSsl => Some(Source::OpenSsl),
            Self::GnuTls => Some(Source::GnuTls),
            Self::Go => Some(Source::Go),
            Self::Loader => None,
        }
    }

    /// The kind of a file by its name, without folders. A file of any other name may
    /// still have a TLS library linked into it.
    pub fn of_name(name: &[u8]) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|object| object.has_name(name))
    }

    fn has_name(self, name: &[u8]) -> bool {
        match self {
            // `libssl3.so` is NSS, which has another interface.
            Self::OpenSsl => is_library(name, b"libssl"),
            Self::GnuTls => is_library(name, b"libgnutls"),
            Self::Go => false,
            Self::Loader => [&b"ld-linux"[..], b"ld-musl-", b"ld-2."]
                .iter()
                .any(|start| name.starts_with(start)),
        }
    }
}

/// Whether a file is called as the shared library `stem` is, perhaps with what a
/// Python wheel adds: `libssl-1a2b3c.so.3`.
fn is_library(name: &[u8], stem: &[u8]) -> bool {
    name.strip_prefix(stem).is_some_and(|rest| {
        rest.starts_with(b".so")
            || matches!(rest.first(), Some(b'-' | b'_'))
                && memchr::memmem::find(rest, b".so").is_some()
    })
}

/// The program of all exits, for kernels without cookies.
pub(super) const EXIT_PROGRAM: &str = "ssl_exit";

/// What is read of the calls of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Its arguments, where it begins.
    Arguments,
    /// What it is given to send: where it begins, and, where the exact count is
    /// wanted, what it took, where it ends.
    Sent,
    /// What it is given to send, where it begins: it sends all of it, or nothing ever
    /// again.
    SentWhole,
    /// What it gives: where it ends. Where it begins its buffer is noted.
    Received,
    /// Nothing: it sends what was seen before. That is known between where it begins
    /// and where it ends.
    Resent,
}

impl Reading {
    /// Whether the function sends what it is given.
    pub const fn is_sent(self) -> bool {
        matches!(self, Self::Sent | Self::SentWhole)
    }
}

/// How a hook's programs are attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attachment {
    /// In a function of a library, by plain probes: see [`place`](super::place)
    /// for where in it.
    Function {
        /// The files that have it.
        object: Object,
        /// The exported symbol.
        symbol: &'static str,
        /// One of [`phiwatch_ebpf::abi::function`].
        function: u8,
        /// How many of its arguments, from the first on, are read.
        arguments: u8,
        /// What is read.
        reading: Reading,
        /// The program of this function alone, for kernels without cookies.
        program: &'static str,
    },
    /// To packets that leave the scope's cgroup.
    Egress(&'static str),
    /// To packets that reach the scope's cgroup.
    Ingress(&'static str),
    /// To connections that processes of the scope's cgroup open, or datagrams that they
    /// send to a peer they name.
    Connect {
        /// Program for IPv4.
        v4: &'static str,
        /// Program for IPv6.
        v6: &'static str,
    },
    /// To tracepoints, found through tracefs. Not every architecture has all of
    /// them.
    Tracepoints(&'static [Tracepoint]),
}

/// A tracepoint and its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tracepoint {
    /// The program.
    pub program: &'static str,
    /// The tracepoint's category.
    pub category: &'static str,
    /// The tracepoint's name.
    pub name: &'static str,
}

const fn tracepoint(
    program: &'static str,
    category: &'static str,
    name: &'static str,
) -> Tracepoint {
    Tracepoint {
        program,
        category,
        name,
    }
}

/// One hook. Every hook is optional by itself: one that fails says so and the
/// others go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hook {
    /// The name in metrics, the start-up summary and `doctor`.
    pub name: &'static str,
    /// How it is attached.
    pub attachment: Attachment,
    /// What is not seen without it.
    pub without: &'static str,
}

impl Hook {
    /// Whether the hook reads plaintext in a TLS library.
    pub fn is_tls(&self) -> bool {
        matches!(self.attachment, Attachment::Function { object, .. } if object.source().is_some())
    }

    /// Whether the hook needs the program of this name.
    pub fn uses(&self, program: &str) -> bool {
        match self.attachment {
            Attachment::Function {
                program: name,
                reading,
                ..
            } => match program {
                // Shared by all functions.
                "tls_call" => true,
                "tls_exit" | EXIT_PROGRAM => {
                    !matches!(reading, Reading::Arguments | Reading::SentWhole)
                }
                _ => name == program,
            },
            Attachment::Egress(name) | Attachment::Ingress(name) => name == program,
            Attachment::Tracepoints(all) => all.iter().any(|one| one.program == program),
            Attachment::Connect { v4, v6 } => v4 == program || v6 == program,
        }
    }
}

/// Every hook. None is a return probe: those change the application's stack, and
/// a thread that switches stacks inside the call is killed.
pub const HOOKS: &[Hook] = &[
    Hook {
        name: "ssl_write",
        attachment: Attachment::Function {
            object: Object::OpenSsl,
            symbol: "SSL_write",
            function: function::SSL_WRITE,
            arguments: 3,
            reading: Reading::Sent,
            program: "ssl_write",
        },
        without: "requests of programs that call SSL_write, such as curl, PHP and nginx",
    },
    Hook {
        name: "ssl_write_ex",
        attachment: Attachment::Function {
            object: Object::OpenSsl,
            symbol: "SSL_write_ex",
            function: function::SSL_WRITE_EX,
            arguments: 4,
            reading: Reading::Sent,
            program: "ssl_write_ex",
        },
        without: "requests of programs that call SSL_write_ex, such as Python",
    },
    Hook {
        name: "ssl_write_ex2",
        attachment: Attachment::Function {
            object: Object::OpenSsl,
            symbol: "SSL_write_ex2",
            function: function::SSL_WRITE_EX2,
            arguments: 5,
            reading: Reading::Sent,
            program: "ssl_write_ex2",
        },
        without: "requests of programs that call SSL_write_ex or SSL_write_ex2 of OpenSSL 3.3 and later",
    },
    Hook {
        name: "ssl_read",
        attachment: Attachment::Function {
            object: Object::OpenSsl,
            symbol: "SSL_read",
            function: function::SSL_READ,
            arguments: 2,
            reading: Reading::Received,
            program: "ssl_read",
        },
        without: "the status of responses, and pages of servers",
    },
    Hook {
        name: "ssl_read_ex",
        attachment: Attachment::Function {
            object: Object::OpenSsl,
            symbol: "SSL_read_ex",
            function: function::SSL_READ_EX,
            arguments: 4,
            reading: Reading::Received,
            program: "ssl_read_ex",
        },
        without: "the status of responses, and pages of servers, in Python",
    },
    Hook {
        name: "ssl_ctrl",
        attachment: Attachment::Function {
            object: Object::OpenSsl,
            symbol: "SSL_ctrl",
            function: function::SSL_CTRL,
            arguments: 4,
            reading: Reading::Arguments,
            program: "ssl_ctrl",
        },
        without: "the server name of TLS streams",
    },
    Hook {
        name: "ssl_set_tlsext_host_name",
        attachment: Attachment::Function {
            object: Object::OpenSsl,
            symbol: "SSL_set_tlsext_host_name",
            function: function::SSL_SERVER_NAME,
            arguments: 2,
            reading: Reading::Arguments,
            program: "ssl_set_tlsext_host_name",
        },
        without: "the server name of TLS streams of BoringSSL and AWS-LC",
    },
    Hook {
        name: "ssl_free",
        attachment: Attachment::Function {
            object: Object::OpenSsl,
            symbol: "SSL_free",
            function: function::SSL_FREE,
            arguments: 1,
            reading: Reading::Arguments,
            program: "ssl_free",
        },
        without: "the end of TLS streams, before their process ends",
    },
    Hook {
        name: "gnutls_record_send",
        attachment: Attachment::Function {
            object: Object::GnuTls,
            symbol: "gnutls_record_send",
            function: function::GNUTLS_SEND,
            arguments: 3,
            reading: Reading::Sent,
            program: "gnutls_record_send",
        },
        without: "requests of programs that use GnuTLS before 3.6.3",
    },
    Hook {
        name: "gnutls_record_send2",
        attachment: Attachment::Function {
            object: Object::GnuTls,
            symbol: "gnutls_record_send2",
            function: function::GNUTLS_SEND2,
            arguments: 3,
            reading: Reading::Sent,
            program: "gnutls_record_send2",
        },
        without: "requests of programs that use GnuTLS, such as wget",
    },
    Hook {
        name: "gnutls_record_uncork",
        attachment: Attachment::Function {
            object: Object::GnuTls,
            symbol: "gnutls_record_uncork",
            function: function::GNUTLS_UNCORK,
            arguments: 1,
            reading: Reading::Resent,
            program: "gnutls_record_uncork",
        },
        without: "that a corked GnuTLS session sends what it was given once, not twice",
    },
    Hook {
        name: "gnutls_record_recv",
        attachment: Attachment::Function {
            object: Object::GnuTls,
            symbol: "gnutls_record_recv",
            function: function::GNUTLS_RECV,
            arguments: 2,
            reading: Reading::Received,
            program: "gnutls_record_recv",
        },
        without: "the status of responses, and pages of servers, over GnuTLS",
    },
    Hook {
        name: "gnutls_server_name_set",
        attachment: Attachment::Function {
            object: Object::GnuTls,
            symbol: "gnutls_server_name_set",
            function: function::GNUTLS_SERVER_NAME,
            arguments: 4,
            reading: Reading::Arguments,
            program: "gnutls_server_name_set",
        },
        without: "the server name of GnuTLS streams",
    },
    Hook {
        name: "gnutls_deinit",
        attachment: Attachment::Function {
            object: Object::GnuTls,
            symbol: "gnutls_deinit",
            function: function::GNUTLS_DEINIT,
            arguments: 1,
            reading: Reading::Arguments,
            program: "gnutls_deinit",
        },
        without: "the end of GnuTLS streams, before their process ends",
    },
    Hook {
        name: "go_write",
        attachment: Attachment::Function {
            object: Object::Go,
            symbol: "crypto/tls.(*Conn).writeRecordLocked",
            function: function::GO_WRITE,
            arguments: 4,
            reading: Reading::SentWhole,
            program: "go_write",
        },
        without: "requests of programs written in Go",
    },
    Hook {
        name: "go_handshake",
        attachment: Attachment::Function {
            object: Object::Go,
            symbol: "crypto/tls.(*Conn).clientHandshake",
            function: function::GO_HANDSHAKE,
            arguments: 1,
            reading: Reading::Arguments,
            program: "go_handshake",
        },
        without: "where a new connection begins at the address of one that a Go program never closed",
    },
    Hook {
        name: "go_accept",
        attachment: Attachment::Function {
            object: Object::Go,
            symbol: "crypto/tls.(*Conn).serverHandshake",
            function: function::GO_ACCEPT,
            arguments: 1,
            reading: Reading::Arguments,
            program: "go_accept",
        },
        without: "that a new connection of a Go server is not the one that was at its address before",
    },
    Hook {
        name: "go_close",
        attachment: Attachment::Function {
            object: Object::Go,
            symbol: "crypto/tls.(*Conn).Close",
            function: function::GO_CLOSE,
            arguments: 1,
            reading: Reading::Arguments,
            program: "go_close",
        },
        without: "the end of streams of Go programs, before their process ends",
    },
    Hook {
        name: "library_loaded",
        attachment: Attachment::Function {
            object: Object::Loader,
            // Called for debuggers when the list of libraries has changed or is
            // about to.
            symbol: "_dl_debug_state",
            function: function::LOADER,
            arguments: 0,
            reading: Reading::Arguments,
            program: "library_loaded",
        },
        without: "TLS libraries loaded late, until the next scan",
    },
    Hook {
        name: "egress",
        attachment: Attachment::Egress("egress"),
        without: "plaintext HTTP and TLS connections that cannot be read",
    },
    Hook {
        name: "ingress",
        attachment: Attachment::Ingress("ingress"),
        without: "the status of plaintext responses",
    },
    Hook {
        name: "connect",
        attachment: Attachment::Connect {
            v4: "connect4",
            v6: "connect6",
        },
        without: "the process behind a socket",
    },
    Hook {
        name: "egress_udp",
        attachment: Attachment::Egress("egress_udp"),
        without: "QUIC connections, none of which can be read",
    },
    Hook {
        name: "sendmsg",
        attachment: Attachment::Connect {
            v4: "sendmsg4",
            v6: "sendmsg6",
        },
        without: "the process behind a QUIC connection whose socket is not connected",
    },
    Hook {
        name: "process_new",
        attachment: Attachment::Tracepoints(&[tracepoint("process_new", "task", "task_newtask")]),
        without: "the forked workers of a program, until the next scan",
    },
    Hook {
        name: "process_exec",
        attachment: Attachment::Tracepoints(&[tracepoint(
            "process_exec",
            "sched",
            "sched_process_exec",
        )]),
        without: "TLS libraries of new processes, until the next scan",
    },
    Hook {
        name: "process_moved",
        attachment: Attachment::Tracepoints(&[tracepoint(
            "process_moved",
            "cgroup",
            "cgroup_attach_task",
        )]),
        without: "processes that are moved into the watched cgroup, until the next scan",
    },
    Hook {
        name: "process_exit",
        attachment: Attachment::Tracepoints(&[tracepoint(
            "process_exit",
            "sched",
            "sched_process_exit",
        )]),
        without: "the end of streams whose process was killed",
    },
];

/// Whose plaintext the records of a function of a library hold.
pub(super) fn source(function: u8) -> Option<Source> {
    HOOKS.iter().find_map(|hook| match hook.attachment {
        Attachment::Function {
            function: own,
            object,
            ..
        } if own == function => object.source(),
        _ => None,
    })
}

/// The names of [`HOOKS`], for the metrics.
pub fn names() -> Vec<&'static str> {
    HOOKS.iter().map(|hook| hook.name).collect()
}
