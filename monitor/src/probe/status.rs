//! The state of every hook, for the start-up summary, the metrics and `doctor`.

use std::{
    collections::BTreeMap,
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
}
