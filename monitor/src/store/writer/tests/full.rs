//! A disk that is full or fails.

use std::{collections::BTreeMap, fs::File, sync::atomic::Ordering, time::Duration};

use super::bench::{Bench, MINUTE, event};
use crate::{
    loss::Loss,
    store::{StoreError, SyncPolicy, structure},
};

/// Writes on a disk with room for `room` bytes until it is full and longer, and
/// continues when there is room again. Everything accepted is in the capture,
/// and everything else is counted.
fn fill(room: u64, policy: SyncPolicy) {
    let when = format!("room for {room}");
    let mut bench = Bench::new(150_000);
    bench.options.sync = policy;
    bench.disk.set_room(room);
    let mut writer = bench.writer();
    let mut accepted = Vec::new();
    let count = 45;
    for number in 0..count {
        let mut event = event(number, 9_000);
        if number == 35 {
            bench.disk.set_room(u64::MAX);
            bench.disk.pass(MINUTE);
        }
        match writer.write(&mut event) {
            Ok(()) => {
                assert!(event.place.is_some());
                accepted.push(number * 9_000);
            }
            Err(_) => assert_eq!(event.place, None),
        }
        // Whatever is on disk ends after a whole block.
        for path in bench.segments() {
            let found = structure::pcapng(File::open(&path).unwrap()).unwrap();
            assert_eq!(found.fault, None, "{when}: {}", path.display());
        }
        if number % 4 == room % 4 {
            bench.assert_valid(&when);
        }
        bench.disk.pass(Duration::from_millis(50));
    }
    let refused = writer.losses().total();
    writer.close().unwrap();
    bench.assert_valid(&when);
    let (offsets, losses) = bench.replayed();
    if policy == SyncPolicy::Write {
        // An event that waited may be written later, without a place.
        assert!(
            accepted.iter().all(|offset| offsets.contains(offset)),
            "{when}"
        );
    } else {
        assert_eq!(offsets, accepted, "{when}");
    }
    assert_eq!(offsets.len() as u64 + refused, count, "{when}");
    let told = losses.get(Loss::CaptureNoRoom) + losses.get(Loss::CaptureWrite);
    assert_eq!(told, refused, "{when}");
}

#[test]
fn a_disk_that_is_full_at_any_moment_loses_nothing_that_was_accepted() {
    for room in (0..12_000)
        .step_by(733)
        .chain((12_000..420_000).step_by(19_973))
    {
        fill(room, SyncPolicy::Second);
    }
    for room in (0..300_000).step_by(29_989) {
        fill(room, SyncPolicy::Write);
    }
}

#[test]
fn a_disk_that_fails_costs_the_segment_and_says_so() {
    let bench = Bench::new(u64::MAX);
    let mut writer = bench.writer();
    writer.write(&mut event(0, 10)).unwrap();
    writer.sync().unwrap();
    writer.write(&mut event(1, 10)).unwrap();
    bench.disk.set_failing(true);
    assert!(writer.sync().is_err());
    assert!(matches!(
        writer.write(&mut event(2, 10)),
        Err(StoreError::Waiting)
    ));
    bench.disk.set_failing(false);
    bench.disk.pass(MINUTE);
    writer.write(&mut event(3, 10)).unwrap();
    assert_eq!(writer.losses().get(Loss::CaptureWrite), 1);
    writer.close().unwrap();
    assert_eq!(
        bench.states(),
        BTreeMap::from([("ok", 1), ("recovered", 1)])
    );
    assert_eq!(bench.replayed().0, [0, 10, 30]);
}

#[test]
fn what_was_written_through_is_on_disk_when_the_place_is_given() {
    let mut bench = Bench::new(50_000);
    bench.options.sync = SyncPolicy::Write;
    let mut writer = bench.writer();
    for number in 0..20 {
        let mut event = event(number, 9_000);
        writer.write(&mut event).unwrap();
        let place = event.place.unwrap();
        let file = File::open(bench.path().join(&*place.file)).unwrap();
        let found = structure::pcapng(file).unwrap();
        assert_eq!(found.packets, Some(place.packet));
    }
    let syncs = bench.disk.syncs.load(Ordering::Relaxed);
    assert!(syncs >= 20);
}

#[test]
fn pauses_grow_and_a_failure_lasts_until_something_is_written() {
    let bench = Bench::new(u64::MAX);
    let mut writer = bench.writer();
    writer.write(&mut event(0, 10)).unwrap();
    bench.disk.set_room(0);
    let mut tries = 0;
    for second in 1..60 {
        bench.disk.pass(Duration::from_secs(1));
        tries += u64::from(writer.tick().is_err());
        // There may or may not be room in memory between two tries.
        let _is_taken = writer.write(&mut event(second, 10)).is_ok();
        assert!(writer.is_failing());
    }
    assert!((10..25).contains(&tries), "{tries}");
    bench.disk.set_room(u64::MAX);
    bench.disk.pass(MINUTE);
    writer.tick().unwrap();
    assert!(!writer.is_failing());
    let lost = writer.losses().get(Loss::CaptureNoRoom);
    writer.close().unwrap();
    assert_eq!(bench.replayed().0.len() as u64 + lost, 60);
}
