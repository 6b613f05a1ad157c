//! What the probes may cost, and what gives way when they cost more.
//!
//! In: twice a second, what the hooks of TLS libraries have cost each process and
//! brought so far, and phiwatch's own time on a processor. Out: which processes
//! get less, or more again. Pure: time and costs are handed in.
//!
//! A busy server loses the probes where calls end, as long as there is a budget at
//! all: its responses cost it four to six hits each, and all that they give are its
//! pages. These are sampled, a second in each minute.
//!
//! Over the budget, whoever costs most and brings nothing gives way first: a
//! server with 100,000 responses a second, not a client that posts to trackers.
//! It loses the probes where calls end, and if that is not enough all of them.
//! Its connections are still watched through the socket layer, and one to a
//! tracker brings everything back ([`Budget::needed`]). Every minute a second of
//! the next higher coverage is a sample: of the pages of a server that is too
//! busy to have all of its responses read, and of whether it still is.

mod account;

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use phiwatch_ebpf::abi::Usage;

use self::account::{Account, KEPT};
use super::{plan::Coverage, usage::ENDED};

/// How often a process that gave way gets a sample.
const SAMPLE_EVERY: Duration = Duration::from_mins(1);
/// How long a sample takes.
const SAMPLE: Duration = Duration::from_secs(1);
/// How many turns in a row must be over the budget before someone gives way: a
/// burst is not worth it.
const PATIENCE: u32 = 2;
/// Calls in a second, reads among them, from which on a server is a busy one:
/// about a thousandth of a processor.
const BUSY: f64 = 500.0;
/// The share of the budget from which on it is worth to take probes away.
const WORTH: f64 = 0.05;

/// What a hit costs, nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct HitCost {
    /// Of an instruction that the kernel emulates.
    pub emulated: f64,
    /// Of one that it single-steps.
    pub single_stepped: f64,
}

/// What the budget says at the end of a turn.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Turn {
    /// Processes whose coverage changes.
    pub changes: BTreeMap<u32, Coverage>,
    /// How many processes gave way in this turn.
    pub gave_way: u64,
    /// How many servers are sampled from this turn on.
    pub sampled: u64,
    /// How many hits there were since the last turn.
    pub hits: u64,
    /// The share of the host's processors that hooks and phiwatch take.
    pub share: f64,
}

/// Keeps what phiwatch costs below a share of the host's processors.
#[derive(Debug)]
pub(super) struct Budget {
    /// Nanoseconds in each second, of all processors together.
    limit: f64,
    processors: f64,
    hit: HitCost,
    accounts: HashMap<u32, Account>,
    own: Duration,
    last: Option<Duration>,
    over: u32,
}

impl Budget {
    /// `share` of `processors` processors, 0 for no limit.
    pub(super) fn new(share: f64, processors: usize, hit: HitCost) -> Self {
        let processors = processors.max(1) as f64;
        let limit = if share > 0.0 {
            share * processors * 1e9
        } else {
            f64::INFINITY
        };
        Self {
            limit,
            processors,
            hit,
            accounts: HashMap::new(),
            own: Duration::ZERO,
            last: None,
            over: 0,
        }
    }

    /// How much of a process is probed.
    pub(super) fn coverage(&self, pid: u32) -> Coverage {
        let account = self.accounts.get(&pid);
        account.map_or(Coverage::Everything, Account::coverage)
    }

    /// How much of a process may be probed for good.
    pub(super) fn granted(&self, pid: u32) -> Coverage {
        let account = self.accounts.get(&pid);
        account.map_or(Coverage::Everything, |account| account.granted)
    }

    /// Whether a process has spoken to what may be a tracker.
    pub(super) fn is_client(&self, pid: u32) -> bool {
        let account = self.accounts.get(&pid);
        account.is_some_and(|account| account.before.wanted > 0)
    }

    /// How many processes have less than everything.
    pub(super) fn gave_way(&self) -> usize {
        let accounts = self.accounts.values();
        accounts
            .filter(|account| account.granted < Coverage::Everything)
            .count()
    }

    /// The socket layer has seen a connection of the process to a tracker: it is
    /// probed again. Returns whether that changes anything.
    pub(super) fn needed(&mut self, pid: u32, now: Duration) -> bool {
        let Some(account) = self.accounts.get_mut(&pid) else {
            return false;
        };
        account.kept = now + KEPT;
        account.sampling = None;
        std::mem::replace(&mut account.granted, Coverage::Everything) < Coverage::Everything
    }

