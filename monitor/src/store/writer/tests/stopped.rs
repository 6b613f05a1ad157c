//! A writer that is stopped at any moment, and what the next one does about it.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::Path,
};

use super::bench::{Bench, MINUTE, event};
use crate::{
    capture::{Provenance, Recorded, read_bytes},
    event::{EventKind, Timestamp},
    loss::Losses,
    store::{
        AgeRecipients, CaptureOptions, CaptureWriter, CheckingKey, ENCRYPTED_WAIT, FileState,
        StoreError, StoreOptions, manifest,
        name::{MANIFEST, SUMS, draft_name},
        verify,
    },
};

#[test]
fn a_writer_that_is_stopped_anywhere_leaves_a_valid_manifest() {
    for steps in 0..40 {
        let bench = Bench::new(10_000);
        let mut writer = bench.writer();
        for number in 0..steps {
            writer.write(&mut event(number, 3_000)).unwrap();
            if number % 3 == 0 {
                writer.sync().unwrap();
            }
        }
        drop(writer);
        bench.assert_valid("stopped");
        let states = bench.states();
        assert_eq!(states.get("not sealed"), Some(&1), "{states:?}");
        bench.writer().close().unwrap();
        bench.assert_valid("started again");
        let states = bench.states();
        assert_eq!(states.get("recovered"), Some(&1), "{states:?}");
        assert!(bench.replayed().0.len() as u64 + 3 >= steps);
    }
}

#[test]
fn a_segment_that_is_cut_anywhere_is_recovered_to_its_last_whole_block() {
    let bench = Bench::new(u64::MAX);
    let mut writer = bench.writer();
    for number in 0..3 {
        writer.write(&mut event(number, 40)).unwrap();
    }
    writer.sync().unwrap();
    drop(writer);
    let path = bench.segments().remove(0);
    let name = path.file_name().unwrap().to_str().unwrap();
    let whole = fs::read(&path).unwrap();
    let before: Vec<_> = [MANIFEST, name]
        .iter()
        .map(|name| {
            (
                bench.path().join(name),
                fs::read(bench.path().join(name)).unwrap(),
            )
        })
        .collect();
    for length in 0..=whole.len() {
        for entry in fs::read_dir(bench.path()).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        for (path, bytes) in &before {
            fs::write(path, bytes).unwrap();
        }
        fs::write(&path, &whole[..length]).unwrap();
        let found = bench.verified();
        assert_eq!(found.files[0].state, FileState::NotSealed);
        let is_torn = found.files[0].detail.contains("torn at byte");
        bench.writer().close().unwrap();
        bench.assert_valid("recovered");
        let kept = fs::metadata(&path).unwrap().len() as usize;
        assert!(kept <= length && length - kept < 700 && is_torn == (kept < length));
        let cut = format!(
            "; {} bytes of an incomplete block were cut off",
            length - kept
        );
        assert!(
            bench.verified().files[0].detail.ends_with(&cut),
            "cut at {length}"
        );
        // Allocated space that was never written is cut off as well.
        let zeros = [&whole[..kept], &[0; 500]].concat();
        if length % 50 == 0 && kept > 0 {
            fs::write(&path, zeros).unwrap();
            fs::write(&before[0].0, &before[0].1).unwrap();
            bench.writer().close().unwrap();
            assert_eq!(fs::metadata(&path).unwrap().len() as usize, kept);
        }
    }
}

