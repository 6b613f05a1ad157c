//! Tests of identities and of encrypted captures.

use std::{fs, io::Write as _, sync::Arc};

use age::{
    armor::{ArmoredWriter, Format},
    secrecy::ExposeSecret as _,
    x25519,
};

use super::*;
use crate::{
    capture::{OpenOptions, open_all_with},
    loss::{Loss, Losses},
};

/// A plaintext of more than two chunks: an endless archive of entries.
fn archive() -> Vec<u8> {
    let entry = r#"{"request":{"method":"GET","url":"http://example.com/a"}}"#;
    let entries = vec![entry; 3_000].join(",");
    format!("{{\"log\":{{\"entries\":[{entries}]}}}}").into_bytes()
}

fn encrypted(plain: &[u8], recipient: &x25519::Recipient, format: Format) -> Vec<u8> {
    let recipients = [recipient as &dyn age::Recipient];
    let encryptor = age::Encryptor::with_recipients(recipients.into_iter()).expect("a test file");
    let output = ArmoredWriter::wrap_output(Vec::new(), format).expect("a test file");
    let mut writer = encryptor.wrap_output(output).expect("a test file");
    writer.write_all(plain).expect("a test file");
    writer
        .finish()
        .expect("a test file")
        .finish()
        .expect("a test file")
}

/// The number of requests in `file`, and the losses; or the error.
fn requests(file: &[u8], identities: &Identities) -> Result<(usize, Losses), String> {
    let directory = tempfile::tempdir().expect("a test file");
    let path = directory.path().join("capture");
    fs::write(&path, file).expect("a test file");
    let options = OpenOptions {
        identities: identities.clone(),
        progress: Arc::default(),
    };
    let mut losses = Losses::default();
    let shown = |error: CaptureError| error.to_string();
    let mut source = open_all_with(&[path], &options).map_err(shown)?;
    let mut count = 0;
    while let Some(recorded) = source.next(&mut losses).map_err(shown)? {
        let event = recorded.event().expect("a raw capture");
        count += usize::from(matches!(event.kind, crate::event::EventKind::Data(_)));
    }
    Ok((count, losses))
}

fn identities(text: &str) -> Result<Identities, String> {
    let directory = tempfile::tempdir().expect("a test file");
    let path = directory.path().join("keys");
    fs::write(&path, text).expect("a test file");
    Identities::from_files(&[path]).map_err(|error| {
        let text = error.to_string();
        text.rsplit_once("keys")
            .map_or(text.clone(), |(_, text)| text.to_owned())
    })
}

fn key_file(key: &x25519::Identity) -> String {
    let secret = key.to_string();
    let secret = secret.expose_secret();
    format!(
        "# created: today\n# public key: {}\n{secret}\n",
        key.to_public()
    )
}

#[test]
fn files_of_identities_are_read() {
    let key = x25519::Identity::generate();
    assert!(identities(&key_file(&key)).is_ok());
    assert!(identities(&[key_file(&key), key_file(&key)].concat()).is_ok());
    let what = "is no age identity (AGE-SECRET-KEY-...)";
    for (text, line) in [
        ("", 1),
        ("# none\n", 1),
        ("# a\nsecret\n", 2),
        ("AGE-SECRET-KEY-1\n", 1),
    ] {
        assert_eq!(
            identities(text).unwrap_err(),
            format!(": line {line} {what}")
        );
    }
}

#[test]
fn encrypted_captures_need_the_right_identity() {
    let (key, other) = (x25519::Identity::generate(), x25519::Identity::generate());
    let right = identities(&key_file(&key)).unwrap();
    let wrong = identities(&key_file(&other)).unwrap();
    let plain = archive();
    let packed = zstd::stream::encode_all(&plain[..], 1).unwrap();
    for is_text in [false, true] {
        for content in [&plain, &packed] {
            let format = if is_text {
                Format::AsciiArmor
            } else {
                Format::Binary
            };
            let file = encrypted(content, &key.to_public(), format);
            let (count, losses) = requests(&file, &right).unwrap();
            assert_eq!((count, losses.total()), (3_000, 0));
            let error = requests(&file, &Identities::default()).unwrap_err();
            assert!(error.ends_with("is encrypted: give --identity"), "{error}");
            let error = requests(&file, &wrong).unwrap_err();
            assert!(error.contains("for other identities"), "{error}");
        }
    }
}

#[test]
fn a_torn_file_gives_the_whole_chunks() {
    const CHUNK: usize = 64 * 1_024 + 16;
    let key = x25519::Identity::generate();
    let right = identities(&key_file(&key)).unwrap();
    let file = encrypted(&archive(), &key.to_public(), Format::Binary);
    let chunks = file.len() / CHUNK;
    assert!(chunks >= 2);
    let body = file.len() - (chunks * CHUNK + archive().len() - chunks * 64 * 1_024 + 16);
    let per_entry = 58;
    let mut cuts: Vec<usize> = (30..body + 2).step_by(7).collect();
    for chunk in 0..=chunks {
        let end = body + chunk * CHUNK;
        cuts.extend(
            [end - 1, end, end + 1, end + 20]
                .iter()
                .filter(|cut| **cut < file.len()),
        );
    }
    for cut in cuts {
        let (count, losses) = requests(&file[..cut], &right).unwrap();
        let whole = cut.saturating_sub(body) / CHUNK * 64 * 1_024;
        assert_eq!(count, whole.saturating_sub(18) / per_entry, "cut at {cut}");
        assert_eq!(losses.get(Loss::CaptureTruncated), 1, "cut at {cut}");
    }
    // A changed byte is the end of what is certain.
    let mut changed = file.clone();
    changed[body + CHUNK + 100] ^= 1;
    let (count, losses) = requests(&changed, &right).unwrap();
    assert_eq!((count, losses.total()), ((64 * 1_024 - 18) / per_entry, 1));
}
