//! Functions of Go's.

use super::{super::go_entry, *};

#[test]
fn entries() {
    for (name, listing, expected) in [
        (
            "Go 1.27",
            "4c 8d a4 24 50 ff ff ff     lea r12,[rsp-0xb0]
             4d 3b 66 10                 cmp r12,[r14+0x10]
             0f 86 c1 08 00 00           jbe grow
             55                          push rbp",
            Some((0x12, Cost::Emulated)),
        ),
        (
            "Go 1.19",
            "4c 8d 64 24 b0              lea r12,[rsp-0x50]
             4d 3b 66 10                 cmp r12,[r14+0x10]
             0f 86 9b 06 00 00           jbe grow
             48 81 ec d0 00 00 00        sub rsp,0xd0",
            Some((0xf, Cost::SingleStepped)),
        ),
        (
            "a small frame",
            "49 3b 66 10                 cmp rsp,[r14+0x10]
             76 20                       jbe grow
             55                          push rbp",
            Some((6, Cost::Emulated)),
        ),
        (
            "before Go 1.17",
            "64 48 8b 0c 25 f8 ff ff ff  mov rcx,fs:[-8]
             48 3b 61 10                 cmp rsp,[rcx+0x10]
             76 20                       jbe grow
             48 83 ec 18                 sub rsp,0x18",
            None,
        ),
        (
            "no frame behind the test",
            "49 3b 66 10                 cmp rsp,[r14+0x10]
             76 20                       jbe grow
             89 c0                       mov eax,eax",
            None,
        ),
        (
            "C",
            "55                          push rbp
             48 89 e5                    mov rbp,rsp",
            None,
        ),
    ] {
        let code = assembled(listing);
        let found = go_entry(&code, 0x40_1000).map(|point| (point.offset, point.cost));
        assert_eq!(found, expected, "{name}");
        for length in 0..code.len() {
            let cut = go_entry(&code[..length], 0x40_1000);
            assert!(cut.is_none(), "{name}, {length} bytes");
        }
    }
}
