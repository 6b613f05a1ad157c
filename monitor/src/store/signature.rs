//! Signatures of `SHA256SUMS` that stock minisign verifies.
//!
//! In: a secret key file without a password, which only its owner can read, and
//! the text to sign. Out: the text of `SHA256SUMS.minisig`. The trusted
//! comment, which the signature covers, holds the head of the manifest's chain,
//! so that the manifest is signed as well.

use std::{
    fs::File,
    io::{self, Cursor, Read as _},
    ops::Range,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use minisign::{PublicKey, SecretKey, SignatureBox};

/// The longest key or signature file that is read, in bytes.
const MAX_FILE: u64 = 16 * 1024;

/// Where a secret key names how its password is used.
const KDF: Range<usize> = 2..4;

/// The first line of every signature, which minisign does not protect.
const UNTRUSTED: &str = "signature from phiwatch";

/// Why there is no key, or no signature.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// The key file cannot be read.
    #[error("read signing key {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Others than its owner can read the key.
    #[error(
        "signing key {}: others than its owner can read it (mode {mode:04o}); chmod 600 it",
        path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file holds no key that can be used unattended.
    #[error(
        "signing key {}: not a minisign secret key without a password (minisign -G -W makes one)",
        path.display()
    )]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The file holds no public key.
    #[error("{} is no minisign public key", path.display())]
    NoPublicKey {
        /// The file.
        path: PathBuf,
    },
    /// Signing failed.
    #[error("sign: {0}")]
    Sign(String),
}

/// A key that signs. It is secret: no `Debug`.
#[derive(Clone)]
pub struct SigningKey {
    secret: SecretKey,
    public: PublicKey,
}

impl SigningKey {
    /// Reads the key file at `path`.
    pub fn load(path: &Path) -> Result<Self, SignatureError> {
        let refused = |source| SignatureError::Read {
            path: path.to_owned(),
            source,
        };
        let mut file = File::open(path).map_err(refused)?;
        let mode = file.metadata().map_err(refused)?.mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(SignatureError::Exposed {
                path: path.to_owned(),
                mode,
            });
        }
        let mut text = String::new();
        (&mut file)
            .take(MAX_FILE)
            .read_to_string(&mut text)
            .map_err(refused)?;
        let no_key = || SignatureError::NoKey {
            path: path.to_owned(),
        };
        let secret = secret_key(text).ok_or_else(no_key)?;
        let public = PublicKey::from_secret_key(&secret).map_err(|_not_shown| no_key())?;
        Ok(Self { secret, public })
    }

    /// The public key, as in the second line of its file.
    pub(super) fn public(&self) -> String {
        self.public.to_base64()
    }

    /// The text of the signature file for `sums`.
    pub(super) fn sign(
        &self,
        sums: &str,
        time: Option<&str>,
        head: &str,
    ) -> Result<String, SignatureError> {
        let trusted = format!("time:{} chain:{head}", time.unwrap_or("none"));
        minisign::sign(
            Some(&self.public),
            &self.secret,
            sums.as_bytes(),
            Some(&trusted),
            Some(UNTRUSTED),
        )
        .map(SignatureBox::into_string)
        .map_err(|error| SignatureError::Sign(error.to_string()))
    }
}

/// The key in the text of a key file, if it has no password.
fn secret_key(text: String) -> Option<SecretKey> {
    let bytes = BASE64_STANDARD.decode(text.lines().nth(1)?.trim()).ok()?;
    // Stock minisign notes in the key that no password was used, and leaves its
    // checksum empty, which the crate takes for a wrong password.
    if bytes.get(KDF) == Some(&[0; 2]) {
        return SecretKey::from_bytes(&bytes).ok();
    }
    // An empty password means none. A key that has one does not match its
    // checksum, and no password is asked for.
    SecretKey::from_box(text.into(), Some(String::new())).ok()
}

/// A key that checks signatures.
#[derive(Clone)]
pub struct CheckingKey(PublicKey);

impl CheckingKey {
    /// Reads the key file at `path`.
    pub fn load(path: &Path) -> Result<Self, SignatureError> {
        let mut text = String::new();
        File::open(path)
            .and_then(|file| file.take(MAX_FILE).read_to_string(&mut text))
            .map_err(|source| SignatureError::Read {
                path: path.to_owned(),
                source,
            })?;
        text.lines()
            .map(str::trim)
            .find_map(Self::from_base64)
            .ok_or_else(|| SignatureError::NoPublicKey {
                path: path.to_owned(),
            })
    }

