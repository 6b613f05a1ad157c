//! Runs the core between a feed and a sink.
//!
//! In: what the feed gives, one after the other. Out: results, as soon as they
//! are known. Live and replay differ only in their feeds and sinks.

use super::{MessageAssembler, Output, Pipeline, Step};
use crate::{
    event::{Event, Timestamp},
    loss::Losses,
    message::Message,
    tracker::{Catalog, Services},
};

/// What a feed gives.
pub enum Input {
    /// The next event.
    Event(Event),
    /// The next message of a redacted capture.
    Message(Message),
    /// Nothing waits at present, and all events before this time have come: a
    /// time to finish everything that was begun.
    Idle(Timestamp),
    /// These recipients and services are the ones to know from now on.
    Recipients(Box<(Catalog, Services)>),
    /// No event will follow.
    End,
}

/// Feeds the core.
pub trait Feed {
    /// Why the core is to stop.
    type Error;

    /// The next input; blocks until there is one. What could not be read is
    /// counted in `losses`.
    ///
    /// # Errors
    /// Reading failed; there may be more input.
    fn next(&mut self, losses: &mut Losses) -> Result<Input, Self::Error>;
}

/// Takes what comes out of the core. It is what feeds the core, too: reading and
/// writing share state, such as the capture that live events are recorded in.
pub trait Sink: Feed {
    /// Takes results of `core`, in order, and whenever the feed was idle, even
    /// if there are none. What is left in `out` is dropped.
    ///
    /// # Errors
    /// Writing failed, or the sink has seen enough.
    fn take(&mut self, out: &mut Output, core: &Pipeline) -> Result<(), Self::Error>;
}

/// Runs `core` until the feed ends. It can be asked for totals afterwards.
///
/// # Errors
/// That of the feed, after the results of everything before it were taken; or
/// that of taking, at once.
///
/// # Panics
/// If a thread of the core panicked.
pub fn drive<T: Sink>(sink: &mut T, core: &mut Pipeline) -> Result<(), T::Error> {
    let mut out = Output::default();
    loop {
        let input = sink.next(&mut core.losses);
        let is_over = matches!(input, Ok(Input::End) | Err(_));
        let is_given = matches!(input, Ok(Input::Event(_) | Input::Message(_)));
        let mut result = Ok(());
        match input {
            Ok(Input::Event(event)) => core.push(&event, &mut out),
            Ok(Input::Message(message)) => core.message(&message, &mut out),
            Ok(Input::Idle(now)) => core.tick(now, &mut out),
            Ok(Input::Recipients(recipients)) => {
                let (catalog, services) = *recipients;
                core.set_recipients(catalog, services);
                continue;
            }
            Ok(Input::End) => core.finish(&mut out),
            // There may be more that cannot be read, so nothing is declared
            // complete.
            Err(error) => {
                core.settle(&mut out);
                result = Err(error);
            }
        }
        if is_given && out.step_ends.is_empty() {
            continue;
        }
        sink.take(&mut out, core)?;
        out.clear();
        if is_over {
            return result;
        }
    }
}

/// Passes every step that a feed leads to to `take`, unexamined, until the feed
/// ends or there is a result.
///
/// # Errors
/// That of the feed.
pub fn each_step<F: Feed, R>(
    feed: &mut F,
    mut take: impl FnMut(&Step) -> Option<R>,
) -> Result<Option<R>, F::Error> {
    let (mut assembler, mut losses) = (MessageAssembler::default(), Losses::default());
    let mut steps = Vec::new();
    loop {
        let input = feed.next(&mut losses)?;
        match &input {
            Input::Event(event) => assembler.push(event, &mut losses, &mut steps),
            Input::Message(message) => assembler.message(message, &mut losses, &mut steps),
            Input::Idle(now) => assembler.tick(*now, &mut losses, &mut steps),
            Input::Recipients(_) => {}
            Input::End => assembler.finish(&mut losses, &mut steps),
        }
        let result = steps.drain(..).find_map(|step| take(&step));
        if result.is_some() || matches!(input, Input::End) {
            return Ok(result);
        }
    }
}
