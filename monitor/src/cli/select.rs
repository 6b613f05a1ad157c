//! Options that choose which findings are shown.

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};

use crate::{
    finding::Severity,
    phi::{Health, Identifier},
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
    PossibleValuesParser::new(Severity::ALL.iter().map(|severity| severity.as_str())).try_map(
        |name| {
            Severity::ALL
                .iter()
                .copied()
                .find(|severity| severity.as_str() == name)
                .ok_or("not a severity")
        },
    )
}

fn class_parser() -> PossibleValuesParser {
    let identifiers = Identifier::ALL.iter().map(|class| class.as_str());
    PossibleValuesParser::new(identifiers.chain(Health::ALL.iter().map(|class| class.as_str())))
}
