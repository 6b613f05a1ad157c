//! Where a result is seen.

use super::{
    super::{Cost::Emulated, Cost::SingleStepped, Depth, Exits, Why, place, place_within},
    ADDRESS, FAR, GUARDED, assembled, at, check, points,
};

#[test]
fn a_function_with_a_stack_guard() {
    check(
        GUARDED,
        3,
        (0x16, 0x18, Emulated),
        &at(&[(0x2e, 0x18, Emulated)]),
    );
}

#[test]
fn a_guard_that_jumps_where_it_holds() {
    let listing = "
        50                          push rax
        e8 fa 0f 00 00              call far
        64 48 8b 0c 25 28 00 00 00  mov rcx,fs:0x28
        48 3b 0c 24                 cmp rcx,[rsp]
        74 05                       je 0x1a
        e8 e6 0f 00 00              call far
        59                          pop rcx
        c3                          ret";
    check(listing, 1, (0, 0, Emulated), &at(&[(0x13, 0x8, Emulated)]));
}

/// The branch has the result, but at an unknown depth; `leave` makes it known again.
#[test]
fn the_stack_grows_by_a_computed_size() {
    let listing = "
        55                          push rbp
        48 89 e5                    mov rbp,rsp
        48 29 c4                    sub rsp,rax
        e8 f4 0f 00 00              call far
        85 c0                       test eax,eax
        78 00                       js 0x10
        c9                          leave
        c3                          ret";
    check(
        listing,
        1,
        (0, 0, Emulated),
        &at(&[(0x11, 0x0, SingleStepped)]),
    );
}

#[test]
fn the_stack_is_aligned() {
    let listing = "
        55                          push rbp
        48 89 e5                    mov rbp,rsp
        48 83 e4 e0                 and rsp,0xffffffffffffffe0
        e8 f3 0f 00 00              call far
        48 8d 65 f8                 lea rsp,[rbp-0x8]
        5b                          pop rbx
        5d                          pop rbp
        c3                          ret";
    check(
        listing,
        1,
        (0, 0, Emulated),
        &at(&[(0x13, 0, SingleStepped)]),
    );
}

#[test]
fn the_stack_is_restored_from_the_frame_pointer() {
    let listing = "
        55                          push rbp
        48 89 e5                    mov rbp,rsp
        53                          push rbx
        48 83 ec 20                 sub rsp,0x20
        e8 f2 0f 00 00              call far
        85 c0                       test eax,eax
        78 00                       js 0x12
        48 8d 65 f8                 lea rsp,[rbp-0x8]
        5b                          pop rbx
        5d                          pop rbp
        c3                          ret";
    check(listing, 1, (0, 0, Emulated), &at(&[(0x10, 0x30, Emulated)]));
}

#[test]
fn it_ends_by_calling_another() {
    let listing = "
        f3 0f 1e fa                 endbr64
        49 89 c8                    mov r8,rcx
        e9 f4 0f 00 00              jmp far";
    check(listing, 3, (7, 0, Emulated), &Exits::Of(FAR));
    check(listing, 4, (7, 0, Emulated), &Exits::Of(FAR));
}

#[test]
fn it_jumps_away_with_its_frame_in_place() {
    let listing = "
        48 83 ec 08                 sub rsp,0x8
        e9 f7 0f 00 00              jmp far";
    check(
        listing,
        1,
        (0, 0, SingleStepped),
        &Exits::Unknown(Why::Leaves),
    );
}

#[test]
fn it_branches_away() {
    let listing = "
        48 85 ff                    test rdi,rdi
        0f 85 f7 0f 00 00           jne far
        c3                          ret";
    check(
        listing,
        1,
        (0, 0, SingleStepped),
        &Exits::Unknown(Why::Leaves),
    );
}

#[test]
fn it_returns_or_calls_another() {
    let listing = "
        48 85 ff                    test rdi,rdi
        74 05                       je 0xa
        e9 f6 0f 00 00              jmp far
        c3                          ret";
    let own = points(&[(0xa, 0, SingleStepped)]);
    check(listing, 1, (3, 0, Emulated), &Exits::Partly(own, FAR));
}

/// The branch has the result of one way, but not of the other.
#[test]
fn it_returns_or_calls_another_behind_a_branch() {
    let listing = "
        31 c0                       xor eax,eax
        48 85 ff                    test rdi,rdi
        74 01                       je 0x8
        c3                          ret
        e9 f3 0f 00 00              jmp far";
    let own = points(&[(7, 0, SingleStepped)]);
    check(listing, 1, (5, 0, Emulated), &Exits::Partly(own, FAR));
}

/// A `switch` with three cases, as `gnutls_record_send2` has one.
const SWITCH: &str = "
    53                          push rbx
    83 fe 02                    cmp esi,2
    77 17                       ja 0x1d
    89 f0                       mov eax,esi
    48 8d 15 f1 1f 00 00        lea rdx,[rip+0x1ff1]
    48 63 04 82                 movsxd rax,[rdx+rax*4]
    48 01 d0                    add rax,rdx
    ff e0                       jmp rax
    31 c0                       xor eax,eax
    eb 06                       jmp 0x22
    90                          nop
    b8 01 00 00 00              mov eax,1
    5b                          pop rbx
    c3                          ret";

/// The table of [`SWITCH`], with entries that lead to these offsets.
fn switched(offsets: [i32; 3]) -> impl Fn(u64, usize) -> Option<Vec<u8>> {
    const TABLE: u64 = 0x3000;
    move |address, length| {
        let near = |offset| offset + (ADDRESS as i32 - TABLE as i32);
        let bytes = offsets.map(near).map(i32::to_le_bytes).concat();
        (address == TABLE).then(|| bytes[..length.min(bytes.len())].to_vec())
    }
}