    /// The key that `text`, a line of a key file, is.
    pub(super) fn from_base64(text: &str) -> Option<Self> {
        PublicKey::from_base64(text).ok().map(Self)
    }

    /// The key as text.
    pub(super) fn base64(&self) -> String {
        self.0.to_base64()
    }

    /// The chain head that `signature`, the text of a signature file, signs
    /// together with `sums`; `None` if the signature is wrong.
    pub(super) fn check(&self, signature: &str, sums: &str) -> Option<String> {
        let parsed = SignatureBox::from_string(signature).ok()?;
        // The part that minisign does not protect must not be changed either.
        if parsed.to_string() != signature || parsed.untrusted_comment().ok()? != UNTRUSTED {
            return None;
        }
        minisign::verify(&self.0, &parsed, Cursor::new(sums), true, false, false).ok()?;
        let trusted = parsed.trusted_comment().ok()?;
        Some(trusted.rsplit_once("chain:")?.1.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, Permissions},
        os::unix::fs::PermissionsExt as _,
    };

    use minisign::KeyPair;

    use super::*;

    fn key_file(folder: &Path) -> PathBuf {
        // As `minisign -G -W` writes it: no password, no salt, no checksum.
        let pair = KeyPair::generate_unencrypted_keypair().unwrap();
        let mut bytes = pair.sk.to_bytes();
        bytes[KDF].fill(0);
        let text = format!("untrusted comment: x\n{}\n", BASE64_STANDARD.encode(bytes));
        let path = folder.join("minisign.key");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path
    }

    #[test]
    fn a_signature_covers_the_sums_and_the_chain_and_every_byte_of_itself() {
        let folder = tempfile::tempdir().unwrap();
        let key = SigningKey::load(&key_file(folder.path())).unwrap();
        let signature = key.sign("sums", Some("now"), "abc").unwrap();
        let public = CheckingKey::from_base64(&key.public()).unwrap();
        assert_eq!(public.check(&signature, "sums").as_deref(), Some("abc"));
        assert_eq!(public.check(&signature, "sumz"), None);
        for at in 0..signature.len() {
            let mut bytes = signature.clone().into_bytes();
            bytes[at] ^= 1;
            if let Ok(changed) = String::from_utf8(bytes) {
                assert_eq!(public.check(&changed, "sums"), None, "byte {at}");
            }
        }
        let path = folder.path().join("other");
        fs::create_dir(&path).unwrap();
        let other = SigningKey::load(&key_file(&path)).unwrap();
        let other = CheckingKey::from_base64(&other.public()).unwrap();
        assert_eq!(other.check(&signature, "sums"), None);
    }

    #[test]
    fn keys_that_others_can_read_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = key_file(folder.path());
        for mode in [0o640, 0o604, 0o660, 0o601] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let error = SigningKey::load(&path).map(drop).unwrap_err().to_string();
            assert!(error.contains("chmod 600") && error.contains(&format!("{mode:04o}")));
        }
    }

    #[test]
    fn a_key_whose_password_is_empty_can_be_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = key_file(folder.path());
        let pair = KeyPair::generate_encrypted_keypair(Some(String::new())).unwrap();
        fs::write(&path, pair.sk.to_box(None).unwrap().into_string()).unwrap();
        let key = SigningKey::load(&path).unwrap();
        assert_eq!(key.public(), pair.pk.to_base64());
    }

    #[test]
    fn what_is_no_key_is_refused_without_a_question() {
        let folder = tempfile::tempdir().unwrap();
        let path = key_file(folder.path());
        let pair = KeyPair::generate_encrypted_keypair(Some("secret".into())).unwrap();
        let locked = pair.sk.to_box(None).unwrap().into_string();
        for text in ["", "a\nb\n", &locked] {
            fs::write(&path, text).unwrap();
            let error = SigningKey::load(&path).map(drop).unwrap_err();
            assert!(matches!(error, SignatureError::NoKey { .. }), "{error}");
        }
    }
}
