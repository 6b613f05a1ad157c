//! Where a call is seen with its arguments.

use super::{
    super::{
        Cost::Emulated, Cost::SingleStepped, Exits, MAX_CODE, Placement, Point, Why, instruction,
        linked_through, place, place_without_depth,
    },
    ADDRESS, GUARDED, assembled, at, check,
};

#[test]
fn behind_the_landing_pad() {
    let listing = "
        f3 0f 1e fa                 endbr64
        53                          push rbx
        48 89 fb                    mov rbx,rdi
        5b                          pop rbx
        c3                          ret";
    check(listing, 1, (4, 0, Emulated), &at(&[(9, 0, SingleStepped)]));
}

/// The call keeps three of four arguments.
#[test]
fn an_argument_is_moved_before_the_call() {
    let listing = "
        49 89 c8                    mov r8,rcx
        31 c9                       xor ecx,ecx
        e8 f6 0f 00 00              call far
        c3                          ret";
    check(
        listing,
        3,
        (5, 0, Emulated),
        &at(&[(0xa, 0x0, SingleStepped)]),
    );
    check(
        listing,
        4,
        (0, 0, SingleStepped),
        &at(&[(0xa, 0x0, SingleStepped)]),
    );
}

#[test]
fn a_loop_begins_before_the_branch() {
    let listing = "
        48 83 ec 08                 sub rsp,0x8
        ff c8                       dec eax
        75 fc                       jne 0x4
        48 83 c4 08                 add rsp,0x8
        c3                          ret";
    check(
        listing,
        0,
        (0, 0, SingleStepped),
        &at(&[(0xc, 0x0, SingleStepped)]),
    );
}

#[test]
fn a_loop_begins_behind_the_branch() {
    let listing = "
        48 83 ec 08                 sub rsp,0x8
        85 c0                       test eax,eax
        78 04                       js 0xc
        ff c8                       dec eax
        75 fc                       jne 0x8
        48 83 c4 08                 add rsp,0x8
        c3                          ret";
    check(
        listing,
        0,
        (6, 8, Emulated),
        &at(&[(0x10, 0x0, SingleStepped)]),
    );
}

#[test]
fn a_loop_closed_by_code_that_only_a_table_reaches() {
    let listing = "
        48 83 ec 08                 sub rsp,0x8
        85 f6                       test esi,esi
        78 08                       js 0x10
        48 63 04 b2                 movsxd rax,[rdx+rsi*4]
        ff e0                       jmp rax
        eb f4                       jmp 0x4
        48 83 c4 08                 add rsp,0x8
        c3                          ret";
    check(
        listing,
        0,
        (0, 0, SingleStepped),
        &Exits::Unknown(Why::ComputedJump),
    );
}

#[test]
fn a_table_is_jumped_through_at_another_depth() {
    let listing = "
        f3 0f 1e fa                 endbr64
        53                          push rbx
        ff 24 f2                    jmp [rdx+rsi*8]
        5b                          pop rbx
        c3                          ret";
    check(
        listing,
        1,
        (4, 0, Emulated),
        &Exits::Unknown(Why::ComputedJump),
    );
}

#[test]
fn the_last_call_is_a_jump_through_a_pointer() {
    let listing = "
        48 85 ff                    test rdi,rdi
        74 03                       je 0x8
        ff 67 18                    jmp [rdi+0x18]
        c3                          ret";
    check(
        listing,
        1,
        (3, 0, Emulated),
        &Exits::Unknown(Why::ComputedJump),
    );
}

#[test]
fn a_branch_that_kernels_refuse() {
    let listing = "
        48 83 ec 08                 sub rsp,0x8
        3e 75 00                    ds jne 0x7
        48 83 c4 08                 add rsp,0x8
        c3                          ret";
    check(
        listing,
        0,
        (0, 0, SingleStepped),
        &at(&[(0xb, 0x0, SingleStepped)]),
    );
}

#[test]
fn an_exchange_that_kernels_take_for_nop() {
    let listing = "
        49 90                       xchg r8,rax
        53                          push rbx
        5b                          pop rbx
        c3                          ret";
    check(listing, 0, (2, 0, Emulated), &at(&[(4, 0, SingleStepped)]));
}

