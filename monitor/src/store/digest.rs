//! SHA-256 of files, in the form in which manifests and reports show it.
//!
//! In: anything that is read to its end. Out: its length and its hash in
//! lowercase hexadecimal digits, as `sha256sum` prints it.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

/// How much is read at a time, in bytes.
const STEP: usize = 64 * 1024;

/// The hash of `bytes`.
pub(super) fn sha256(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(&Sha256::digest(bytes))
}

/// The length and the hash of everything that `reader` yields.
pub(super) fn sha256_of(reader: &mut impl Read) -> io::Result<(u64, String)> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; STEP];
    let mut length = 0;
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(0) => return Ok((length, base16ct::lower::encode_string(&hash.finalize()))),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hash.update(buffer.get(..read).unwrap_or_default());
        length += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_and_its_bytes_have_one_hash() {
        let bytes = vec![7; STEP + 1];
        let (length, hash) = sha256_of(&mut bytes.as_slice()).unwrap();
        assert_eq!((length, &hash), (bytes.len() as u64, &sha256(&bytes)));
        assert_eq!(
            sha256(b""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
