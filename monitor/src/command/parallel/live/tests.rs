//! Any number of helpers gives the same results, however the events are
//! batched.

use super::{super::tests::capture, *};
use crate::{loss::Losses, pipeline::Pipeline, token::TokenKey, tracker::Policy};

fn examiner() -> Examiner {
    Examiner::new(Catalog::builtin(), TokenKey::from_bytes([3; 32]))
}

/// The catalog of an operator who owns all the trackers of the conversations.
fn first_party() -> Catalog {
    let policy = Policy::new(&["api.segment.io".to_owned()], &[]).unwrap();
    Catalog::builtin().with_policy(policy)
}

/// The same conversations `times` times, one after the other.
fn events(times: u64) -> Vec<Event> {
    use crate::capture::EventSource as _;
    let mut all = Vec::new();
    for time in 0..times {
        let (mut source, mut losses) = (capture(false), Losses::default());
        while let Ok(Some(mut event)) = source.next(&mut losses) {
            event.stream.handle += time * 100;
            event.time = event.time.plus(time * 1_000_000_000_000);
            all.push(event);
        }
    }
    all
}

fn said(out: &Output, losses: &Losses, people: PeopleCount) -> String {
    format!("{out:?} {losses:?} {people:?}")
}

fn live(events: &[Event], batch: usize, helpers: usize) -> String {
    let mut live = Live::new(examiner(), helpers).unwrap();
    let mut out = Output::default();
    for batch in events.chunks(batch) {
        for event in batch {
            live.push(event, &mut out);
        }
        live.settle(&mut out);
    }
    live.finish();
    live.settle(&mut out);
    said(&out, live.losses(), live.people("segment"))
}

#[test]
fn any_number_of_helpers_and_any_batches_say_what_the_pipeline_says() {
    let events = events(3);
    let mut pipeline = Pipeline::from(examiner());
    let mut out = Output::default();
    for event in &events {
        pipeline.push(event, &mut out);
    }
    pipeline.finish(&mut out);
    assert!(out.findings.len() > 600, "{}", out.findings.len());
    let expected = said(&out, pipeline.losses(), pipeline.people("segment"));
    for helpers in [0, 1, 2, 7] {
        for batch in [1, 100, usize::MAX] {
            let said = live(&events, batch, helpers);
            assert!(said == expected, "{helpers} helpers, batches of {batch}");
        }
    }
}

#[test]
fn a_reload_takes_effect_between_two_batches() {
    let events = events(1);
    let half = events.len() / 2;
    for helpers in [0, 2] {
        let mut live = Live::new(examiner(), helpers).unwrap();
        let mut before = Output::default();
        events[..half]
            .iter()
            .for_each(|event| live.push(event, &mut before));
        live.settle(&mut before);
        live.set_recipients(first_party(), Services::default());
        let mut after = Output::default();
        events[half..]
            .iter()
            .for_each(|event| live.push(event, &mut after));
        live.settle(&mut after);
        assert!(before.findings.len() > 50);
        assert_eq!(after.findings.len(), 0);
    }
}
