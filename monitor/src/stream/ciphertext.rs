//! What a TLS client sends, judged by the headers of its records: whether there is
//! more than a handshake.
//!
//! In: the bytes that the client sends, from the first, in any split. Out: whether
//! application data is among them. A client that rejects the server's certificate,
//! or only keeps a connection ready, has told the server nothing.
//!
//! - Up to TLS 1.2 a record of application data says so.
//! - TLS 1.3 gives its last handshake message and its alerts the same type (RFC 8446,
//!   section 5.2). They are told by their lengths: the first record has that of a
//!   `Finished`, or a record that of an alert. Early data of exactly that length, with
//!   nothing behind it, goes unnoticed.
//! - What is not clear counts as application data.

/// What a record is (RFC 8446, section 5.1).
const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
const HEADER: usize = 5;
/// The tag and the type that TLS 1.3 adds to what it encrypts.
const SEAL: usize = 17;
/// A `Finished` of TLS 1.3: its header and a hash of 32 or 48 bytes.
const FINISHED: [usize; 2] = [4 + 32 + SEAL, 4 + 48 + SEAL];
/// An alert of TLS 1.3.
const SEALED_ALERT: usize = 2 + SEAL;
/// A second hello is longer, and what TLS 1.2 encrypts of its handshake is shorter.
const MIN_HELLO: usize = 128;
/// How much of a stream the kernel hands over at least: what comes later is not seen.
const MAX_SEEN: usize = 4_096;

/// How far a client has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Nothing is encrypted yet.
    #[default]
    Clear,
    /// The cipher has changed, of TLS 1.2, or of TLS 1.3 that looks alike.
    Changed,
    /// It is TLS 1.2, which encrypts.
    Old,
    /// It is TLS 1.3, and the handshake is over.
    Finished,
    /// It is TLS 1.3, and an alert has ended it.
    Over,
    /// There is application data.
    Sending,
}

/// The records of a client.
#[derive(Debug, Default)]
pub(super) struct Records {
    header: Vec<u8>,
    /// Bytes of the current record that are still to come.
    left: usize,
    seen: usize,
    phase: Phase,
}

impl Records {
    /// Whether there is application data.
    pub(super) fn is_sending(&self) -> bool {
        self.phase == Phase::Sending
    }

    /// It is not known what comes next.
    pub(super) const fn lose(&mut self) {
        self.phase = Phase::Sending;
    }

    /// Takes the next bytes.
    pub(super) fn push(&mut self, mut bytes: &[u8]) {
        self.seen = self.seen.saturating_add(bytes.len());
        while !bytes.is_empty() && !self.is_sending() {
            if self.left > 0 {
                let skipped = self.left.min(bytes.len());
                self.left -= skipped;
                bytes = bytes.get(skipped..).unwrap_or_default();
                continue;
            }
            let wanted = HEADER - self.header.len();
            let (part, rest) = bytes.split_at(wanted.min(bytes.len()));
            self.header.extend_from_slice(part);
            bytes = rest;
            if let [kind, _, _, high, low] = self.header[..] {
                self.header.clear();
                self.left = usize::from(u16::from_be_bytes([high, low]));
                self.phase = self.phase.after(kind, self.left);
            }
        }
        if self.seen >= MAX_SEEN {
            self.lose();
        }
    }
}

impl Phase {
    /// The phase after a record of this type and length.
    fn after(self, kind: u8, length: usize) -> Self {
        match (self, kind) {
            (_, ALERT) => self,
            (Self::Clear, HANDSHAKE) => Self::Clear,
            (Self::Clear | Self::Changed, CHANGE_CIPHER_SPEC) => Self::Changed,
            (Self::Changed, HANDSHAKE) if length >= MIN_HELLO => Self::Changed,
            (Self::Changed | Self::Old, HANDSHAKE) => Self::Old,
            (Self::Clear | Self::Changed, APPLICATION_DATA) if FINISHED.contains(&length) => {
                Self::Finished
            }
            (Self::Clear | Self::Changed | Self::Finished, APPLICATION_DATA)
                if length == SEALED_ALERT =>
            {
                Self::Over
            }
            // Behind the hellos of TLS 1.3.
            (Self::Finished, CHANGE_CIPHER_SPEC) => Self::Finished,
            _ => Self::Sending,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records as `type:length`, in one piece and byte by byte.
    fn check(records: &str, expected: bool) {
        let mut bytes = Vec::new();
        for record in records.split(' ') {
            let (kind, length) = record.split_once(':').unwrap();
            let length: u16 = length.parse().unwrap();
            bytes.extend([kind.parse().unwrap(), 3, 3]);
            bytes.extend(length.to_be_bytes());
            bytes.resize(bytes.len() + usize::from(length), 23);
        }
        for step in [1, 7, bytes.len()] {
            let mut own = Records::default();
            for piece in bytes.chunks(step) {
                own.push(piece);
            }
            assert_eq!(own.is_sending(), expected, "{records} by {step}");
        }
    }

    #[test]
    fn a_handshake_is_no_application_data() {
        for (records, expected) in [
            // TLS 1.3: greets, finishes, sends, says goodbye.
            ("22:512", false),
            ("22:512 20:1 23:53", false),
            ("22:512 20:1 23:69", false),
            ("22:512 23:69 23:19", false),
            ("22:512 20:1 23:53 23:45", true),
            ("22:512 20:1 23:53 23:19 23:45", true),
            ("22:512 20:1 23:53 23:19 23:19", true),
            // It is asked to greet again.
            ("22:512 20:1 22:600 23:53", false),
            ("22:512 20:1 22:600 23:53 23:300", true),
            // It rejects the certificate.
            ("22:512 20:1 23:19", false),
            ("22:512 21:2", false),
            // Early data, and a certificate of its own.
            ("22:512 20:1 23:300", true),
            ("22:512 20:1 23:25 23:53", true),
            // TLS 1.2.
            ("22:300 22:70 20:1 22:40", false),
            ("22:300 20:1 22:40", false),
            ("22:300 22:70 20:1 22:40 21:26", false),
            ("22:300 22:70 20:1 22:40 23:53", true),
            ("22:300 20:1 22:40 23:53", true),
            // A hello in two records; what no client sends; more than is seen.
            ("22:100 22:412 20:1 23:53", false),
            ("22:300 99:5", true),
            ("22:4000 22:4000", true),
        ] {
            check(records, expected);
        }
    }
}
