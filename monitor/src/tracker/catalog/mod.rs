//! The trackers that are known, as data.
//!
//! The order matters in two ways: entries that share a host are tried from the
//! first, and the first that the host alone identifies is the fallback.

mod ads;
mod products;

use super::{Category, Host, PathRule, Role, Tracker};

/// A host that alone tells the tracker.
const fn exact(name: &'static str) -> Host {
    Host {
        name,
        below: false,
        alone: true,
    }
}

/// A domain, with all hosts below it, that alone tells the tracker.
const fn under(name: &'static str) -> Host {
    Host {
        name,
        below: true,
        alone: true,
    }
}

/// A host, with all hosts below it, that serves other interfaces too.
const fn shared(name: &'static str) -> Host {
    Host {
        name,
        below: true,
        alone: false,
    }
}

const fn event(methods: &'static str, host: &'static str, path: &'static str) -> PathRule {
    PathRule {
        methods,
        host,
        path,
        role: Role::Event,
    }
}

const fn housekeeping(methods: &'static str, host: &'static str, path: &'static str) -> PathRule {
    PathRule {
        methods,
        host,
        path,
        role: Role::Housekeeping,
    }
}

const fn entry(
    id: &'static str,
    owner: &'static str,
    category: Category,
    hosts: &'static [Host],
    paths: &'static [PathRule],
) -> Tracker {
    Tracker {
        id,
        owner,
        category,
        hosts,
        paths,
        protocol: &[],
    }
}

const fn entry_with_protocol(
    id: &'static str,
    owner: &'static str,
    category: Category,
    hosts: &'static [Host],
    paths: &'static [PathRule],
    protocol: &'static [PathRule],
) -> Tracker {
    Tracker {
        id,
        owner,
        category,
        hosts,
        paths,
        protocol,
    }
}

/// Every tracker that is compiled in, in groups.
pub(super) const TRACKERS: &[&[Tracker]] = &[ads::TRACKERS, products::TRACKERS];
