//! What ends a segment, and what makes room.

use std::{collections::BTreeMap, fs};

use super::bench::{Bench, MINUTE, event};
use crate::{
    loss::Loss,
    store::{FileCheck, FileState, StoreError, name::HOLD},
};

#[test]
fn segments_end_by_age_but_not_empty() {
    let bench = Bench::new(u64::MAX);
    let mut writer = bench.writer();
    bench.disk.pass(MINUTE * 120);
    writer.tick().unwrap();
    assert_eq!(writer.segments().len(), 1);
    writer.write(&mut event(0, 10)).unwrap();
    writer.tick().unwrap();
    assert_eq!(writer.segments().len(), 1);
    bench.disk.pass(MINUTE * 61);
    writer.tick().unwrap();
    assert_eq!(writer.segments().len(), 2);
    // The first event meets the same limits.
    writer.write(&mut event(1, 10)).unwrap();
    bench.disk.pass(MINUTE * 61);
    writer.write(&mut event(2, 10)).unwrap();
    assert_eq!(writer.segments().len(), 3);
    writer.close().unwrap();
    assert_eq!(bench.states(), BTreeMap::from([("ok", 3)]));
}

#[test]
fn the_oldest_make_room_and_the_manifest_says_so() {
    let mut bench = Bench::new(20_000);
    bench.options.quota.max_bytes = 250_000;
    let mut writer = bench.writer();
    for number in 0..60 {
        writer.write(&mut event(number, 9_000)).unwrap();
        writer.flush().unwrap();
        assert!(bench.bytes() <= 250_000, "after event {number}");
        bench.assert_valid("in between");
    }
    assert_eq!(writer.losses().total(), 0);
    writer.close().unwrap();
    let states = bench.states();
    assert!(states["deleted"] > 10 && states["ok"] >= 3, "{states:?}");
    let deleted = |file: &FileCheck| {
        file.state == FileState::Deleted && file.detail.contains("capture.max_bytes")
    };
    assert!(bench.verified().files.iter().any(deleted));
    let (offsets, _) = bench.replayed();
    assert!(offsets.ends_with(&[58 * 9_000, 59 * 9_000]));
}

#[test]
fn a_hold_stops_deletion_and_what_finds_no_room_is_counted() {
    let mut bench = Bench::new(20_000);
    bench.options.quota.max_bytes = 250_000;
    bench.options.quota.max_age = Some(MINUTE);
    let hold = bench.path().join(HOLD);
    fs::write(&hold, b"").unwrap();
    let mut writer = bench.writer();
    let mut refused = 0;
    for number in 0..60 {
        if let Err(error) = writer.write(&mut event(number, 9_000)) {
            assert!(
                matches!(error, StoreError::NoRoom { .. } | StoreError::Waiting),
                "{error}"
            );
            assert!(refused > 0 || error.to_string().contains("hold"), "{error}");
            refused += 1;
        }
    }
    assert!(refused > 20);
    assert_eq!(writer.losses().get(Loss::CaptureNoRoom), refused);
    bench.disk.pass(MINUTE);
    // Old segments are not deleted either.
    writer.tick().unwrap();
    assert_eq!(bench.states().get("deleted"), None);
    fs::remove_file(hold).unwrap();
    bench.disk.pass(MINUTE);
    writer.write(&mut event(60, 9_000)).unwrap();
    writer.close().unwrap();
    assert!(bench.states()["deleted"] > 0);
    bench.assert_valid("at the end");
}

#[test]
fn others_who_fill_the_disk_cost_the_oldest_but_not_everything() {
    let mut bench = Bench::new(20_000);
    bench.options.quota.min_free_bytes = 50_000;
    let mut writer = bench.writer();
    for number in 0..30 {
        writer.write(&mut event(number, 9_000)).unwrap();
    }
    bench.disk.set_space(40_000, 10_000_000);
    writer.tick().unwrap();
    let deleted = bench.states()["deleted"];
    assert!((1..3).contains(&deleted), "{deleted}");
    // Nothing would be enough: existing segments stay, and none is added.
    bench.disk.set_space(0, 1 << 40);
    let mut all = Bench::new(20_000);
    all.options.quota.min_free_bytes = 1 << 30;
    all.disk.set_space(0, 1 << 40);
    let mut full = all.writer();
    assert!(full.write(&mut event(0, 10)).is_err());
    assert_eq!(full.losses().get(Loss::CaptureNoRoom), 1);
    all.disk.set_space(1 << 39, 1 << 40);
    all.disk.pass(MINUTE);
    full.write(&mut event(1, 10)).unwrap();
}
