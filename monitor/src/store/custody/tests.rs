//! Tests of the custody log.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn append(directory: &Path, reason: &str) -> Result<String, CustodyError> {
    let details = BTreeMap::from([("finding".to_owned(), "abc".to_owned())]);
    Custody::append(
        directory,
        "reveal",
        &Who::current(),
        reason,
        Vec::new(),
        details,
    )
}

#[test]
fn entries_are_chained_and_private() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Custody::read(folder.path()).unwrap(), None);
    let capture = folder.path().join("a.pcapng");
    fs::write(&capture, b"abc").unwrap();
    let file = CustodyFile::of(&capture).unwrap();
    assert_eq!(
        file.sha256,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    let who = Who::current();
    let directory = Custody::folder(&capture);
    let files = vec![file.clone()];
    Custody::append(
        directory,
        "export",
        &who,
        " a case ",
        files,
        BTreeMap::new(),
    )
    .unwrap();
    let head = append(directory, "another").unwrap();
    let log = Custody::read(directory).unwrap().unwrap();
    assert_eq!((log.entries.len(), log.head, log.problem), (2, head, None));
    let first = &log.entries[0];
    assert_eq!((&*first.action, &*first.reason), ("export", "a case"));
    assert_eq!((&first.who, &first.files), (&who, &vec![file]));
    let mode = fs::metadata(directory.join(CUSTODY_FILE))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_has_no_reason_or_is_too_long_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(
        append(folder.path(), " \n"),
        Err(CustodyError::NoReason)
    ));
    let long = "x".repeat(MAX_REASON + 1);
    assert!(matches!(
        append(folder.path(), &long),
        Err(CustodyError::TooLong(_))
    ));
    assert_eq!(Custody::read(folder.path()).unwrap(), None);
}

#[test]
fn a_torn_line_is_replaced_and_said_and_a_changed_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(CUSTODY_FILE);
    append(folder.path(), "one").unwrap();
    append(folder.path(), "two").unwrap();
    let whole = fs::read(&path).unwrap();
    let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for end in (first..whole.len()).step_by(9) {
        fs::write(&path, &whole[..end]).unwrap();
        append(folder.path(), "three").unwrap();
        let log = Custody::read(folder.path()).unwrap().unwrap();
        assert_eq!((log.entries.len(), log.problem), (2, None));
        assert_eq!(log.entries[1].torn_bytes, (end - first) as u64);
    }
    for at in (0..first - 1).step_by(9) {
        let mut bytes = whole.clone();
        bytes[at] ^= 4;
        fs::write(&path, &bytes).unwrap();
        let log = Custody::read(folder.path()).unwrap().unwrap();
        assert!(
            log.problem
                .is_some_and(|problem| problem.contains("line 1"))
        );
        assert!(matches!(
            append(folder.path(), "x"),
            Err(CustodyError::Broken { .. })
        ));
    }
}

#[test]
fn users_have_names() {
    let accounts = "root:x:0:0:root:/root:/bin/sh\n\nann:x:1000:1000::/home/ann:/bin/sh\n";
    for (uid, name) in [(0, Some("root")), (1000, Some("ann")), (7, None)] {
        assert_eq!(user_name(accounts, uid).as_deref(), name);
    }
}
