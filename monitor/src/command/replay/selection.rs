//! The filters of the command line to a [`Selection`].

use std::path::PathBuf;

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};

use super::input::last_time;
use crate::{
    command::{ExitStatus, Failure},
    finding::Severity,
    phi::{Health, Identifier},
    select::{Filter, Selection, Span, Vocabulary, parse_duration, parse_time, tracker_advice},
};

/// Which findings are shown; without any of these, all of them.
///
/// Detection and the counts of people always see everything.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Filters (all must fit; of a repeated one, any)")]
pub struct SelectArgs {
    /// Nothing before this: 2026-11-24, 2026-11-24T02:41Z, or 30m, 2h, 7d before
    /// the end of the captures
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<String>,
    /// Nothing after this; a day, minute or second is meant with all that is in it
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<String>,
    /// Only processes with this id, name, executable, unit, container or service
    #[arg(long, value_name = "NAME|PID")]
    pub process: Vec<String>,
    /// Only this recipient; `phiwatch trackers` lists the ids
    #[arg(long, value_name = "ID")]
    pub tracker: Vec<String>,
    /// Only findings of at least this severity
    #[arg(long, value_name = "SEVERITY", value_parser = severity_parser())]
    pub severity: Option<Severity>,
    /// Only findings with this class of data, like email or condition
    #[arg(long, value_name = "NAME", value_parser = class_parser(), hide_possible_values = true)]
    pub class: Vec<String>,
    /// Only this host and those below it
    #[arg(long, value_name = "SUFFIX")]
    pub host: Vec<String>,
    /// Only what fits an expression, like 'tracker == meta and class has email';
    /// `--filter help` explains it
    #[arg(long, value_name = "EXPRESSION")]
    pub filter: Option<String>,
}

impl SelectArgs {
    /// The conditions in force, as they were given; `None` without any.
    pub fn description(&self) -> Option<String> {
        let one = |name: &str, value: &Option<String>| {
            value
                .iter()
                .map(|value| format!("--{name} {value}"))
                .collect()
        };
        let each = |name: &str, values: &[String]| -> Vec<String> {
            values
                .iter()
                .map(|value| format!("--{name} {value}"))
                .collect()
        };
        let severity = self.severity.map(|own| own.as_str().to_owned());
        let all: Vec<Vec<String>> = vec![
            one("since", &self.since),
            one("until", &self.until),
            each("process", &self.process),
            each("tracker", &self.tracker),
            one("severity", &severity),
            each("class", &self.class),
            each("host", &self.host),
            one("filter", &self.filter),
        ];
        let all = all.concat();
        (!all.is_empty()).then(|| all.join(" "))
    }
}

/// The parser of a severity.
pub(super) fn severity_parser() -> impl TypedValueParser<Value = Severity> {
    PossibleValuesParser::new(Severity::ALL.iter().map(|severity| severity.as_str()))
        .try_map(|name| Severity::from_name(&name).ok_or("not a severity"))
}

fn class_parser() -> PossibleValuesParser {
    let identifiers = Identifier::ALL.iter().map(|class| class.as_str());
    PossibleValuesParser::new(identifiers.chain(Health::ALL.iter().map(|class| class.as_str())))
}

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