#[test]
fn a_computed_jump_leads_where_its_table_says() {
    let code = assembled(SWITCH);
    let exits = |offsets| {
        let table = switched(offsets);
        place_within(&code, ADDRESS, 2, Depth::Any, &table).exits
    };
    for (offsets, expected) in [
        ([0x18, 0x1c, 0x1d], at(&[(0x23, 0, SingleStepped)])),
        // Outside of the function, and inside of an instruction.
        ([0x18, 0x1d, 0x40], Exits::Unknown(Why::ComputedJump)),
        ([0x18, 0x1d, -8], Exits::Unknown(Why::ComputedJump)),
        ([0x18, 0x1d, 0x20], Exits::Unknown(Why::Overlapping)),
    ] {
        assert_eq!(exits(offsets), expected, "{offsets:x?}");
    }
    // The bound is that of another number.
    let unbound = assembled(&SWITCH.replace("89 f0    ", "89 f8    "));
    assert_ne!(unbound, code);
    assert_eq!(
        place_within(
            &unbound,
            ADDRESS,
            2,
            Depth::Any,
            &switched([0x18, 0x1c, 0x1d])
        )
        .exits,
        Exits::Unknown(Why::ComputedJump)
    );
    // Without the table, and with a part of it.
    assert_eq!(
        place(&code, ADDRESS, 2).exits,
        Exits::Unknown(Why::ComputedJump)
    );
    let part = |address, _| switched([0x18, 0x1c, 0x1d])(address, 8);
    assert_eq!(
        place_within(&code, ADDRESS, 2, Depth::Any, &part).exits,
        Exits::Unknown(Why::ComputedJump)
    );
}

#[test]
fn the_last_call_does_not_return() {
    let listing = "
        53                          push rbx
        85 ff                       test edi,edi
        74 07                       je 0xc
        b8 01 00 00 00              mov eax,0x1
        5b                          pop rbx
        c3                          ret
        e8 ef 0f 00 00              call far";
    check(
        listing,
        1,
        (0, 0, Emulated),
        &at(&[(0xb, 0x0, SingleStepped)]),
    );
}

#[test]
fn memory_is_written_after_the_result() {
    let listing = "
        b8 01 00 00 00              mov eax,0x1
        48 85 ff                    test rdi,rdi
        74 03                       je 0xd
        48 89 11                    mov [rcx],rdx
        c3                          ret";
    check(
        listing,
        1,
        (8, 0, Emulated),
        &at(&[(0xd, 0x0, SingleStepped)]),
    );
}

#[test]
fn each_way_jumps_to_the_return() {
    let listing = "
        53                          push rbx
        85 ff                       test edi,edi
        78 0a                       js 0xf
        b8 01 00 00 00              mov eax,0x1
        eb 0f                       jmp 0x1b
        cc                          int3
        cc                          int3
        cc                          int3
        b8 02 00 00 00              mov eax,0x2
        eb 05                       jmp 0x1b
        cc                          int3
        cc                          int3
        cc                          int3
        cc                          int3
        cc                          int3
        5b                          pop rbx
        c3                          ret";
    check(
        listing,
        1,
        (0, 0, Emulated),
        &at(&[(0xa, 0x8, Emulated), (0x14, 0x8, Emulated)]),
    );
}

#[test]
fn one_way_falls_through_to_the_return() {
    let listing = "
        53                          push rbx
        85 ff                       test edi,edi
        78 07                       js 0xc
        b8 01 00 00 00              mov eax,0x1
        5b                          pop rbx
        c3                          ret
        b8 02 00 00 00              mov eax,0x2
        eb f7                       jmp 0xa";
    check(
        listing,
        1,
        (0, 0, Emulated),
        &at(&[(0xb, 0x0, SingleStepped)]),
    );
}

#[test]
fn part_of_the_result_is_written_late() {
    let listing = "
        53                          push rbx
        e8 fa 0f 00 00              call far
        85 c0                       test eax,eax
        75 00                       jne 0xa
        0f 95 c0                    setne al
        5b                          pop rbx
        c3                          ret";
    check(
        listing,
        1,
        (0, 0, Emulated),
        &at(&[(0xe, 0x0, SingleStepped)]),
    );
}

#[test]
fn two_ways_disagree_about_the_stack() {
    let listing = "
        85 ff                       test edi,edi
        74 01                       je 0x5
        53                          push rbx
        31 c0                       xor eax,eax
        c3                          ret";
    check(listing, 1, (2, 0, Emulated), &Exits::Unknown(Why::Stack));
}

#[test]
fn another_stack_is_taken() {
    let listing = "
        53                          push rbx
        48 89 f4                    mov rsp,rsi
        5b                          pop rbx
        c3                          ret";
    check(listing, 1, (0, 0, Emulated), &Exits::Unknown(Why::Stack));
}

/// The branch that is the entry is no exit as well.
#[test]
fn two_returns_one_behind_a_jump() {
    let listing = "
        48 85 ff                    test rdi,rdi
        74 01                       je 0x6
        c3                          ret
        eb 00                       jmp 0x8
        c3                          ret";
    check(
        listing,
        1,
        (3, 0, Emulated),
        &at(&[(5, 0, SingleStepped), (6, 0, Emulated)]),
    );
}

#[test]
fn it_never_returns() {
    let listing = "
        eb fe                       jmp 0x0";
    check(listing, 0, (0, 0, Emulated), &Exits::Unknown(Why::NoReturn));
}
