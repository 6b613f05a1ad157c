//! phiwatch finds protected health information on its way to advertising and
//! analytics platforms, in the HTTP that server processes send before it is
//! encrypted.
//!
//! This page follows the data through the program; the source declares the modules
//! in the same order, behind the leaves that they share.
//!
//! ```text
//!  kernel: monitor-ebpf                               phi ─────┐
//!    │ records in two rings                            ▲       ▼
//!  probe ──▶ event ──▶ stream ──▶ http ──▶ field ──────┤    finding ──▶ alert (run)
//!            ▲   └─▶ record ─▶ store (--raw)           ▼       ▲   └──▶ report (replay)
//!         capture (replay)                          tracker ───┘
//!            └──▶ message (redacted) ─▶ pipeline ─▶ redact ─▶ record ─▶ store (--capture)
//! ```
//!
//! 1. [`event`] defines what a probe or a capture reports about a stream: it was
//!    opened, named, closed; these are its bytes; those are missing. [`message`]
//!    is what a redacted capture holds instead: a whole request or page with its
//!    values replaced, and what was found in it. The core takes nothing else.
//! 2. [`probe`] loads the kernel programs of `phiwatch-ebpf` (in `monitor-ebpf/`),
//!    attaches them to TLS libraries, to the network traffic of cgroups and to
//!    tracepoints of processes, and reads their records. No other module uses the
//!    `aya` crate.
//! 3. [`capture`] reads phiwatch's own captures, as events or as messages, and packet
//!    captures and HTTP archives of other tools. For a replay it takes the probe's
//!    place. [`record`] encodes events (`--raw`) or redacted messages as the packets
//!    of a capture, and [`store`] keeps the capture as evidence: segments, a
//!    hash-chained manifest, which is signed if a key is configured, the custody
//!    log, and the verification of all of them.
//! 4. [`stream`] reassembles the bytes of a connection. Gaps are explicit.
//! 5. [`http`] finds the requests in a stream and the pages that servers send,
//!    decodes the transfer coding while it reads and content codings afterwards, and
//!    pairs requests with the status of their responses.
//! 6. [`field`] reads every value of a message with its path, through nested
//!    encodings.
//! 7. [`phi`] recognizes identifiers and health information among the fields,
//!    and [`tracker`] recognizes the recipient; [`rules`] explains each of their
//!    rules in plain words.
//! 8. [`finding`] combines them: which kinds of data, of one person, went to whom,
//!    and it decides how severe that is. It is the core's main result, and holds no
//!    payload value. [`select`] filters findings.
//! 9. [`canary`] searches every request to a third party for the planted values of
//!    the configuration.
//! 10. [`redact`] replaces the values of a message, for captures and exports.
//! 11. [`pipeline`] connects `stream` to `redact` and drives them, on as many threads
//!     as it is given, between a feed and a sink.
//! 12. [`report`] renders findings as reports, for people and for programs.
//! 13. [`export`] writes messages for other tools: HTTP archives and packet captures.
//! 14. [`config`] reads the configuration file.
//! 15. [`alert`] publishes findings: metrics, the journal, the HTTP server.
//! 16. [`command`] defines and runs the subcommands, among them the daemon.
//!
//! # What holds everywhere
//!
//! - The core is pure: `event`, `message`, `stream`, `http`, `field`, `phi`, `tracker`,
//!   `finding` and `pipeline` know no clock, file, socket or log. Time comes from the
//!   feed. So replaying a complete capture with the same configuration and key gives
//!   the findings that the daemon gave.
//! - Between modules a payload value travels in a [`secret::Secret`]; types that hold
//!   it bare print only lengths. It reaches no log, metric, error or `Debug` output.
//! - Everything is bounded, and what is lost is counted with its reason: [`loss`].
//! - A module uses only modules above it in this list, and the leaves `secret`,
//!   `loss`, `lru`, `name`, `token` and `class`. `cargo xtask tidy` checks it.
//!
//! # Words
//!
//! | word | meaning |
//! |---|---|
//! | tracker | an advertising or analytics platform of the catalog |
//! | recipient | who gets a request: a tracker, a host that speaks a tracker's protocol, or for a canary any third party |
//! | person-event | what one request says about one person: a record of a batch, or the whole request |
//! | evidence | a field in which detection found an identifier or health information; in a finding's record, the place of the request |
//! | proof | evidence as findings and redacted captures keep it: without the value |
//! | token | keyed hash of a value: equal values have equal tokens, and the value cannot be recovered |
//! | completeness | how much of a message was seen and understood |
//! | origin | the source, process and addresses of a stream |
//! | place | the capture file and the packet in which an event is recorded; in `probe`, the instruction at which a probe sits |
//! | exchange | a request, with what is known of the response |
//! | page | an HTML document that a watched server sends, with the trackers that it loads |
//! | feed, sink | who gives the pipeline its events and who takes its results: a capture and a report, or the probe and the journal |
//! | step | one unit of the pipeline's work: an exchange, a page, a TLS hello, an end, the time |
//! | hook | a probe that phiwatch wants; its sites are where it sits in each library |
//! | unwanted | a stream to a host that is no tracker, of which the kernel hands over heads only |
//! | late | describes a stream whose beginning was not seen |
//! | contact | a TLS connection to a tracker, or to a host that it shares, whose plaintext was not read |
//! | blindness | why a connection was not read; what the probe knows of it is an obstacle |
//! | canary, planting | a synthetic patient of the configuration, and its discovery in a request |
//! | section | the packets of one segment file, with header and statistics |
//! | segment | one file of a recorded capture, or a TCP segment |
//! | custody | the log of who exported or revealed which part of a capture, and why |

pub mod secret;

pub mod loss;

mod lru;

mod name;

pub mod token;

mod class;

pub mod event;

pub mod message;

pub mod probe;

pub mod capture;

pub mod record;

pub mod store;

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

pub mod command;
