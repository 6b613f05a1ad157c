//! What a hit costs on this machine, measured on a function of phiwatch's own.
//!
//! The trap is the cost, and it differs by an order of magnitude between bare
//! metal and a virtual machine, so the budget cannot rely on a figure from
//! elsewhere. Two functions of a few bytes are written into a file in memory,
//! mapped, probed for this process alone and called.

use std::{
    fs::File,
    io::Write as _,
    os::fd::AsRawFd as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use phiwatch_ebpf::abi::cookie;
use rustix::{
    fs::MemfdFlags,
    mm::{MapFlags, ProtFlags},
};

use super::{budget::HitCost, multi::Probe, uprobes::Interface};

/// Used where nothing can be measured: a virtual machine's, which is the dear side.
const ASSUMED: HitCost = HitCost {
    emulated: 800.0,
    single_stepped: 10_000.0,
};
/// What the program itself takes beside the trap, for a call that is looked into.
const PROGRAM: f64 = 300.0;
/// How often each function is called.
const CALLS: u32 = 500;

/// `push rbp; pop rbp; ret`, whose first instruction is emulated, and behind it
/// `xor eax, eax; ret`, whose first is single-stepped.
const CODE: &[u8] = &[0x55, 0x5d, 0xc3, 0x90, 0x31, 0xc0, 0xc3];
/// Where the two functions begin.
const FUNCTIONS: [usize; 2] = [0, 4];

/// The cost of a hit.
pub(super) fn hit_cost(interface: &Interface) -> HitCost {
    if !cfg!(target_arch = "x86_64") {
        return ASSUMED;
    }
    match measured(interface) {
        Some([emulated, single_stepped]) => HitCost {
            emulated: emulated + PROGRAM,
            single_stepped: single_stepped + PROGRAM,
        },
        None => ASSUMED,
    }
}

/// Nanoseconds a hit on each of the functions.
fn measured(interface: &Interface) -> Option<[f64; 2]> {
    let Interface::Multi { call, .. } = interface else {
        return None;
    };
    let memory = rustix::fs::memfd_create("phiwatch-calibration", MemfdFlags::CLOEXEC).ok()?;
    let mut file = File::from(memory);
    file.write_all(CODE).ok()?;
    let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    // SAFETY: a new mapping at an address that the kernel chooses.
    let code = unsafe {
        rustix::mm::mmap(
            std::ptr::null_mut(),
            CODE.len(),
            ProtFlags::READ | ProtFlags::EXEC,
            MapFlags::PRIVATE,
            &file,
            0,
        )
    }
    .ok()?;
    let costs = FUNCTIONS.map(|offset| {
        let probe = Probe {
            offset: offset as u64,
            // A function that no program knows: the hit is all there is.
            cookie: cookie::pack(0, 0, 0, 0, 0),
        };
        let link = call.link(&path, Some(std::process::id()), &[probe]).ok()?;
        // SAFETY: the mapping holds a whole function of this signature there,
        // which touches nothing but the stack and the result's register.
        let function: extern "C" fn() =
            unsafe { std::mem::transmute(code.cast::<u8>().add(offset)) };
        let start = Instant::now();
        for _ in 0..CALLS {
            function();
        }
        let took: Duration = start.elapsed();
        drop(link);
        Some(took.as_nanos() as f64 / f64::from(CALLS))
    });
    // SAFETY: nobody calls the functions any more.
    let unmapped = unsafe { rustix::mm::munmap(code, CODE.len()) };
    debug_assert!(unmapped.is_ok(), "a mapping of our own can be unmapped");
    let [Some(emulated), Some(single_stepped)] = costs else {
        return None;
    };
    Some([emulated, single_stepped])
}
