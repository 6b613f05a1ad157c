//! What other tools record: classic pcap files, HTTP archives, and connections
//! that are put together from packets of any container.

pub(super) mod connection;
pub(super) mod har;
pub(super) mod pcap;

pub use connection::LATE_OFFSET;
