//! The tables of HPACK (RFC 7541, section 2.3): the static one, and the one that the
//! header blocks of a connection build.
//!
//! Indices count from the newest entry, so what is known of the newest entries stays
//! right when older ones are not known.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{Field, Malformed};

/// Size of the table as a connection begins.
const INITIAL_SIZE: usize = 4_096;
/// Largest table that is kept, in bytes as RFC 7541 counts them. The other side may
/// allow more; what does not fit is then unknown.
pub(super) const MAX_SIZE: usize = 64 * 1024;
/// What an entry counts beyond its name and value.
const OVERHEAD: usize = 32;

/// The entries that every connection has, from index 1.
const STATIC: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

/// Both tables of one direction of a connection.
pub(super) struct Table {
    /// The newest first.
    entries: VecDeque<Field>,
    size: usize,
    /// How large it may become by what the sender announced.
    limit: usize,
    /// Whether the sender has no entries but these.
    is_whole: bool,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
            size: 0,
            limit: INITIAL_SIZE,
            is_whole: true,
        }
    }
}

impl Table {
    /// Bytes of memory that it holds, about.
    pub(super) fn memory(&self) -> usize {
        self.entries
            .len()
            .saturating_mul(size_of::<Field>())
            .saturating_add(self.size)
    }

    /// Header blocks were not seen: the sender's entries, and how many it keeps, are
    /// unknown.
    pub(super) fn forget(&mut self) {
        self.entries = VecDeque::new();
        self.size = 0;
        self.limit = MAX_SIZE;
        self.is_whole = false;
    }

    /// The entry at `index`. An entry from before what was seen is a field of which
    /// neither name nor value is known.
    pub(super) fn get(&self, index: usize) -> Result<Field, Malformed> {
        let position = index.checked_sub(1).ok_or(Malformed)?;
        if let Some((name, value)) = STATIC.get(position) {
            return Ok(Field {
                name: Some(Bytes::from_static(name.as_bytes())),
                value: Some(Bytes::from_static(value.as_bytes())),
            });
        }
        match self.entries.get(position - STATIC.len()) {
            Some(entry) => Ok(entry.clone()),
            None if self.is_whole => Err(Malformed),
            None => Ok(Field::default()),
        }
    }

    /// Makes `entry` the newest.
    pub(super) fn insert(&mut self, entry: Field) {
        let size = entry_size(&entry);
        // One that does not fit empties the table, and is not kept either.
        self.make_room(size);
        if size <= self.limit.min(MAX_SIZE) {
            self.size += size;
            self.entries.push_front(entry);
        } else if size <= self.limit {
            self.is_whole = false;
        }
    }

    /// The sender announced how large its table may become.
    pub(super) fn resize(&mut self, limit: usize) {
        self.limit = limit;
        self.make_room(0);
    }

    /// Evicts the oldest entries until another of `size` bytes fits, or none is left.
    fn make_room(&mut self, size: usize) {
        while self.size + size > self.limit.min(MAX_SIZE)
            && let Some(oldest) = self.entries.pop_back()
        {
            // The sender still has what only the limit here evicts.
            self.is_whole &= self.size + size > self.limit;
            self.size -= entry_size(&oldest);
        }
    }

    #[cfg(test)]
    pub(super) const fn is_whole(&self) -> bool {
        self.is_whole
    }

    #[cfg(test)]
    pub(super) const fn size(&self) -> usize {
        self.size
    }
}

/// The size of an entry; of one that is not known, the smallest it can have, so that
/// no entry is evicted here before it is evicted by the sender.
fn entry_size(entry: &Field) -> usize {
    OVERHEAD + entry.length()
}