    /// Takes the totals of all processes and of phiwatch's own time at `now`, by
    /// a clock that does not go back.
    pub(super) fn turn(
        &mut self,
        now: Duration,
        mut usage: HashMap<u32, Usage>,
        own: Duration,
    ) -> Turn {
        self.settle_ended(&mut usage);
        let seconds = self
            .last
            .replace(now)
            .map_or(0.0, |last| now.saturating_sub(last).as_secs_f64());
        let mut turn = Turn::default();
        for (pid, total) in usage {
            let account = self.accounts.entry(pid);
            let account = account.or_insert_with(|| Account::new(now));
            turn.hits += account.note(total, self.hit, now, seconds);
        }
        let own_rate = if seconds > 0.0 {
            own.saturating_sub(self.own).as_nanos() as f64 / seconds
        } else {
            0.0
        };
        self.own = own;
        let hits: f64 = self
            .accounts
            .values()
            .map(|account| account.rate.cost)
            .sum();
        let cost = hits + own_rate;
        turn.share = cost / (self.processors * 1e9);
        self.end_samples(now, cost, &mut turn);
        self.sample_servers(now, &mut turn);
        self.over = if cost > self.limit { self.over + 1 } else { 0 };
        if self.over >= PATIENCE {
            self.give_way(now, cost, &mut turn);
        } else if self.over == 0 {
            self.begin_sample(now, &mut turn);
        }
        turn
    }

    /// Forgets processes that are gone. What they cost before the last turn is in
    /// the totals of all that have ended, and was counted then.
    fn settle_ended(&mut self, usage: &mut HashMap<u32, Usage>) {
        let gone: Vec<u32> = self
            .accounts
            .keys()
            .filter(|pid| **pid != ENDED && !usage.contains_key(pid))
            .copied()
            .collect();
        for pid in gone {
            let before = self.accounts.remove(&pid).map(|account| account.before);
            if let (Some(before), Some(ended)) = (before, self.accounts.get_mut(&ENDED)) {
                ended.before.emulated += before.emulated;
                ended.before.single_stepped += before.single_stepped;
                ended.before.wanted += before.wanted;
                ended.before.served += before.served;
            }
        }
        // Its totals are there from the first turn on.
        usage.entry(ENDED).or_default();
    }

    /// Servers that have become busy keep the probes where calls begin.
    fn sample_servers(&mut self, now: Duration, turn: &mut Turn) {
        for (pid, account) in &mut self.accounts {
            let is_busy = account.granted == Coverage::Everything && account.rate.served >= BUSY;
            if is_busy && *pid != ENDED && account.kept <= now && self.limit.is_finite() {
                account.granted = Coverage::Calls;
                account.changed = now;
                turn.changes.insert(*pid, Coverage::Calls);
                turn.sampled += 1;
            }
        }
    }

    /// A sample that is over ends; what it showed to be cheap enough stays.
    fn end_samples(&mut self, now: Duration, cost: f64, turn: &mut Turn) {
        for (pid, account) in &mut self.accounts {
            let Some(began) = account.sampling else {
                continue;
            };
            if now < began + SAMPLE {
                continue;
            }
            let sampled = account.coverage();
            account.sampling = None;
            account.changed = now;
            // Half of the budget: at its edge they would come and go.
            let is_busy = sampled == Coverage::Everything && account.rate.served >= BUSY;
            if cost <= self.limit / 2.0 && !is_busy {
                account.granted = sampled;
            } else {
                turn.changes.insert(*pid, account.granted);
            }
        }
    }

    fn give_way(&mut self, now: Duration, cost: f64, turn: &mut Turn) {
        let mut candidates: Vec<(u32, f64)> = self
            .accounts
            .iter()
            .filter(|(pid, account)| {
                **pid != ENDED && account.sampling.is_none() && account.kept <= now
            })
            .filter(|(_, account)| account.granted > Coverage::Nothing && account.rate.cost > 0.0)
            .map(|(pid, account)| (*pid, account.rate.cost))
            .collect();
        candidates.sort_by(|(a, x), (b, y)| y.total_cmp(x).then(a.cmp(b)));
        let mut left = cost;
        for (pid, own) in candidates {
            // What phiwatch itself takes is not saved by blinding the little ones.
            if left <= self.limit || own < self.limit * WORTH {
                break;
            }
            let Some(account) = self.accounts.get_mut(&pid) else {
                continue;
            };
            // Half is a guess that the next turn puts right.
            let (next, saved) = match account.granted {
                Coverage::Everything => (Coverage::Calls, own / 2.0),
                _ => (Coverage::Nothing, own),
            };
            account.granted = next;
            account.changed = now;
            left -= saved;
            turn.changes.insert(pid, next);
            turn.gave_way += 1;
        }
        self.over = 0;
    }

