//! Ordinary backend traffic as a large packet capture, on which the speed of
//! replay is measured.
//!
//! In: a [`Plan`]. Out: a file that is the same for the same plan. Keep-alive
//! connections, hundreds of them open at a time, carry JSON of 0.5 to 8 KB in
//! both directions, some of it compressed or chunked, over IPv4 and IPv6; a share
//! of them goes to trackers, and a share of what goes there is health
//! information.

mod api;
mod conversation;
mod event;
mod wire;

use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use crate::rng::Rng;
use conversation::Conversation;
use wire::Wire;

/// Connections that are open at a time.
const OPEN: usize = 400;
/// Most packets that one connection sends before it is another's turn.
const BURST: u64 = 4;

/// What to write.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Length of the file in bytes, about.
    pub bytes: u64,
    /// Connections, for the whole length.
    pub connections: u64,
    /// Connections of 100 that go to trackers.
    pub trackers: u64,
    /// Requests of 100 to trackers that hold health information.
    pub health: u64,
    /// Bodies of 100 that are compressed with gzip.
    pub gzip: u64,
    /// Bodies of 100 that come in chunks.
    pub chunked: u64,
    /// Connections of 100 over IPv6.
    pub ipv6: u64,
    /// The seed of the capture.
    pub seed: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            bytes: 1_000_000_000,
            connections: 20_000,
            trackers: 10,
            health: 10,
            gzip: 10,
            chunked: 10,
            ipv6: 25,
            seed: 20_261_125,
        }
    }
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Written {
    /// Length of the file.
    pub bytes: u64,
    /// Packets in it.
    pub packets: u64,
    /// Connections.
    pub connections: u64,
    /// Requests, each of which is answered.
    pub requests: u64,
    /// Requests to trackers.
    pub to_trackers: u64,
    /// Those of them that hold health information.
    pub with_health: u64,
    /// Bytes of the bodies of requests to trackers, before compression.
    pub tracker_body_bytes: u64,
}

/// Writes the capture that `plan` describes to `path`: pcap where the name ends
/// so, else pcapng.
pub fn write(path: &Path, plan: &Plan) -> Result<Written> {
    let mut rng = Rng::new(plan.seed);
    let mut wire = Wire::create(path)?;
    let mut written = Written::default();
    let records = api::Records::new(&mut rng);
    // What one connection carries, so that all together have the wanted size.
    let budget = plan.bytes / plan.connections.max(1);
    let mut open: Vec<Conversation> = Vec::new();
    while written.connections < plan.connections || !open.is_empty() {
        if open.len() < OPEN && written.connections < plan.connections {
            let number = written.connections;
            written.connections += 1;
            let is_tracker = rng.chance(plan.trackers);
            open.push(Conversation::new(
                number, is_tracker, budget, plan, &mut rng,
            ));
            continue;
        }
        let turn = rng.index(open.len());
        let packets = rng.range(1, BURST);
        let is_over =
            open[turn].advance(packets, &mut wire, &mut written, plan, &records, &mut rng)?;
        if is_over {
            open.swap_remove(turn);
        }
    }
    (written.bytes, written.packets) = wire.close()?;
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_plan_gives_the_same_file_of_about_its_length() {
        let folder = tempfile::tempdir().unwrap();
        let plan = Plan {
            bytes: 2_000_000,
            connections: 40,
            ..Plan::default()
        };
        for name in ["a.pcap", "a.pcapng"] {
            let path = folder.path().join(name);
            let written = write(&path, &plan).unwrap();
            let first = std::fs::read(&path).unwrap();
            assert_eq!(written.bytes, first.len() as u64);
            assert!(
                (1_600_000..2_600_000).contains(&written.bytes),
                "{written:?}"
            );
            assert_eq!(written.connections, 40);
            assert!(
                written.to_trackers > 0 && written.with_health > 0,
                "{written:?}"
            );
            write(&path, &plan).unwrap();
            assert!(first == std::fs::read(&path).unwrap(), "{name} differs");
        }
    }
}
