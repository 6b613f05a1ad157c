//! Which probes a file gets, and for whom.
//!
//! In: which processes map the file, how much of each is to be probed, and
//! whether the scope is narrow. Out: the attachments that this takes. Pure, so
//! that every case is a line of a test.
//!
//! * A **wide** scope (the whole host) attaches to the file: every process that
//!   maps it is probed, also one that starts in the next millisecond.
//! * A **narrow** scope attaches to each of its processes: the kernel then puts
//!   breakpoints into their memory only, and everyone else pays nothing. Every hit
//!   asks each attachment of the file whether it is meant, so beyond
//!   [`MAX_SEPARATE`] processes the file is attached to as a whole.
//! * What the budget takes from a process (see [`super::budget`]) cannot be taken
//!   from it alone where the file is attached to as a whole: the others are then
//!   attached to one by one, unless there are more than [`MAX_SEPARATE`]: then the
//!   process keeps the probes where calls begin.

use std::collections::BTreeMap;

/// How many processes of a file are attached to one by one.
pub(super) const MAX_SEPARATE: usize = 64;

/// How much of a process's calls is probed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Coverage {
    /// Nothing.
    Nothing,
    /// Where they begin: requests, and who is a server.
    Calls,
    /// Where they end as well, and what is read: the exact count of what was
    /// accepted, the status of responses, pages with the route they are sent for.
    #[default]
    Everything,
}

/// For whom an attachment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Whom {
    /// Every process that maps the file.
    Everyone,
    /// One process.
    One(u32),
}

/// Which probes an attachment has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Probing {
    /// Where calls begin.
    pub calls: bool,
    /// Where they end, and where reads begin.
    pub results: bool,
}

impl Probing {
    /// All of them.
    pub(super) const BOTH: Self = Self {
        calls: true,
        results: true,
    };
    const CALLS: Self = Self {
        calls: true,
        results: false,
    };
    const RESULTS: Self = Self {
        calls: false,
        results: true,
    };
}

impl From<Coverage> for Probing {
    fn from(coverage: Coverage) -> Self {
        match coverage {
            Coverage::Nothing => Self::default(),
            Coverage::Calls => Self::CALLS,
            Coverage::Everything => Self::BOTH,
        }
    }
}

/// A process that maps the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Member {
    /// How much of it is probed now, perhaps as a sample.
    pub coverage: Coverage,
    /// How much of it may be probed for good.
    pub granted: Coverage,
    /// Whether it has spoken to what may be a tracker.
    pub is_client: bool,
}

/// The attachments that a file is to have.
pub(super) fn attachments(
    is_narrow: bool,
    members: &BTreeMap<u32, Member>,
) -> BTreeMap<Whom, Probing> {
    let least = members.values().map(|member| member.coverage).min();
    let least = least.unwrap_or_default();
    // By what is granted for good: a sample is not worth attaching to all anew.
    let is_alone = members
        .values()
        .any(|member| member.granted == Coverage::Nothing);
    let one_by_one = members.len() <= MAX_SEPARATE && (is_narrow || is_alone);
    if one_by_one {
        return members
            .iter()
            .map(|(pid, member)| (Whom::One(*pid), Probing::from(member.coverage)))
            .filter(|(_, probing)| probing.calls)
            .collect();
    }
    if least == Coverage::Everything {
        return BTreeMap::from([(Whom::Everyone, Probing::BOTH)]);
    }
    // The ends of calls are probed where a client may speak to a tracker, and
    // where a sample is taken.
    let clients = members
        .iter()
        .filter(|(_, member)| member.coverage == Coverage::Everything)
        .filter(|(_, member)| member.is_client || member.granted < Coverage::Everything)
        .map(|(pid, _)| (Whom::One(*pid), Probing::RESULTS))
        .take(MAX_SEPARATE);
    std::iter::once((Whom::Everyone, Probing::CALLS))
        .chain(clients)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `1:E` is process 1 with everything, `c` a client, `s` a sample; `*:CR` is an
    /// attachment to the file with calls and results.
    fn check(is_narrow: bool, members: &str, expected: &str) {
        let members = members
            .split_whitespace()
            .map(|text| {
                let (pid, rest) = text.split_once(':').expect("PID:COVERAGE");
                let coverage = match rest.as_bytes()[0] {
                    b'E' => Coverage::Everything,
                    b'C' => Coverage::Calls,
                    _ => Coverage::Nothing,
                };
                let granted = match (coverage, rest.ends_with('s')) {
                    (Coverage::Everything, true) => Coverage::Calls,
                    (_, true) => Coverage::Nothing,
                    (coverage, false) => coverage,
                };
                let member = Member {
                    coverage,
                    granted,
                    is_client: rest.ends_with('c'),
                };
                (pid.parse().expect("a number"), member)
            })
            .collect();
        let shown: Vec<_> = attachments(is_narrow, &members)
            .into_iter()
            .map(|(whom, Probing { calls, results })| {
                let whom = match whom {
                    Whom::Everyone => "*".to_owned(),
                    Whom::One(pid) => pid.to_string(),
                };
                let what = [("C", calls), ("R", results)];
                let what = what.iter().filter(|(_, is)| *is).map(|(name, _)| *name);
                format!("{whom}:{}", what.collect::<String>())
            })
            .collect();
        assert_eq!(shown.join(" "), expected, "{is_narrow} {members:?}");
    }

    #[test]
    fn a_wide_scope_attaches_to_the_file_as_long_as_it_can() {
        check(false, "", "*:CR");
        check(false, "1:E 2:E", "*:CR");
        check(false, "1:E 2:C", "*:C");
        check(false, "1:Ec 2:C 3:E", "*:C 1:R");
        check(false, "1:E 2:N 3:C", "1:CR 3:C");
        check(false, "1:E 2:Es", "*:CR");
        check(false, "1:E 2:C 3:Es", "*:C 3:R");
        check(false, "1:E 2:Cs", "1:CR 2:C");
    }

    #[test]
    fn a_narrow_scope_attaches_to_its_processes() {
        check(true, "", "");
        check(true, "1:E 2:Ec", "1:CR 2:CR");
        check(true, "1:C 2:N 3:E", "1:C 3:CR");
    }

    #[test]
    fn too_many_processes_are_attached_to_as_a_whole() {
        let many = |last: &str| -> String {
            let few = (1..=MAX_SEPARATE).map(|pid| format!("{pid}:E "));
            few.collect::<String>() + last
        };
        check(true, &many("100:E"), "*:CR");
        check(true, &many("100:N"), "*:C");
        check(false, &many("100:N"), "*:C");
    }
}