#[test]
fn what_a_kill_leaves_between_two_steps_is_put_in_order() {
    let bench = Bench::new(u64::MAX);
    let mut writer = bench.writer();
    writer.write(&mut event(0, 40)).unwrap();
    writer.rotate(Timestamp(u64::MAX / 2)).unwrap();
    drop(writer);
    let last = bench.segments().pop().unwrap();
    let name = last.file_name().unwrap().to_str().unwrap().to_owned();
    let draft = bench.path().join(draft_name(&name));
    // Killed before the segment was put in its place.
    fs::rename(&last, &draft).unwrap();
    // Drafts of a commit, and of a segment that is in no manifest.
    let other = name.replace("-0001", "-0002");
    for name in [MANIFEST, SUMS, &*other] {
        fs::write(bench.path().join(draft_name(name)), b"half").unwrap();
    }
    // Files of others.
    for name in ["notes.txt", ".notes.new", &*other] {
        fs::write(bench.path().join(name), b"mine").unwrap();
    }
    let detail = |name: &str| {
        let found = bench.verified();
        let file = found
            .files
            .into_iter()
            .find(|file| file.name == name)
            .unwrap();
        (file.state, file.detail)
    };
    let (state, text) = detail(&name);
    assert_eq!(state, FileState::NotSealed);
    assert!(text.contains("as it began it"), "{text}");
    bench.writer().close().unwrap();
    assert_eq!(detail(&name).0, FileState::Recovered);
    assert_eq!(detail("notes.txt").0, FileState::Extra);
    assert_eq!(detail(&other).0, FileState::Unlisted);
    for name in ["notes.txt", ".notes.new", &*other] {
        assert_eq!(fs::read(bench.path().join(name)).unwrap(), b"mine");
    }
    assert!(!draft.exists() && !bench.path().join(draft_name(MANIFEST)).exists());
}

#[test]
fn a_segment_that_vanished_before_it_was_sealed_stays_missing() {
    let bench = Bench::new(u64::MAX);
    drop(bench.writer());
    fs::remove_file(&bench.segments()[0]).unwrap();
    assert_eq!(bench.states(), BTreeMap::from([("MISSING", 1)]));
    bench.disk.pass(MINUTE);
    bench.writer().close().unwrap();
    assert_eq!(bench.states(), BTreeMap::from([("MISSING", 1), ("ok", 1)]));
}

#[test]
fn a_deletion_that_was_interrupted_is_finished() {
    let mut bench = Bench::new(10_000);
    bench.writer().close().unwrap();
    let path = bench.segments().remove(0);
    let bytes = fs::read(&path).unwrap();
    bench.disk.pass(MINUTE * 60 * 24 * 3);
    bench.options.quota.max_age = Some(MINUTE);
    let mut writer = bench.writer();
    writer.tick().unwrap();
    writer.close().unwrap();
    assert!(!path.exists());
    fs::write(&path, &bytes).unwrap();
    bench.disk.pass(MINUTE);
    bench.writer().close().unwrap();
    assert!(!path.exists());
    // What only has the name is not ours to delete.
    fs::write(&path, b"of others").unwrap();
    bench.writer().close().unwrap();
    assert!(path.exists());
}

#[test]
fn a_folder_has_one_writer() {
    let bench = Bench::new(u64::MAX);
    let writer = bench.writer();
    let error = bench.try_writer().map(drop).unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }));
    assert!(bench.verified().is_being_written);
    drop(writer);
    assert!(!bench.verified().is_being_written);
    bench.writer().close().unwrap();
}

#[test]
fn a_broken_manifest_is_set_aside_and_kept() {
    let bench = Bench::new(u64::MAX);
    bench.writer().close().unwrap();
    let path = bench.path().join(MANIFEST);
    let mut bytes = fs::read(&path).unwrap();
    bytes[200] ^= 1;
    fs::write(&path, &bytes).unwrap();
    bench.disk.pass(MINUTE);
    bench.writer().close().unwrap();
    let found = bench.verified();
    let names: Vec<_> = found
        .files
        .iter()
        .filter(|file| file.state.is_failure())
        .map(|file| file.name.split(".broken-").next().unwrap())
        .collect();
    assert!(
        names.contains(&MANIFEST) && names.contains(&SUMS),
        "{names:?}"
    );
    assert!(names.iter().any(|name| name.starts_with("phiwatch-")));
    let reading = manifest::read(bench.path()).unwrap().unwrap();
    assert_eq!(reading.problem, None);
}

