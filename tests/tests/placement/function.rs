//! The probed functions of a file.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result, ensure};
use object::{
    Object as _, ObjectSegment as _, ObjectSymbol as _, ObjectSymbolTable as _, RelocationTarget,
};
use phiwatch::probe::place::{Exits, Placement, linked_through, place, place_without_depth};

/// The functions that are probed, and how many arguments the programs read.
pub(crate) const FUNCTIONS: &[(&str, u8)] = &[
    ("SSL_write", 3),
    ("SSL_write_ex", 4),
    ("SSL_read", 3),
    ("SSL_read_ex", 4),
    ("SSL_ctrl", 4),
    ("SSL_free", 1),
];

/// What `SSL_write_ex` ends in since 3.3.
const INNER: (&str, u8) = ("SSL_write_ex2", 5);

/// A stub of the linkage table has two instructions.
const MAX_STUB: u64 = 16;

/// One function of a file.
pub(crate) struct Function {
    pub(crate) address: u64,
    /// Where the file itself calls it by its name.
    pub(crate) stub: Option<u64>,
    pub(crate) code: Vec<u8>,
    pub(crate) arguments: u8,
}

impl Function {
    pub(crate) fn placement(&self) -> Placement {
        place(&self.code, self.address, self.arguments)
    }

    pub(crate) fn plain_placement(&self) -> Placement {
        place_without_depth(&self.code, self.address, self.arguments)
    }
}

/// The probed functions of the file at `path`, by name.
pub(crate) fn functions(path: &Path) -> Result<BTreeMap<&'static str, Function>> {
    let bytes = fs::read(path).with_context(|| format!("read {}", path.display()))?;
    let elf = object::File::parse(bytes.as_slice())?;
    let code = |address, size| {
        let code = elf.segments().find_map(|segment| {
            let range = segment.data_range(address, size);
            range.ok().flatten()
        });
        code.with_context(|| format!("no code at {address:#x}"))
    };
    let mut found = BTreeMap::new();
    for &(name, arguments) in FUNCTIONS.iter().chain([&INNER]) {
        let symbol = elf
            .dynamic_symbols()
            .find(|symbol| symbol.is_definition() && symbol.name() == Ok(name));
        let Some(symbol) = symbol else { continue };
        let function = Function {
            address: symbol.address(),
            stub: None,
            code: code(symbol.address(), symbol.size())?.to_owned(),
            arguments,
        };
        found.insert(name, function);
    }
    for (name, _) in FUNCTIONS {
        ensure!(found.contains_key(name), "{} lacks {name}", path.display());
    }
    let ends: Vec<_> = found
        .values()
        .filter_map(|function| match function.placement().exits {
            Exits::Of(address) => Some(address),
            _ => None,
        })
        .collect();
    for address in ends {
        if let Some(name) = linked_name(&elf, code(address, MAX_STUB)?, address)
            && let Some(function) = found.get_mut(name)
        {
            function.stub = Some(address);
        }
    }
    Ok(found)
}

/// The function that the stub at `address` calls by its name.
fn linked_name<'a>(elf: &object::File<'a>, stub: &[u8], address: u64) -> Option<&'a str> {
    let pointer = linked_through(stub, address)?;
    let (_, relocation) = elf
        .dynamic_relocations()?
        .find(|(offset, _)| *offset == pointer)?;
    let RelocationTarget::Symbol(index) = relocation.target() else {
        return None;
    };
    let symbol = elf.dynamic_symbol_table()?.symbol_by_index(index).ok()?;
    symbol.name().ok()
}
