//! The kernel's side of a running phiwatch: what its programs remember.

use std::{collections::BTreeSet, fs};

use anyhow::{Context as _, Result};
use aya::{
    Pod,
    maps::{HashMap, Map, MapData, MapInfo, MapType},
};

/// Ids of the kernel objects of one kind that a process holds: `prog_id`,
/// `link_id` or `map_id`.
pub(crate) fn held(pid: u32, kind: &str) -> Result<BTreeSet<u32>> {
    let mut ids = BTreeSet::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fdinfo"))? {
        // A descriptor may be closed between listing and reading.
        let Ok(text) = fs::read_to_string(entry?.path()) else {
            continue;
        };
        ids.extend(
            text.lines()
                .filter_map(|line| line.strip_prefix(kind)?.strip_prefix(':'))
                .filter_map(|id| id.trim().parse::<u32>().ok()),
        );
    }
    Ok(ids)
}

/// The map of the phiwatch `pid` that is called `name`.
pub(crate) fn table<K: Pod, V: Pod>(pid: u32, name: &str) -> Result<HashMap<MapData, K, V>> {
    let infos = held(pid, "map_id")?.into_iter().flat_map(MapInfo::from_id);
    let mut named = infos.filter(|info| info.name_as_str() == Some(name));
    let info = named
        .next()
        .with_context(|| format!("no map is called {name}"))?;
    let map = MapData::from_id(info.id())?;
    let map = match info.map_type()? {
        MapType::LruHash => Map::LruHashMap(map),
        _ => Map::HashMap(map),
    };
    Ok(HashMap::try_from(map)?)
}
