//! Tests of fragments.

use super::*;

/// Feeds fragments `(offset, last, bytes)` and compares what comes out.
fn check(fragments: &[(usize, bool, &str)], expected: Option<&str>) {
    let (mut table, mut losses) = (Fragments::default(), Losses::default());
    let mut whole = None;
    for (offset, is_last, bytes) in fragments {
        let fragment = Fragment {
            source: [10, 0, 0, 1].into(),
            destination: [10, 0, 0, 2].into(),
            protocol: 6,
            id: 7,
            offset: *offset,
            is_last: *is_last,
            payload: bytes.as_bytes(),
            is_cut: false,
        };
        if let Some(datagram) = table.push(&fragment, Timestamp(1), &mut losses) {
            assert!(whole.is_none(), "two datagrams");
            whole = Some(String::from_utf8(datagram.payload).expect("text"));
        }
    }
    assert_eq!(whole.as_deref(), expected);
    table.finish(&mut losses);
    let left = u64::from(expected.is_none());
    assert_eq!(losses.get(Loss::CaptureFragment), left);
}

#[test]
fn fragments_in_any_order_give_the_datagram() {
    let parts = [
        (0, false, "abcdefgh"),
        (8, false, "ijklmnop"),
        (16, true, "qr"),
    ];
    let whole = Some("abcdefghijklmnopqr");
    for order in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        check(&order.map(|index| parts[index]), whole);
    }
    for lost in 0..3 {
        let rest: Vec<_> = (0..3)
            .filter(|at| *at != lost)
            .map(|at| parts[at])
            .collect();
        check(&rest, None);
    }
}

#[test]
fn what_came_first_wins() {
    check(
        &[
            (8, false, "ijklmnop"),
            (8, false, "IJKLMNOP"),
            (0, false, "ABCDEFGHXXXXXXXX"),
            (0, false, "........"),
            (16, true, "qr"),
        ],
        Some("ABCDEFGHijklmnopqr"),
    );
    // Beyond the end according to the last fragment, or beyond the maximum of
    // IP.
    check(
        &[
            (16, true, "qr"),
            (16, false, "qrstuvwx"),
            (65_528, false, "12345678"),
        ],
        None,
    );
}

#[test]
fn old_and_too_many_datagrams_are_counted() {
    let (mut table, mut losses) = (Fragments::default(), Losses::default());
    let mut fragment = Fragment {
        source: [10, 0, 0, 1].into(),
        destination: [10, 0, 0, 2].into(),
        protocol: 6,
        id: 0,
        offset: 0,
        is_last: false,
        payload: &[1; 64],
        is_cut: false,
    };
    for id in 0..MAX_DATAGRAMS as u32 + 5 {
        fragment.id = id;
        table.push(&fragment, Timestamp(0), &mut losses);
    }
    assert_eq!(losses.get(Loss::CaptureFragment), 5);
    table.push(&fragment, Timestamp(MAX_AGE + 1), &mut losses);
    assert_eq!(losses.get(Loss::CaptureFragment), 5 + MAX_DATAGRAMS as u64);
    assert_eq!(
        (table.table.len(), table.order.len(), table.bytes),
        (1, 1, 64)
    );
    // As many bytes as are kept, then one datagram more.
    let big = vec![1; 32_000];
    fragment.payload = &big;
    for id in 0..1_000 {
        fragment.id = 10_000 + id;
        table.push(&fragment, Timestamp(MAX_AGE + 2), &mut losses);
    }
    assert!(table.bytes <= MAX_BYTES);
}
