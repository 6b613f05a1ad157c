//! The hooks, as data: one row a hook, one loop attaches them.

/// How a hook's programs are attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attachment {
    /// At a symbol of a TLS library: `enter` at its entry, `leave`, if there is
    /// one, at its return.
    Library {
        /// The exported symbol.
        symbol: &'static str,
        /// Program at the entry.
        enter: &'static str,
        /// Program at the return.
        leave: Option<&'static str>,
    },
    /// To packets that leave the scope's cgroup.
    Egress(&'static str),
    /// To packets that reach the scope's cgroup.
    Ingress(&'static str),
    /// To connections that processes of the scope's cgroup open.
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
    pub const fn is_tls(&self) -> bool {
        matches!(self.attachment, Attachment::Library { .. })
    }

    /// Whether the hook needs the program of this name.
    pub fn uses(&self, program: &str) -> bool {
        match self.attachment {
            Attachment::Library { enter, leave, .. } => enter == program || leave == Some(program),
            Attachment::Egress(name) | Attachment::Ingress(name) => name == program,
            Attachment::Tracepoints(all) => all.iter().any(|one| one.program == program),
            Attachment::Connect { v4, v6 } => v4 == program || v6 == program,
        }
    }
}

/// Every hook. Uprobes need Linux 4.17 for the perf interface; rings need 5.8.
pub const HOOKS: &[Hook] = &[
    Hook {
        name: "ssl_write",
        attachment: Attachment::Library {
            symbol: "SSL_write",
            enter: "ssl_write_enter",
            leave: Some("ssl_leave"),
        },
        without: "requests of programs that call SSL_write, such as curl, PHP and nginx",
    },
    Hook {
        name: "ssl_write_ex",
        attachment: Attachment::Library {
            symbol: "SSL_write_ex",
            enter: "ssl_write_ex_enter",
            leave: Some("ssl_leave"),
        },
        without: "requests of programs that call SSL_write_ex, such as Python",
    },
    Hook {
        name: "ssl_read",
        attachment: Attachment::Library {
            symbol: "SSL_read",
            enter: "ssl_read_enter",
            leave: Some("ssl_leave"),
        },
        without: "the status of responses",
    },
    Hook {
        name: "ssl_read_ex",
        attachment: Attachment::Library {
            symbol: "SSL_read_ex",
            enter: "ssl_read_ex_enter",
            leave: Some("ssl_leave"),
        },
        without: "the status of responses, in Python",
    },
    Hook {
        name: "ssl_ctrl",
        attachment: Attachment::Library {
            symbol: "SSL_ctrl",
            enter: "ssl_ctrl",
            leave: None,
        },
        without: "the server name of TLS streams",
    },
    Hook {
        name: "ssl_free",
        attachment: Attachment::Library {
            symbol: "SSL_free",
            enter: "ssl_free",
            leave: None,
        },
        without: "the end of TLS streams, before their process ends",
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
        name: "process_exit",
        attachment: Attachment::Tracepoints(&[tracepoint(
            "process_exit",
            "sched",
            "sched_process_exit",
        )]),
        without: "the end of streams whose process was killed",
    },
    Hook {
        name: "library_open",
        attachment: Attachment::Tracepoints(&[
            tracepoint("library_open", "syscalls", "sys_enter_openat"),
            tracepoint("library_open", "syscalls", "sys_enter_openat2"),
            tracepoint("library_open_plain", "syscalls", "sys_enter_open"),
        ]),
        without: "TLS libraries loaded late, until the next scan",
    },
];

/// The names of [`HOOKS`], for the metrics.
pub fn names() -> Vec<&'static str> {
    HOOKS.iter().map(|hook| hook.name).collect()
}
