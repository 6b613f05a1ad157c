//! `phiwatch explain`: what a rule, a severity or a finding means.
//!
//! Input: the id of a rule, a class, `severity`, or the id of a finding with
//! its journal or its captures. Output: text without payload, unless the values
//! are asked for with a reason.

mod reveal;
mod rule;
mod search;
mod show;
#[cfg(test)]
mod tests;

use std::io;

use super::{ExitStatus, Failure, OrFail as _};
use crate::{cli::ExplainArgs, rules};

/// Explains what `args` names.
pub fn execute(args: &ExplainArgs) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let Some(what) = args.what.as_deref() else {
        return rule::list(&mut out).or_fail(ExitStatus::Io);
    };
    if what == "severity" {
        return rule::matrix(&mut out).or_fail(ExitStatus::Io);
    }
    if let Some((topic, matches)) = rules::find(what) {
        return rule::rule(&mut out, what, topic, matches).or_fail(ExitStatus::Io);
    }
    if let Some(topic) = rules::topics().find(|topic| topic.class == what) {
        return rule::class(&mut out, topic).or_fail(ExitStatus::Io);
    }
    let usage = |message: String| Failure::message(ExitStatus::Usage, message);
    if !search::is_id(what) {
        return Err(usage(format!(
            "there is no rule, class or id of a finding `{}`; `phiwatch explain` lists the rules, \
             and an id has at least {} of its digits",
            what.escape_debug(),
            search::MIN_DIGITS
        )));
    }
    if !args.captures.is_empty() {
        return search::in_captures(&mut out, args, what);
    }
    match &args.journal {
        Some(journal) => {
            let record = search::in_journal(journal, what)?.ok_or_else(|| search::none(what))?;
            show::show(&mut out, &record, None).or_fail(ExitStatus::Io)
        }
        None => Err(usage(
            "the id of a finding needs what has it: --journal FILE, or captures behind the id"
                .to_owned(),
        )),
    }
}
