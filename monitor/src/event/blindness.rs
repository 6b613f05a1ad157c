//! Why the plaintext of a TLS connection was not read.

use crate::name::named;

named! {
    /// Why the plaintext of a TLS connection was not read. A probe says what it
    /// knows of the process; the core says the rest.
    pub enum Blindness {
        /// The process maps no TLS library that has hooks: the functions are
        /// compiled in, or those of a library that phiwatch does not know.
        NoSymbols = "no_symbols",
        /// A Java virtual machine, which encrypts in code that it compiles itself.
        Java = "java",
        /// rustls, compiled in.
        Rustls = "rustls",
        /// QUIC: packets on UDP, of which nothing is read but the name of the server.
        Quic = "quic",
        /// The plaintext was seen, and is HTTP/2 that was not read.
        Http2Unread = "http2_unread",
        /// The process maps a TLS library that could not be hooked.
        AttachFailed = "attach_failed",
        /// The connection began before its process was hooked.
        AttachedLate = "attached_late",
        /// The kernel encrypts what the process writes.
        Ktls = "ktls",
        /// The connection goes through a proxy, and nothing else is known.
        Proxy = "proxy",
        /// The configuration or the budget leaves the process unprobed.
        Excluded = "excluded",
        /// Nothing that is known explains it.
        Unknown = "unknown",
    }
}