#[test]
fn an_indirect_call_comes_first() {
    let listing = "
        48 83 ec 08                 sub rsp,0x8
        ff d0                       call rax
        53                          push rbx
        5b                          pop rbx
        48 83 c4 08                 add rsp,0x8
        c3                          ret";
    check(
        listing,
        0,
        (0, 0, SingleStepped),
        &at(&[(0xc, 0x0, SingleStepped)]),
    );
}

#[test]
fn a_branch_into_an_instruction() {
    let listing = "
        85 ff                       test edi,edi
        78 ff                       js 0x3
        c3                          ret";
    check(
        listing,
        1,
        (0, 0, SingleStepped),
        &Exits::Unknown(Why::Overlapping),
    );
}

#[test]
fn without_depth_the_stack_is_as_it_was_found() {
    let guarded = assembled(GUARDED);
    let plain = place_without_depth(&guarded, ADDRESS, 3);
    assert_eq!((plain.entry.offset, plain.entry.cost), (0, SingleStepped));
    assert_eq!(plain.exits, at(&[(0x34, 0, SingleStepped)]));
    // endbr64; push rbx; pop rbx; ret
    let pushed = place_without_depth(&[0xf3, 0x0f, 0x1e, 0xfa, 0x53, 0x5b, 0xc3], ADDRESS, 6);
    assert_eq!((pushed.entry.offset, pushed.entry.depth), (4, 0));
}

#[test]
fn stubs_of_the_linkage_table() {
    for (listing, expected) in [
        ("ff 25 42 39 08 00  jmp [rip + 0x83942]", Some(0x84948)),
        (
            "f3 0f 1e fa  endbr64\nf2 ff 25 f5 8f 00 00  bnd jmp [rip + 0x8ff5]",
            Some(0xa000),
        ),
        ("f3 0f 1e fa  endbr64", None),
        ("ff 67 18  jmp [rdi + 0x18]", None),
        ("e9 00 00 00 00  jmp 0x1005", None),
        ("", None),
    ] {
        let found = linked_through(&assembled(listing), ADDRESS);
        assert_eq!(found, expected, "{listing}");
    }
}

/// Lists what the kernel's uprobes emulate, as measured and as its source says.
#[test]
fn what_kernels_emulate() {
    for (bytes, expected) in [
        (&[0x50][..], Emulated),
        (&[0x57], Emulated),
        (&[0x41, 0x54], Emulated),
        (&[0x90], Emulated),
        (&[0xeb, 0], Emulated),
        (&[0xe9, 0, 0, 0, 0], Emulated),
        (&[0xe8, 0, 0, 0, 0], Emulated),
        (&[0x75, 0], Emulated),
        (&[0x0f, 0x88, 0, 0, 0, 0], Emulated),
        // push with another prefix, of an immediate value, of memory
        (&[0x48, 0x55], SingleStepped),
        (&[0x6a, 1], SingleStepped),
        (&[0xff, 0xf0], SingleStepped),
        // xchg r8, rax; pause; nop with operands
        (&[0x49, 0x90], SingleStepped),
        (&[0xf3, 0x90], SingleStepped),
        (&[0x0f, 0x1f, 0x44, 0, 0], SingleStepped),
        // jrcxz; a branch with a hint; indirect jump and call; ret
        (&[0xe3, 0], SingleStepped),
        (&[0x3e, 0x75, 0], SingleStepped),
        (&[0xff, 0xe0], SingleStepped),
        (&[0xff, 0xd0], SingleStepped),
        (&[0xc3], SingleStepped),
        (&[], SingleStepped),
    ] {
        assert_eq!(instruction::cost(bytes), expected, "{bytes:02x?}");
    }
}

#[test]
fn no_code_and_too_much() {
    let expected = |cost| Placement {
        entry: Point {
            offset: 0,
            depth: 0,
            cost,
            is_call: false,
        },
        exits: Exits::Unknown(Why::Size),
    };
    assert_eq!(place(&[], ADDRESS, 3), expected(SingleStepped));
    assert_eq!(
        place(&vec![0x90; MAX_CODE + 1], ADDRESS, 3),
        expected(Emulated)
    );
}
