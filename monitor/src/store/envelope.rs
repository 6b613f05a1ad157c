//! Encryption of segments to age recipients.
//!
//! In: recipients as text, and the bytes of a segment. Out: an age file that
//! stock `age -d` decrypts. Plaintext stays in memory. An age file consists of
//! chunks of 64 KiB; a chunk can be written only when the next one begins, so
//! that up to one chunk is not yet on disk.

use super::error::StoreError;

/// Length of the plaintext of a chunk, in bytes.
pub(super) const CHUNK: u64 = 64 * 1024;

/// Who can read encrypted captures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgeRecipients(Vec<String>);

impl AgeRecipients {
    /// The recipients that `texts` name, such as `age1…`.
    pub fn parse<T: AsRef<str>>(texts: &[T]) -> Result<Self, StoreError> {
        let mut recipients = Vec::new();
        for text in texts {
            let text = text.as_ref().trim();
            imp::check(text)?;
            if !recipients.iter().any(|known| known == text) {
                recipients.push(text.to_owned());
            }
        }
        Ok(Self(recipients))
    }

    /// The recipients in the text of a recipients file: one a line, empty lines
    /// and comments left out.
    pub fn parse_file(text: &str) -> Result<Self, StoreError> {
        let lines: Vec<_> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect();
        if lines.is_empty() {
            return Err(StoreError::Recipient("there is no recipient in it".into()));
        }
        Self::parse(&lines)
    }

    /// These recipients and `others`.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        for text in others.0 {
            if !self.0.contains(&text) {
                self.0.push(text);
            }
        }
        self
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The recipients as they were given.
    pub fn texts(&self) -> &[String] {
        &self.0
    }
}

pub(super) use imp::Envelope;

