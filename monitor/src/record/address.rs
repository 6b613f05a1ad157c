//! Which addresses the packets of a recorded stream carry.
//!
//! Replay finds the stream of a packet by its addresses, so no two live streams
//! may share them in either order (sometimes both ends of a loopback connection
//! are watched). Real addresses are used where they are known and free, and
//! addresses reserved for documentation otherwise.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use crate::{
    capture::packet::{Endpoint, Pair, pair},
    event::{Origin, StreamId},
};

/// The port range of synthetic clients begins here, above the privileged ports.
const FIRST_PORT: u64 = 1_024;
/// Synthetic ports per address.
const PORTS: u64 = 65_536 - FIRST_PORT;
/// Pairs of real addresses that are remembered after their stream ended.
const MAX_EARLIER: usize = 65_536;
/// How far apart the sequence numbers of streams with the same addresses begin.
const SHIFT: u32 = 1 << 24;
/// Host numbers 1 to 254 in each of the two documentation networks.
const HOSTS: u64 = 2 * 254;

/// The two ends that a stream's packets carry.
#[derive(Clone, Copy)]
pub(super) struct Addresses {
    pub(super) client: Endpoint,
    pub(super) server: Endpoint,
    /// `real`, `peer` or `synthetic`: which of the addresses are real.
    pub(super) kind: &'static str,
    /// Added to sequence numbers, so that tools distinguish the stream from
    /// earlier ones with the same addresses.
    pub(super) shift: u32,
}

/// The addresses in use.
#[derive(Default)]
pub(super) struct AddressBook {
    used: HashMap<Pair, StreamId>,
    /// How many streams have had real addresses so far.
    earlier: HashMap<Pair, u32>,
    next: u64,
}

impl AddressBook {
    /// Addresses for `stream`, unique until they are released.
    pub(super) fn assign(&mut self, stream: StreamId, origin: Option<&Origin>) -> Addresses {
        let endpoint = |address: SocketAddr| (address.ip(), address.port());
        let local = origin.and_then(|origin| origin.local).map(endpoint);
        let peer = origin.and_then(|origin| origin.peer).map(endpoint);
        if let (Some(client), Some(server)) = (local, peer)
            && client != server
            && client.0.is_ipv4() == server.0.is_ipv4()
            && self.claim(client, server, stream)
        {
            return Addresses {
                client,
                server,
                kind: "real",
                shift: self.shift(client, server),
            };
        }
        // Where the port is not known, one on which tools expect such payload:
        // on that of HTTPS they would warn about every packet.
        let server = peer.unwrap_or((IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)), 80));
        let kind = if peer.is_some() { "peer" } else { "synthetic" };
        // There are far more synthetic clients than remembered streams, so that
        // a free one is found before the numbers repeat.
        loop {
            let client = synthetic_client(self.next, server.0.is_ipv4());
            self.next = self.next.wrapping_add(1);
            if client != server && self.claim(client, server, stream) {
                return Addresses {
                    client,
                    server,
                    kind,
                    shift: 0,
                };
            }
        }
    }

    /// The shift of the next stream with these addresses.
    fn shift(&mut self, client: Endpoint, server: Endpoint) -> u32 {
        if self.earlier.len() >= MAX_EARLIER {
            // A stream with the same shift as one long before it is still read
            // correctly.
            self.earlier.clear();
        }
        let earlier = self.earlier.entry(pair(client, server)).or_default();
        let shift = earlier.wrapping_mul(SHIFT);
        *earlier = earlier.wrapping_add(1);
        shift
    }

    fn claim(&mut self, client: Endpoint, server: Endpoint, stream: StreamId) -> bool {
        let key = pair(client, server);
        if self.used.contains_key(&key) {
            return false;
        }
        self.used.insert(key, stream);
        true
    }

    /// Gives `addresses` free again.
    pub(super) fn release(&mut self, addresses: &Addresses) {
        self.used.remove(&pair(addresses.client, addresses.server));
    }
}

fn synthetic_client(number: u64, is_ipv4: bool) -> Endpoint {
    let port = (FIRST_PORT + number % PORTS) as u16;
    let host = number / PORTS % HOSTS;
    let last = (host % 254 + 1) as u8;
    let network = if host < 254 {
        [192, 0, 2]
    } else {
        [198, 51, 100]
    };
    let address = if is_ipv4 {
        IpAddr::V4(Ipv4Addr::new(network[0], network[1], network[2], last))
    } else {
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, host as u16 + 1))
    };
    (address, port)
}