#[test]
fn a_signature_goes_with_every_update() {
    let mut bench = Bench::new(20_000);
    let pair = minisign::KeyPair::generate_encrypted_keypair(Some(String::new())).unwrap();
    let secret = bench.path().join("minisign.key");
    fs::write(&secret, pair.sk.to_box(None).unwrap().into_string()).unwrap();
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(&secret, permissions).unwrap();
    bench.options.key = Some(crate::store::SigningKey::load(&secret).unwrap());
    let public = CheckingKey::from_base64(&pair.pk.to_base64()).unwrap();
    let mut writer = bench.writer();
    for number in 0..10 {
        writer.write(&mut event(number, 9_000)).unwrap();
        for key in [None, Some(&public)] {
            let found = verify(bench.path(), key).unwrap();
            assert!(!found.is_failure(), "{:#?}", found.files);
        }
    }
    writer.close().unwrap();
    let other = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
    let other = CheckingKey::from_base64(&other.pk.to_base64()).unwrap();
    assert!(verify(bench.path(), Some(&other)).unwrap().is_failure());
    fs::remove_file(bench.path().join("SHA256SUMS.minisig")).unwrap();
    assert!(bench.verified().is_failure());
}

#[test]
fn opening_a_folder_that_cannot_be_made_says_which() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    let options = CaptureOptions {
        store: StoreOptions::default(),
        provenance: Provenance::default(),
        started: Timestamp(0),
    };
    let error = CaptureWriter::create(&file.join("in"), options)
        .map(drop)
        .unwrap_err();
    assert!(
        matches!(&error, StoreError::Write { source, .. } if source.kind() == io::ErrorKind::NotADirectory)
    );
}

#[cfg(feature = "encryption")]
#[test]
fn encrypted_segments_keep_what_was_synced() {
    use std::io::Read as _;

    let identity = age::x25519::Identity::generate();
    let mut bench = Bench::new(200_000);
    bench.options.recipients = AgeRecipients::parse(&[identity.to_public().to_string()]).unwrap();
    let decrypted = |path: &Path| {
        let mut plain = Vec::new();
        let file = File::open(path).unwrap();
        let decryptor = age::Decryptor::new(io::BufReader::new(file)).unwrap();
        let identity: &dyn age::Identity = &identity;
        let mut reader = decryptor.decrypt(std::iter::once(identity)).unwrap();
        // What is not yet there ends in an error.
        drop(reader.read_to_end(&mut plain));
        plain
    };
    let mut writer = bench.writer();
    for number in 0..60 {
        writer.write(&mut event(number, 9_000)).unwrap();
        if number % 7 == 0 {
            writer.sync().unwrap();
            let mut seen = 0;
            for path in bench.segments() {
                let plain = decrypted(&path);
                let mut losses = Losses::default();
                seen += read_bytes(&plain, &mut losses)
                    .into_iter()
                    .filter_map(Recorded::event)
                    .filter(|event| matches!(event.kind, EventKind::Data(_)))
                    .count() as u64;
            }
            assert_eq!(seen, number + 1);
            bench.assert_valid("encrypted");
        }
    }
    // What waits is on disk after a while.
    writer.tick().unwrap();
    bench.disk.pass(ENCRYPTED_WAIT);
    let before = bench.bytes();
    writer.tick().unwrap();
    assert!(bench.bytes() > before);
    drop(writer);
    bench.writer().close().unwrap();
    bench.assert_valid("recovered");
    let states = bench.states();
    assert!(states["ok"] > 1 && states["recovered"] == 1, "{states:?}");
    for path in bench.segments() {
        assert!(path.to_str().unwrap().ends_with(".pcapng.age"));
        let bytes = fs::read(&path).unwrap();
        assert!(!bytes.windows(64).any(|window| window == [b'x'; 64]));
    }
}
