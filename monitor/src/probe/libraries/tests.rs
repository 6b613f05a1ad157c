//! Who maps what, as data.

use super::*;

fn file(inode: usize) -> FileId {
    FileId {
        device: 1,
        inode: inode as u64,
    }
}

fn stamp(size: u64) -> Stamp {
    Stamp { size, modified: 0 }
}

fn owner(name: &str) -> Owner {
    Owner::Cgroup(name.to_owned())
}

#[test]
fn an_owner_is_what_a_process_cannot_choose() {
    let id = "0a".repeat(32);
    for (cgroup, expected) in [
        (
            Some("/system.slice/a.service/b.service"),
            "/system.slice/a.service",
        ),
        (
            Some("/user.slice/user-1.slice/user@1.service/app.slice/x.scope"),
            "/user.slice/user-1.slice/user@1.service",
        ),
        (
            Some(&*format!("/docker/{id}/deep/er")),
            &*format!("/docker/{id}"),
        ),
        (Some("/plain/group"), "/plain/group"),
        (Some("/"), ""),
        (None, ""),
    ] {
        assert_eq!(Owner::of(cgroup), owner(expected), "{cgroup:?}");
    }
}

#[test]
fn files_that_are_no_libraries_take_no_room() {
    let mut libraries = Libraries::default();
    let mallory = owner("/mallory");
    for inode in 0..10_000 {
        let found = libraries.admit(file(inode), stamp(0));
        assert_eq!(found, Admission::New, "{inode}");
        assert_eq!(libraries.room(&mallory), Room::Free, "{inode}");
        libraries.refused(file(inode), stamp(0), "not an ELF file");
        // Asked for again and again, so not the one that is forgotten.
        let first = libraries.admit(file(0), stamp(0));
        assert_eq!(first, Admission::Refused("not an ELF file"));
    }
    assert_eq!(libraries.refused.len(), MAX_REFUSED);
    // What was refused is examined again once it has changed.
    let changed = libraries.admit(file(0), stamp(9));
    assert_eq!(changed, Admission::New);
}

#[test]
fn an_owner_has_a_share() {
    let mut libraries = Libraries::default();
    let (mallory, alice) = (owner("/mallory"), owner("/alice"));
    let all: Vec<FileId> = (0..MAX_OWNED).map(file).collect();
    for id in &all {
        assert_eq!(libraries.admit(*id, stamp(1)), Admission::New);
        assert_eq!(libraries.room(&mallory), Room::Free);
        libraries.hooked(*id, stamp(1), mallory.clone(), false);
    }
    libraries.maps(7, &all);
    for (owner, expected) in [
        (&mallory, Room::Full(Full::Owner)),
        (&alice, Room::Free),
        (&Owner::Host, Room::Free),
    ] {
        assert_eq!(libraries.room(owner), expected, "{owner:?}");
    }
    // Another name of a file is let in without a share, and takes none.
    let (next, other_name) = (file(MAX_OWNED), file(MAX_OWNED + 1));
    assert_eq!(libraries.admit(other_name, stamp(1)), Admission::New);
    libraries.same(other_name, all[1]);
    let found = libraries.admit(other_name, stamp(1));
    assert_eq!(found, Admission::Hooked(all[1]));
    assert_eq!(libraries.owned.get(&mallory), Some(&MAX_OWNED));
    // Room is made where nobody maps a file any more.
    libraries.maps(7, &all[1..]);
    assert_eq!(libraries.admit(next, stamp(1)), Admission::New);
    assert_eq!(libraries.room(&mallory), Room::Instead(all[0]));
    libraries.hooked(next, stamp(1), mallory.clone(), false);
    libraries.maps(8, &[next]);
    assert_eq!(libraries.admit(all[0], stamp(1)), Admission::New);
    assert_eq!(libraries.room(&mallory), Room::Full(Full::Owner));
}

