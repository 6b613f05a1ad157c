//! The state of every hook, for the start-up summary, the metrics and `doctor`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use super::table::HOOKS;

/// The state of one attachment of a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Attached.
    Active,
    /// Not attached, on purpose or because there is nothing to attach to.
    Disabled,
    /// Could not be attached.
    Failed,
}

impl State {
    /// Every state.
    pub const ALL: &'static [Self] = &[Self::Active, Self::Disabled, Self::Failed];

    /// The label value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Failed => "failed",
        }
    }
}

/// What became of a hook: one entry a place it was to be attached to.
#[derive(Clone, Debug, Default)]
pub struct HookStatus {
    /// Place (a file, a cgroup, a tracepoint) to state and reason.
    places: BTreeMap<String, (State, String)>,
}

impl HookStatus {
    /// How many places are in `state`.
    pub fn count(&self, state: State) -> usize {
        self.places
            .values()
            .filter(|(found, _)| *found == state)
            .count()
    }

    /// The places with their states and reasons.
    pub fn places(&self) -> impl Iterator<Item = (&str, State, &str)> {
        self.places
            .iter()
            .map(|(place, (state, why))| (place.as_str(), *state, why.as_str()))
    }
}

/// How much of what watched processes send over TLS can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// TLS libraries in which a hook is active.
    pub hooked: usize,
    /// TLS libraries that were found and in which none is.
    pub unhooked: usize,
    /// Which hook is missing in one of those, and why.
    why: String,
}

impl Sight {
    /// Whether there is something to read and nothing is read. Before any process
    /// maps a TLS library there is nothing to read.
    pub const fn is_blind(&self) -> bool {
        self.hooked == 0 && self.unhooked > 0
    }
}

impl fmt::Display for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            hooked,
            unhooked,
            why,
        } = self;
        match (hooked, unhooked) {
            (0, 0) => f.write_str("no TLS library is mapped yet"),
            (0, _) => write!(f, "no TLS hook is active; {why}"),
            (_, 0) => write!(f, "TLS libraries with active hooks: {hooked}"),
            _ => write!(
                f,
                "TLS libraries with active hooks: {hooked}, without: {unhooked}; {why}"
            ),
        }
    }
}

/// The states of all hooks, shared between who attaches and who reports.
#[derive(Clone, Default)]
pub struct Status(Arc<Mutex<BTreeMap<&'static str, HookStatus>>>);

impl Status {
    /// Records the state of `hook` at `place`.
    pub fn set(&self, hook: &'static str, place: &str, state: State, why: impl fmt::Display) {
        let mut hooks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hooks
            .entry(hook)
            .or_default()
            .places
            .insert(place.to_owned(), (state, why.to_string()));
    }

    /// Forgets `place`, which is no more.
    pub(super) fn forget(&self, hook: &'static str, place: &str) {
        let mut hooks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hook) = hooks.get_mut(hook) {
            hook.places.remove(place);
        }
    }

    /// How much of TLS can be read, as far as the libraries go that were found.
    pub fn sight(&self) -> Sight {
        let hooks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tls = HOOKS.iter().filter(|hook| hook.is_tls());
        let (mut hooked, mut all) = (BTreeSet::new(), BTreeMap::new());
        for hook in tls {
            for (place, state, why) in hooks
                .get(hook.name)
                .into_iter()
                .flat_map(HookStatus::places)
            {
                if state == State::Active {
                    hooked.insert(place);
                }
                let failed = all.entry(place).or_insert((hook.name, state, why));
                // What failed says more than what is not there.
                if failed.1 != State::Failed && state == State::Failed {
                    *failed = (hook.name, state, why);
                }
            }
        }
        all.retain(|place, _| !hooked.contains(place));
        let why = all.first_key_value().map(|(place, (name, state, why))| {
            format!("{name} {} at {place}: {why}", state.as_str())
        });
        Sight {
            hooked: hooked.len(),
            unhooked: all.len(),
            why: why.unwrap_or_default(),
        }
    }

    /// A copy of the states, in the order of the table.
    pub fn snapshot(&self) -> Vec<(&'static str, HookStatus)> {
        let hooks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        HOOKS
            .iter()
            .map(|hook| (hook.name, hooks.get(hook.name).cloned().unwrap_or_default()))
            .collect()
    }
}

/// One line: how many hooks are active, and the names of the others.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hooks = self.snapshot();
        let active = hooks
            .iter()
            .filter(|(_, hook)| hook.count(State::Active) > 0)
            .count();
        write!(f, "{active} of {} hooks active", hooks.len())?;
        for (name, hook) in &hooks {
            for (place, state, why) in hook.places() {
                if state == State::Failed {
                    write!(f, "; {name} failed at {place}: {why}")?;
                }
            }
            if hook.count(State::Active) + hook.count(State::Failed) == 0 {
                write!(f, "; {name} disabled")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_hook_says_where_and_why() {
        let status = Status::default();
        status.set("ssl_write", "libssl.so.3", State::Active, "");
        status.set(
            "ssl_read",
            "libssl.so.3",
            State::Failed,
            "operation not permitted",
        );
        let line = status.to_string();
        assert!(
            line.starts_with(&format!("1 of {} hooks active", HOOKS.len())),
            "{line}"
        );
        assert!(
            line.contains("ssl_read failed at libssl.so.3: operation not permitted"),
            "{line}"
        );
        assert!(line.contains("egress disabled"), "{line}");
    }

    #[test]
    fn sight_is_of_tls_hooks_only() {
        const LIBRARY: &str = "/lib/libssl.so.3";
        const OTHER: &str = "/opt/libssl.so.3";
        for (states, is_blind, expected) in [
            (&[][..], false, "no TLS library is mapped yet"),
            // A socket's hook is none of TLS.
            (
                &[("egress", "/", State::Active)],
                false,
                "no TLS library is mapped yet",
            ),
            (
                &[
                    ("egress", "/", State::Active),
                    ("ssl_write_ex", LIBRARY, State::Disabled),
                    ("ssl_write", LIBRARY, State::Failed),
                ],
                true,
                "no TLS hook is active; ssl_write failed at /lib/libssl.so.3: why",
            ),
            (
                &[("ssl_write", LIBRARY, State::Disabled)],
                true,
                "no TLS hook is active; ssl_write disabled at /lib/libssl.so.3: why",
            ),
            (
                &[
                    ("ssl_write_ex", LIBRARY, State::Failed),
                    ("ssl_write", LIBRARY, State::Active),
                ],
                false,
                "TLS libraries with active hooks: 1",
            ),
            (
                &[
                    ("ssl_write", LIBRARY, State::Active),
                    ("ssl_write", OTHER, State::Failed),
                ],
                false,
                "TLS libraries with active hooks: 1, without: 1; ssl_write failed at \
                 /opt/libssl.so.3: why",
            ),
        ] {
            let status = Status::default();
            for (hook, place, state) in states {
                status.set(hook, place, *state, "why");
            }
            let sight = status.sight();
            assert_eq!(sight.is_blind(), is_blind, "{states:?}");
            assert_eq!(sight.to_string(), expected, "{states:?}");
        }
    }
}
