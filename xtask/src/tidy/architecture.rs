//! What `docs/architecture.md` says of the tree.
//!
//! In: the page, the rooms in order, and the tree. Out: the rooms that it leaves
//! out or puts elsewhere, the types that are not in their room, and the paths
//! that do not exist.

/// What the page is compared with.
pub(super) trait Tree {
    /// Whether the path exists.
    fn exists(&self, path: &str) -> bool;
    /// Whether a type of this name is declared in the room.
    fn declares(&self, room: &str, name: &str) -> bool;
}

/// What is wrong on the page.
pub(super) fn problems(page: &str, text: &str, rooms: &[String], tree: &impl Tree) -> Vec<String> {
    let mut problems = Vec::new();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(spans)
        .collect();
    let named: Vec<&str> = rows.iter().filter_map(|row| row.first().copied()).collect();
    if named != rooms {
        let rooms = rooms.join(", ");
        problems.push(format!(
            "{page}: its rooms are not those of lib.rs in their order: {rooms}"
        ));
    }
    for row in &rows {
        if let [room, .., name] = row.as_slice()
            && !tree.declares(room, name)
        {
            problems.push(format!("{page}: `{room}` has no type `{name}`"));
        }
    }
    let paths = text.lines().flat_map(spans).filter(|span| is_path(span));
    for path in paths.filter(|path| !tree.exists(path)) {
        problems.push(format!("{page}: there is no {path}"));
    }
    problems
}

/// What stands between backticks in a line.
fn spans(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

fn is_path(span: &str) -> bool {
    span.contains(['/', '.']) && !span.contains(' ')
}
