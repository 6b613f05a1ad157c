//! Where the payload of packets is put.

use bytes::{Bytes, BytesMut};

/// Bytes of payload that share a piece of memory.
const BUFFER: usize = 64 * 1024;

/// Payloads of many packets in one piece of memory each. It stays as long as any
/// of them is held: whoever waits for more copies what it holds.
#[derive(Default)]
pub(super) struct Buffers(BytesMut);

impl Buffers {
    /// The same bytes, to be held.
    pub(super) fn keep(&mut self, payload: &[u8]) -> Bytes {
        if self.0.capacity() < payload.len() {
            self.0 = BytesMut::with_capacity(payload.len().max(BUFFER));
        }
        self.0.extend_from_slice(payload);
        self.0.split().freeze()
    }
}
