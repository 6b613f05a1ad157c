//! Conversations that networks and captures have shaken, to see whether the same
//! is found in them.
//!
//! ```text
//!   talk ─┬──────────▶ wire ─▶ clean/*.pcap  ─▶ phiwatch replay ─▶ findings ─┐
//!         └─▶ shake ─▶ wire ─▶ shaken/*.pcap ─▶ phiwatch replay ─▶ findings ─┴─▶ verdict
//! ```
//!
//! Whatever is in the capture in any order is found. Only what is missing in it
//! for good may be missing in the findings, and that is said.

mod shake;
mod talk;
mod verdict;
mod wire;

use std::{fs, ops::Range, path::Path};

use anyhow::{Context as _, Result};

pub use shake::{TROUBLES, Trouble};
pub use verdict::{Replayed, Verdict, judge};

use crate::dice::Dice;

/// Microseconds from the beginning of one talk to that of the next.
const INTERVAL: u64 = 20_000;

/// What is known of a talk.
pub struct Known {
    /// The address of the tracker, which no other talk has.
    pub server: String,
    /// What happened to it.
    pub trouble: Trouble,
    /// Where its requests stand in what the client sends.
    pub requests: Vec<Range<u64>>,
    /// Bytes of the client that are not in the shaken capture.
    pub missing: Range<u64>,
}

/// What was written.
pub struct Written {
    /// Every talk.
    pub talks: Vec<Known>,
    /// Packets of the clean and of the shaken capture.
    pub packets: [usize; 2],
    /// Their bytes.
    pub bytes: [usize; 2],
}

/// Writes `count` talks to the directories `clean` and `shaken` in `directory`.
pub fn write(directory: &Path, count: u32, seed: u64) -> Result<Written> {
    let mut dice = Dice::new(seed);
    let (mut clean, mut shaken, mut talks) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..count {
        let trouble = TROUBLES[number as usize % TROUBLES.len()];
        let link = dice.pick(&wire::Link::ALL);
        let begin = u64::from(number) * INTERVAL;
        let mut talk = talk::talk(number, &mut dice);
        let (packets, missing) = shake::shake(number, &mut talk, trouble, &mut dice);
        for packet in packets {
            wire::frames(&talk, &packet, link, begin, &mut dice, &mut shaken);
        }
        for segment in &talk.segments {
            let packet = shake::Packet {
                segment: segment.clone(),
                fragment: None,
            };
            wire::frames(&talk, &packet, link, begin, &mut dice, &mut clean);
        }
        talks.push(Known {
            server: std::net::SocketAddr::from(talk.server).to_string(),
            trouble,
            requests: talk.requests,
            missing,
        });
    }
    let mut written = Written {
        talks,
        packets: [0; 2],
        bytes: [0; 2],
    };
    for (index, (name, frames)) in [("clean", &mut clean), ("shaken", &mut shaken)]
        .into_iter()
        .enumerate()
    {
        let directory = directory.join(name);
        fs::create_dir_all(&directory)
            .with_context(|| format!("create {}", directory.display()))?;
        (written.packets[index], written.bytes[index]) = wire::write(&directory, frames)?;
    }
    Ok(written)
}
