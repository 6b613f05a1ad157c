//! Tests of files of every kind that are cut or changed anywhere: the seeds of
//! the fuzz target.

use std::{fs, path::Path};

use super::*;

/// The seeds, by their names.
fn seeds() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/seeds/capture");
    let mut seeds: Vec<_> = fs::read_dir(folder)
        .expect("the seeds can be read")
        .map(|entry| {
            let entry = entry.expect("the seeds can be read");
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, fs::read(entry.path()).expect("the seeds can be read"))
        })
        .collect();
    seeds.sort();
    assert!(seeds.len() >= 8, "{} seeds", seeds.len());
    seeds
}

/// The data of a file, each with its place.
fn data(bytes: &[u8]) -> (Vec<(u64, Vec<u8>)>, Losses) {
    let mut losses = Losses::default();
    let all = read_bytes(bytes, &mut losses).into_iter();
    let events = all.filter_map(Recorded::event);
    let data = events.filter_map(|event| match (event.kind, event.place) {
        (EventKind::Data(data), Some(place)) => {
            Some((place.packet, data.bytes.into_exposed().to_vec()))
        }
        _ => None,
    });
    (data.collect(), losses)
}

#[test]
fn every_prefix_gives_what_comes_before() {
    for (name, file) in seeds() {
        let (whole, _) = data(&file);
        assert!(!whole.is_empty(), "{name}");
        for length in 0..file.len() {
            let (part, losses) = data(&file[..length]);
            // Responses are held until the end, and then follow others.
            let mut rest = whole.clone();
            for each in &part {
                let at = rest.iter().position(|whole| whole == each);
                let at = at.unwrap_or_else(|| panic!("{name} cut at {length}"));
                rest.remove(at);
            }
            // These formats mark their end; a pcap file may end after any
            // packet.
            let says_end = ["cooked.pcap.gz", "archive.har"].contains(&&*name);
            if says_end && length > 100 {
                assert!(
                    losses.get(Loss::CaptureTruncated) > 0,
                    "{name} cut at {length}"
                );
            }
        }
    }
}

#[test]
fn every_changed_byte_is_survived() {
    for (name, file) in seeds() {
        let count = data(&file).0.len();
        for at in 0..file.len() {
            let mut changed = file.clone();
            changed[at] ^= if at % 2 == 0 { 0xff } else { 0x01 };
            let (data, _) = data(&changed);
            // What is one packet or entry does not become many.
            assert!(data.len() <= count + 8, "{name} changed at {at}");
        }
    }
}
