//! Conversations as bad networks and incomplete captures show them, to see
//! whether the same is found in them.
//!
//! ```text
//!   conversation ─┬───────────▶ wire ─▶ clean/*.pcap    ─▶ phiwatch replay ─▶ findings ─┐
//!                 └─▶ impair ─▶ wire ─▶ impaired/*.pcap ─▶ phiwatch replay ─▶ findings ─┴─▶ verdict
//! ```
//!
//! Packets in any order must give the same findings. Only what is missing from
//! the capture for good may be missing from the findings, which then say so.

mod conversation;
mod impair;
mod verdict;
mod wire;

use std::{fs, ops::Range, path::Path};

use anyhow::{Context as _, Result};

pub use impair::{IMPAIRMENTS, Impairment};
pub use verdict::{Replayed, Verdict, judge};

use crate::rng::Rng;

/// Microseconds from the beginning of one conversation to that of the next.
const INTERVAL: u64 = 20_000;

/// What the writer knows of a conversation.
pub struct Known {
    /// The address of the tracker, which no other conversation has.
    pub server: String,
    /// What happened to it.
    pub impairment: Impairment,
    /// Where its requests stand in what the client sends.
    pub requests: Vec<Range<u64>>,
    /// Bytes of the client that are not in the impaired capture.
    pub missing: Range<u64>,
}

/// What was written.
pub struct Written {
    /// Every conversation.
    pub conversations: Vec<Known>,
    /// Packets of the clean and of the impaired capture.
    pub packets: [usize; 2],
    /// Their bytes.
    pub bytes: [usize; 2],
}

/// Writes `count` conversations to the directories `clean` and `impaired` in `directory`.
pub fn write(directory: &Path, count: u32, seed: u64) -> Result<Written> {
    let mut rng = Rng::new(seed);
    let (mut clean, mut impaired, mut conversations) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..count {
        let impairment = IMPAIRMENTS[number as usize % IMPAIRMENTS.len()];
        let link = rng.pick(&wire::Link::ALL);
        let begin = u64::from(number) * INTERVAL;
        let mut conversation = conversation::conversation(number, &mut rng);
        let (packets, missing) = impair::impair(number, &mut conversation, impairment, &mut rng);
        for packet in packets {
            wire::frames(&conversation, &packet, link, begin, &mut rng, &mut impaired);
        }
        for segment in &conversation.segments {
            let packet = impair::Packet {
                segment: segment.clone(),
                fragment: None,
            };
            wire::frames(&conversation, &packet, link, begin, &mut rng, &mut clean);
        }
        conversations.push(Known {
            server: std::net::SocketAddr::from(conversation.server).to_string(),
            impairment,
            requests: conversation.requests,
            missing,
        });
    }
    let mut written = Written {
        conversations,
        packets: [0; 2],
        bytes: [0; 2],
    };
    for (index, (name, frames)) in [("clean", &mut clean), ("impaired", &mut impaired)]
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