#[test]
fn everyone_together_has_a_limit() {
    let mut libraries = Libraries::default();
    for inode in 0..MAX_HOOKED {
        let owner = owner(&format!("/{}", inode / MAX_OWNED));
        libraries.hooked(file(inode), stamp(1), owner, false);
        libraries.maps(inode as u32, &[file(inode)]);
    }
    let app = owner("/app");
    assert_eq!(libraries.room(&app), Room::Full(Full::Everyone));
    libraries.ended(5);
    assert_eq!(libraries.room(&app), Room::Instead(file(5)));
}

#[test]
fn a_file_is_released_when_nobody_has_mapped_it_for_a_while() {
    let mut libraries = Libraries::default();
    let app = owner("/app");
    let (first, kept, other_name) = (file(1), file(2), file(3));
    libraries.hooked(first, stamp(1), app.clone(), false);
    libraries.hooked(kept, stamp(1), app.clone(), true);
    libraries.same(other_name, first);
    let found = libraries.admit(other_name, stamp(1));
    assert_eq!(found, Admission::Hooked(first));
    libraries.maps(10, &[first, kept]);
    libraries.maps(11, &[other_name]);
    libraries.forked(11, 12);
    // Process, what it maps now, and what the sweep after it releases.
    for (step, (pid, files, expected)) in [
        (10, &[kept][..], &[][..]),
        (11, &[], &[]),
        // Of no matter: it mapped nothing.
        (13, &[], &[]),
        (12, &[], &[]),
        // Mapped again in time.
        (14, &[first], &[]),
        (14, &[], &[]),
        (13, &[], &[first]),
        // It is kept.
        (10, &[], &[]),
        (13, &[], &[]),
    ]
    .into_iter()
    .enumerate()
    {
        libraries.maps(pid, files);
        assert_eq!(libraries.sweep(|_| true), expected, "step {step}");
    }
    assert!(libraries.mapped.is_empty());
    assert_eq!(libraries.owned.get(&app), Some(&1));
    let found = libraries.admit(other_name, stamp(1));
    assert_eq!(found, Admission::New);
}

#[test]
fn a_process_that_ended_unseen_maps_nothing() {
    let mut libraries = Libraries::default();
    libraries.hooked(file(1), stamp(1), owner("/app"), false);
    libraries.maps(10, &[file(1)]);
    libraries.maps(11, &[file(1)]);
    for (alive, expected) in [(&[11][..], &[][..]), (&[], &[]), (&[], &[file(1)])] {
        assert_eq!(libraries.sweep(|pid| alive.contains(&pid)), expected);
    }
}

#[test]
fn a_file_that_changes_too_often_is_left_alone() {
    let mut libraries = Libraries::default();
    let app = owner("/app");
    libraries.hooked(file(1), stamp(0), app.clone(), false);
    for size in 1..=u64::from(MAX_CHANGES) + 1 {
        let found = libraries.admit(file(1), stamp(size));
        assert_eq!(found, Admission::Changed(file(1)));
        let stays = libraries.changed(file(1), stamp(size));
        assert_eq!(stays, size <= u64::from(MAX_CHANGES), "{size}");
        assert_eq!(
            libraries.admit(file(1), stamp(size)),
            Admission::Hooked(file(1))
        );
    }
    libraries.refused(file(1), stamp(99), "it changes too often");
    assert_eq!(
        libraries.admit(file(1), stamp(99)),
        Admission::Refused("it changes too often")
    );
}

#[test]
fn what_one_owner_runs_is_searched_up_to_a_limit() {
    let mut libraries = Libraries::default();
    let (mallory, alice) = (owner("/mallory"), owner("/alice"));
    let mut searched = 0;
    while libraries.may_search(&mallory, 0) {
        searched += 1;
    }
    assert_eq!(searched, MAX_SEARCHED / MIN_SEARCHED);
    assert!(libraries.may_search(&alice, MAX_SEARCHED));
    assert!(!libraries.may_search(&alice, 1));
    libraries.sweep(|_| true);
    assert!(libraries.may_search(&mallory, 0));
}
