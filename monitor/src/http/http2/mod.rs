//! HTTP/2 (RFC 9113), as clients speak it.
//!
//! Frame: [`frame`] finds the frames of a direction. Parse: [`reader`] makes header
//! lists of header blocks, through [`hpack`]. Stitch: [`Connection`] makes requests
//! of the frames of each stream, and gives each the status that answers it.
//!
//! # What is not known is not guessed
//!
//! A connection that was joined late, or of which bytes are missing, is read again
//! from the first write that can be nothing else: whole valid frames, and among them
//! a header block that decodes to a request. What header fields say through table
//! entries that were not seen is `?`, and the request is marked as late or as having
//! a gap. Missing bytes within a frame of data cost nothing else.
//!
//! # Tables of headers
//!
//! The receiver's SETTINGS allow the size of a table, but the sender announces in its
//! header blocks what it makes of that (RFC 7541, section 4.2). So the other
//! direction need not be seen.
//!
//! # When a connection is unwanted
//!
//! The requests of a connection share a table, so nothing of it can be left out and the
//! rest be understood: a connection is wanted as a whole or not at all. The kernel lets
//! a stream through that begins with the preface, and every write that follows. A
//! request that leads to no tracker makes its stream unwanted only over TLS, and where
//! its `:authority` is the server name of the handshake: all requests of such a
//! connection go to one host, but for those of clients that coalesce connections.
//! Behind a proxy or a sidecar, and in cleartext, the next request may go anywhere.

mod connection;
pub(crate) mod frame;
mod hpack;
mod reader;
mod request;

pub(super) use connection::{Connection, Start};
pub(super) use reader::begins_with_request;