    /// One process at a time is sampled, the one that waits longest.
    fn begin_sample(&mut self, now: Duration, turn: &mut Turn) {
        if self
            .accounts
            .values()
            .any(|account| account.sampling.is_some())
        {
            return;
        }
        let waiting = self
            .accounts
            .iter_mut()
            .filter(|(_, account)| account.granted < Coverage::Everything)
            .filter(|(_, account)| now >= account.changed + SAMPLE_EVERY)
            .min_by_key(|(pid, account)| (account.changed, **pid));
        if let Some((pid, account)) = waiting {
            account.sampling = Some(now);
            turn.changes.insert(*pid, account.coverage());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HIT: HitCost = HitCost {
        emulated: 1_000.0,
        single_stepped: 10_000.0,
    };

    /// A budget of a hundredth of two processors: 20,000 emulated hits a second.
    fn budget() -> Budget {
        Budget::new(0.01, 2, HIT)
    }

    /// Runs `seconds` turns in which each process makes as many hits a second
    /// as its coverage lets it: `served` calls with two hits each, one without
    /// results. Gives the coverage of each afterwards.
    struct Host {
        budget: Budget,
        now: u64,
        load: Vec<(u32, Usage)>,
        total: HashMap<u32, Usage>,
        gave_way: u64,
        sampled: u64,
    }

    impl Host {
        fn new(load: Vec<(u32, Usage)>) -> Self {
            Self {
                budget: budget(),
                now: 0,
                load,
                total: HashMap::new(),
                gave_way: 0,
                sampled: 0,
            }
        }

        fn run(&mut self, seconds: u64) -> Vec<Coverage> {
            for _ in 0..seconds {
                for (pid, load) in &self.load {
                    let total = self.total.entry(*pid).or_default();
                    let calls = match self.budget.coverage(*pid) {
                        Coverage::Nothing => 0,
                        Coverage::Calls => 1,
                        Coverage::Everything => 2,
                    };
                    total.emulated += load.emulated * calls;
                    total.single_stepped += load.single_stepped * calls;
                    if calls > 0 {
                        total.wanted += load.wanted;
                        total.served += load.served;
                    }
                }
                self.now += 1;
                let turn = self.budget.turn(
                    Duration::from_secs(self.now),
                    self.total.clone(),
                    Duration::ZERO,
                );
                self.gave_way += turn.gave_way;
                self.sampled += turn.sampled;
            }
            let pids = self.load.iter().map(|(pid, _)| *pid);
            pids.map(|pid| self.budget.coverage(pid)).collect()
        }
    }

    fn server(calls: u64) -> Usage {
        Usage {
            emulated: calls,
            served: calls,
            ..Usage::default()
        }
    }

    fn client(calls: u64) -> Usage {
        Usage {
            single_stepped: calls,
            wanted: calls,
            ..Usage::default()
        }
    }

    #[test]
    fn within_the_budget_everything_is_probed() {
        let mut host = Host::new(vec![(1, server(400)), (2, client(100))]);
        assert_eq!(host.run(200), [Coverage::Everything; 2]);
        assert_eq!((host.gave_way, host.sampled), (0, 0));
    }

    #[test]
    fn the_pages_of_a_busy_server_are_sampled() {
        let mut host = Host::new(vec![(1, server(600)), (2, client(100))]);
        assert_eq!(host.run(3), [Coverage::Calls, Coverage::Everything]);
        assert_eq!((host.gave_way, host.sampled), (0, 1));
        let seconds = (0..130).map(|_| host.run(1)[0]);
        let samples = seconds.filter(|own| *own == Coverage::Everything);
        assert_eq!(samples.count(), 2);
    }

    #[test]
    fn a_busy_server_gives_way_and_a_client_of_trackers_does_not() {
        let mut host = Host::new(vec![(1, server(15_000)), (2, client(400))]);
        assert_eq!(host.run(10), [Coverage::Nothing, Coverage::Everything]);
        assert_eq!(host.gave_way, 1);
        let mut host = Host::new(vec![(1, server(15_000)), (2, client(100))]);
        assert_eq!(host.run(10), [Coverage::Calls, Coverage::Everything]);
        assert_eq!(host.gave_way, 0);
    }

    #[test]
    fn a_server_that_also_has_a_tracker_keeps_its_calls_for_a_while() {
        let mut host = Host::new(vec![(1, server(100_000))]);
        assert_eq!(host.run(10), [Coverage::Nothing]);
        assert!(host.budget.needed(1, Duration::from_secs(host.now)));
        assert!(!host.budget.needed(1, Duration::from_secs(host.now)));
        assert_eq!(host.run(60), [Coverage::Everything]);
        assert_eq!(host.run(570), [Coverage::Nothing]);
    }

    #[test]
    fn a_sample_is_taken_every_minute_and_what_is_cheap_again_stays() {
        let mut host = Host::new(vec![(1, server(15_000))]);
        assert_eq!(host.run(10), [Coverage::Calls]);
        let seconds = (0..130).map(|_| host.run(1)[0]);
        let samples = seconds.filter(|own| *own == Coverage::Everything);
        assert_eq!(samples.count(), 2);
        host.load = vec![(1, server(100))];
        assert_eq!(host.run(70), [Coverage::Everything]);
    }

    #[test]
    fn a_burst_changes_nothing_and_no_budget_limits_nothing() {
        let burst = Usage {
            served: 0,
            ..server(100_000)
        };
        let mut host = Host::new(vec![(1, burst)]);
        assert_eq!(host.run(2), [Coverage::Everything]);
        let mut host = Host::new(vec![(1, server(1_000_000))]);
        host.budget = Budget::new(0.0, 2, HIT);
        assert_eq!(host.run(60), [Coverage::Everything]);
    }

    #[test]
    fn own_time_counts() {
        let mut budget = budget();
        let nobody = HashMap::new;
        budget.turn(Duration::from_secs(1), nobody(), Duration::ZERO);
        let turn = budget.turn(Duration::from_secs(2), nobody(), Duration::from_millis(40));
        assert!((turn.share - 0.02).abs() < 1e-9, "{}", turn.share);
    }
}
