//! The filters of the command line to a [`Selection`].

use std::path::PathBuf;

use super::input::last_time;
use crate::{
    cli::SelectArgs,
    command::{ExitStatus, Failure},
    select::{Filter, Selection, Span, Vocabulary, parse_duration, parse_time, tracker_advice},
};

/// The selection that `args` describes.
///
/// # Errors Wrong use, described in words; or the captures cannot be read, if a
/// time is relative to their end.
pub(crate) fn selection(
    args: &SelectArgs,
    vocabulary: &Vocabulary,
    files: &[PathBuf],
    identities: &[PathBuf],
) -> Result<Selection, Failure> {
    let SelectArgs {
        since,
        until,
        process,
        tracker,
        severity,
        class,
        host,
        filter,
    } = args;
    let usage = |message: String| Failure::message(ExitStatus::Usage, message);
    for id in tracker {
        if !vocabulary.trackers().any(|own| own == id) {
            let advice = tracker_advice(id, vocabulary);
            let advice = if advice.is_empty() {
                "`phiwatch trackers` lists them"
            } else {
                &advice
            };
            return Err(usage(format!(
                "--tracker: there is no tracker `{}`; {advice}",
                id.escape_debug()
            )));
        }
    }
    let filter = filter
        .as_deref()
        .map(|text| Filter::parse(text, vocabulary))
        .transpose()
        .map_err(|error| usage(format!("--filter: {error}")))?;
    let mut end = None;
    let mut time = |option: &str, text: &Option<String>| {
        let Some(text) = text.as_deref() else {
            return Ok(None);
        };
        if let Some(span) = parse_time(text) {
            return Ok(Some(span));
        }
        let Some(before) = parse_duration(text.strip_prefix('-').unwrap_or(text)) else {
            return Err(usage(format!(
                "{option}: `{}` is no time; write 2026-11-24, 2026-11-24T02:41Z, \
                 2026-11-24T03:41:03.5+01:00, or a time before the end of the captures: 30m, 2h, \
                 7d",
                text.escape_debug()
            )));
        };
        let end = match end {
            Some(end) => end,
            None => *end.insert(last_time(files, identities)?),
        };
        let moment = end.saturating_sub(before);
        Ok(Some(Span {
            first: moment,
            last: moment,
        }))
    };
    let since = time("--since", since)?.map(|span| span.first);
    let until = time("--until", until)?.map(|span| span.last);
    if let (Some(since), Some(until)) = (since, until)
        && since > until
    {
        return Err(usage(
            "--since is later than --until: nothing can be between them".to_owned(),
        ));
    }
    Ok(Selection {
        since,
        until,
        processes: process.clone(),
        trackers: tracker.clone(),
        severity: *severity,
        classes: class.clone(),
        hosts: host.clone(),
        filter,
    })
}
