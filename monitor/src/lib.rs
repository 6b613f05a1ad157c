//! phiwatch finds protected health information on its way to advertising and
//! analytics platforms, in the HTTP that server processes send before it is
//! encrypted.
//!
//! This page tells the story in the order of the flow; the modules below stand
//! in the same order.
//!
//! ```text
//!   kernel          probe ─▶ event ─▶ stream ─▶ http ─▶ field ─▶ phi ─────▶ finding ─▶ alert
//!   a capture file ─┘  └─▶ capture                        └────▶ tracker ──┘
//! ```
//!
//! 1. [`event`] is what a probe or a reader of captures delivers: opened, named,
//!    data, missing, closed. It is the core's only input.
//! 2. [`probe`] loads the kernel programs of `phiwatch-ebpf`, attaches them to
//!    the TLS libraries and sockets of the watched processes, and reads their
//!    records. It is the only module that names aya.
//! 3. [`capture`] writes events to pcapng files and reads them back, and reads
//!    packet captures and HTTP archives of other tools. Behind the probe it
//!    records; in its place it replays.
//! 4. [`stream`] puts the bytes of a connection in order. Missing bytes are a
//!    value, never a silence.
//! 5. [`http`] finds the requests in a stream, removes their codings, and pairs
//!    them with the status of their responses.
//! 6. [`field`] reads every value of a request with its path, through whatever
//!    encodings are nested in one another.
//! 7. [`phi`] recognizes identifiers and health information among the fields,
//!    and [`tracker`] recognizes the recipient; [`rules`] says in words what each
//!    of their rules means.
//! 8. [`finding`] puts them together: which kinds of data, of one person, to
//!    whom, how bad. It is the core's only output, and holds no payload.
//!    [`select`] filters findings.
//! 9. [`canary`] searches everything that goes to a third party for the planted
//!    values of the configuration.
//! 10. [`redact`] replaces the values of a message, for captures and exports.
//! 11. [`pipeline`] connects 4 to 10 and owns the limits.
//! 12. [`report`] makes reports of findings, for people and for other programs.
//! 13. [`export`] writes messages for other tools: HTTP archives, packets.
//! 14. [`config`] reads the configuration file.
//! 15. [`alert`] publishes findings: metrics, the journal, the HTTP server.
//! 16. [`cli`] declares the command line, and [`command`] carries out its verbs.
//!
//! # What holds everywhere
//!
//! - From `event` to `finding` the code is pure: no clock, file, socket or log.
//!   Time comes in the events. So replaying a capture gives the findings that
//!   the daemon gave, byte for byte.
//! - A payload value travels in a [`secret::Secret`] and reaches no log, metric,
//!   error or `Debug` output.
//! - Everything is bounded, and every [`loss`] is counted with its reason.
//! - A module uses only modules above it in this list, and the leaves `secret`,
//!   `loss`, `lru` and `token`. `cargo xtask tidy` checks it.
//!
//! # Words
//!
//! | word | meaning |
//! |---|---|
//! | person-event | what one request says about one person: a record of a batch, or the whole request |
//! | recipient | who gets a request: a tracker of the catalog, or a host that speaks a tracker's protocol |
//! | evidence | a field in which detection found an identifier or health information |
//! | proof | evidence as findings and redacted captures keep it: without the value |
//! | token | keyed hash of a value: equal values can be told, none can be recovered |
//! | completeness | how much of a message was seen and understood |
//! | origin | the source, process and addresses of a stream |
//! | place | the capture file and the packet in which an event is recorded |
//! | exchange | a request, with what is known of the response |
//! | step | one unit of the pipeline's work: an exchange, a page, a TLS hello, an end, the time |
//! | late | said of a stream whose beginning was not seen |
//! | contact | a TLS connection to a tracker whose plaintext was not seen |
//! | planting | a synthetic patient of the configuration that was found in a request |
//! | section | the packets of one segment file, with header and statistics |
//! | segment | one file of a recorded capture, or a TCP segment |
//! | custody | the log of who exported or revealed what of a capture, and why |

pub mod secret;

pub mod loss;

mod lru;

pub mod token;

pub mod event;

pub mod probe;

pub mod capture;

pub mod stream;

pub mod http;

pub mod field;

pub mod phi;

pub mod tracker;

pub mod rules;

pub mod finding;

pub mod select;

pub mod canary;

pub mod redact;

pub mod pipeline;

pub mod report;

pub mod export;

pub mod config;

pub mod alert;

pub mod cli;

pub mod command;
