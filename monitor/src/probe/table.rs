//! The hooks, as data: one row a hook, one loop attaches them.

use phiwatch_ebpf::abi::function;

/// The function that dynamic loaders call, for debuggers, when they have changed
/// the list of libraries or are about to.
pub(super) const LOADER: &str = "_dl_debug_state";

/// What is read of the calls of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Its arguments, where it begins.
    Arguments,
    /// What it is given to send: where it begins, and, where the exact count is
    /// wanted, what it took, where it ends.
    Sent,
    /// What it gives: where it ends. Where it begins its buffer is noted.
    Received,
}

/// How a hook's programs are attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attachment {
    /// In a function of a TLS library, by plain probes: see
    /// [`place`](super::place) for where in it.
    Function {
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
    pub fn is_tls(&self) -> bool {
        matches!(self.attachment, Attachment::Function { symbol, .. } if symbol != LOADER)
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
                "tls_exit" | "ssl_exit" => reading != Reading::Arguments,
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
            symbol: "SSL_ctrl",
            function: function::SSL_CTRL,
            arguments: 4,
            reading: Reading::Arguments,
            program: "ssl_ctrl",
        },
        without: "the server name of TLS streams",
    },
    Hook {
        name: "ssl_free",
        attachment: Attachment::Function {
            symbol: "SSL_free",
            function: function::SSL_FREE,
            arguments: 1,
            reading: Reading::Arguments,
            program: "ssl_free",
        },
        without: "the end of TLS streams, before their process ends",
    },
    Hook {
        name: "library_loaded",
        attachment: Attachment::Function {
            symbol: LOADER,
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

/// The names of [`HOOKS`], for the metrics.
pub fn names() -> Vec<&'static str> {
    HOOKS.iter().map(|hook| hook.name).collect()
}
