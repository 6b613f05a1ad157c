//! The kernel programs: uprobes on TLS functions, cgroup programs on sockets,
//! tracepoints on processes. Empty on any other target than bpf.
#![cfg_attr(target_arch = "bpf", no_std, no_main)]
#![cfg_attr(
    target_arch = "bpf",
    feature(asm_experimental_arch, core_intrinsics),
    expect(
        internal_features,
        reason = "the target's atomic add is an intrinsic and nothing else"
    ),
    expect(
        clippy::inline_always,
        reason = "a function that is called has a frame of its own, which uprobe programs cannot afford"
    ),
    expect(
        clippy::cast_sign_loss,
        clippy::cast_possible_wrap,
        reason = "helpers return lengths and errors in one signed number, whose sign is tested before"
    ),
    expect(
        clippy::cast_ptr_alignment,
        reason = "records of a ring are aligned to 8 bytes, and words in them are written unaligned"
    ),
    expect(
        clippy::needless_pass_by_value,
        reason = "the macros of aya-ebpf hand contexts over by value"
    )
)]

#[cfg(target_arch = "bpf")]
mod emit;
#[cfg(target_arch = "bpf")]
mod go;
#[cfg(target_arch = "bpf")]
mod maps;
#[cfg(target_arch = "bpf")]
mod packet;
#[cfg(target_arch = "bpf")]
mod page;
#[cfg(target_arch = "bpf")]
mod process;
#[cfg(target_arch = "bpf")]
mod quic;
#[cfg(target_arch = "bpf")]
mod scope;
#[cfg(target_arch = "bpf")]
mod sniff;
#[cfg(target_arch = "bpf")]
mod socket;
#[cfg(target_arch = "bpf")]
mod socket_records;
#[cfg(target_arch = "bpf")]
mod tls;
#[cfg(target_arch = "bpf")]
mod transfer;
#[cfg(target_arch = "bpf")]
mod usage;

#[cfg(not(target_arch = "bpf"))]
fn main() {}

#[cfg(target_arch = "bpf")]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    // The verifier refuses a program that could reach this.
    loop {}
}

/// The helpers that read user memory are for programs under a licence
/// compatible with the GPL.
#[cfg(target_arch = "bpf")]
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

/// Read by user space before it loads the programs.
#[cfg(target_arch = "bpf")]
#[unsafe(link_section = "abi_version")]
#[unsafe(no_mangle)]
static ABI: u32 = phiwatch_ebpf::abi::ABI_VERSION;