#[cfg(feature = "encryption")]
mod imp {
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex, PoisonError},
    };

    use age::{Encryptor, Recipient, stream::StreamWriter, x25519};

    use super::{AgeRecipients, CHUNK, StoreError};

    pub(super) fn check(text: &str) -> Result<(), StoreError> {
        parse(text).map(drop)
    }

    fn parse(text: &str) -> Result<x25519::Recipient, StoreError> {
        text.parse().map_err(|reason| {
            // Never the text: it could be a secret key, pasted by mistake.
            let hint = if text.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") {
                "this is the secret key; recipients are named by the public one"
            } else {
                reason
            };
            StoreError::Recipient(format!("not an age recipient (age1…): {hint}"))
        })
    }

    /// Holds the encrypted bytes until they are taken.
    #[derive(Clone, Default)]
    struct Pipe(Arc<Mutex<Vec<u8>>>);

    impl Pipe {
        fn take(&self, out: &mut Vec<u8>) {
            out.append(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// An age file that is being written.
    pub(in super::super) struct Envelope {
        stream: StreamWriter<Pipe>,
        pipe: Pipe,
        plain: u64,
    }

    impl Envelope {
        /// Begins a file for `recipients` and appends its header to `out`.
        pub(in super::super) fn begin(
            recipients: &AgeRecipients,
            out: &mut Vec<u8>,
        ) -> Result<Self, StoreError> {
            let recipients: Vec<_> = recipients
                .0
                .iter()
                .map(|text| parse(text))
                .collect::<Result<_, _>>()?;
            let encryptor = Encryptor::with_recipients(
                recipients
                    .iter()
                    .map(|recipient| recipient as &dyn Recipient),
            )
            .map_err(|error| StoreError::Recipient(error.to_string()))?;
            let pipe = Pipe::default();
            let stream = encryptor
                .wrap_output(pipe.clone())
                .map_err(StoreError::Encrypt)?;
            pipe.take(out);
            Ok(Self {
                stream,
                pipe,
                plain: 0,
            })
        }

        /// Encrypts `bytes` and appends the chunks that they complete to `out`.
        pub(in super::super) fn put(
            &mut self,
            bytes: &[u8],
            out: &mut Vec<u8>,
        ) -> Result<(), StoreError> {
            self.stream.write_all(bytes).map_err(StoreError::Encrypt)?;
            self.plain += bytes.len() as u64;
            self.pipe.take(out);
            Ok(())
        }

        /// Ends the file.
        pub(in super::super) fn finish(self, out: &mut Vec<u8>) -> Result<(), StoreError> {
            self.stream.finish().map_err(StoreError::Encrypt)?;
            self.pipe.take(out);
            Ok(())
        }

        /// Plaintext in the incomplete chunk, in bytes.
        pub(in super::super) const fn pending(&self) -> u64 {
            // A full chunk waits for the next one to begin.
            match (self.plain, self.plain % CHUNK) {
                (0, _) => 0,
                (_, 0) => CHUNK,
                (_, rest) => rest,
            }
        }
    }
}

#[cfg(not(feature = "encryption"))]
mod imp {
    use super::{AgeRecipients, StoreError};

    pub(super) fn check(_text: &str) -> Result<(), StoreError> {
        Err(missing())
    }

    fn missing() -> StoreError {
        StoreError::Recipient("this phiwatch was built without the feature encryption".into())
    }

    /// This build has none.
    pub(in super::super) enum Envelope {}

    impl Envelope {
        pub(in super::super) fn begin(
            _recipients: &AgeRecipients,
            _out: &mut Vec<u8>,
        ) -> Result<Self, StoreError> {
            Err(missing())
        }

        pub(in super::super) fn put(
            &mut self,
            _bytes: &[u8],
            _out: &mut Vec<u8>,
        ) -> Result<(), StoreError> {
            match *self {}
        }

        pub(in super::super) fn finish(self, _out: &mut Vec<u8>) -> Result<(), StoreError> {
            match self {}
        }

        pub(in super::super) const fn pending(&self) -> u64 {
            match *self {}
        }
    }
}

#[cfg(all(test, feature = "encryption"))]
mod tests {
    use std::io::Read as _;

    use age::x25519::Identity;

    use super::*;

    /// As much of `bytes` as can be decrypted, however they end.
    fn decrypted(bytes: &[u8], identity: &Identity) -> Vec<u8> {
        let mut plain = Vec::new();
        let Ok(decryptor) = age::Decryptor::new(bytes) else {
            return plain;
        };
        let identity: &dyn age::Identity = identity;
        if let Ok(mut reader) = decryptor.decrypt(std::iter::once(identity)) {
            drop(reader.read_to_end(&mut plain));
        }
        plain
    }

    #[test]
    fn every_recipient_can_decrypt_and_whole_chunks_survive_a_cut() {
        let identities = [Identity::generate(), Identity::generate()];
        let texts = identities
            .each_ref()
            .map(|identity| identity.to_public().to_string());
        let recipients = AgeRecipients::parse(&texts).unwrap();
        let mut out = Vec::new();
        let mut envelope = Envelope::begin(&recipients, &mut out).unwrap();
        let header = out.len();
        let plain: Vec<_> = (0..CHUNK as usize * 2 + 5).map(|at| at as u8).collect();
        for step in plain.chunks(10_000) {
            envelope.put(step, &mut out).unwrap();
            let whole = (out.len() - header) as u64 / (CHUNK + 16);
            let written = decrypted(&out, &identities[0]).len() as u64;
            assert_eq!(written, whole * CHUNK);
        }
        assert_eq!(envelope.pending(), 5);
        envelope.finish(&mut out).unwrap();
        for identity in &identities {
            assert!(decrypted(&out, identity) == plain);
        }
        assert!(decrypted(&out, &Identity::generate()).is_empty());
    }

    #[test]
    fn what_is_no_recipient_is_refused_and_never_repeated() {
        use age::secrecy::ExposeSecret as _;
        let identity = Identity::generate();
        let secret = identity.to_string();
        for text in [secret.expose_secret(), "", "age1", "ssh-ed25519 AAAA"] {
            let error = AgeRecipients::parse(&[text]).unwrap_err().to_string();
            assert!(text.len() < 5 || !error.contains(text), "{error}");
        }
        let public = identity.to_public().to_string();
        let file = format!("# ours\n\n  {public}\n{public}\n");
        assert_eq!(AgeRecipients::parse_file(&file).unwrap().texts(), [public]);
        assert!(AgeRecipients::parse_file("# nobody\n").is_err());
    }
}
