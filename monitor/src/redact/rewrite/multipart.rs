//! multipart bodies: the contents of their parts are replaced, and the names of
//! files.

use super::Rewriter;

/// The longest line that separates parts (RFC 2046), in bytes.
const MAX_LINE: usize = 74;

/// Rewrites `text`. `None` if it is no multipart body.
pub(super) fn rewrite(rewriter: &Rewriter<'_>, text: &str) -> Option<String> {
    let start = text.trim_start();
    let line = start.lines().next()?;
    if !line.starts_with("--") || line.len() < 3 || line.len() > MAX_LINE || !start.contains('\n') {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    for (index, part) in text.split(line).enumerate() {
        if index > 0 {
            out.push_str(line);
        }
        let Some((head, content)) = split(part) else {
            // The mark behind the last part, or the end of a cut head.
            let is_mark = part.trim().trim_matches('-').is_empty();
            out.push_str(&if is_mark {
                part.to_owned()
            } else {
                heads(rewriter, part)
            });
            continue;
        };
        out.push_str(&heads(rewriter, head));
        let end = content.trim_end_matches(['\r', '\n']).len();
        let (value, behind) = content.split_at(end);
        out.push_str(&rewriter.body(value));
        out.push_str(behind);
    }
    Some(out)
}

/// The head of a part with its empty line, and its content.
fn split(part: &str) -> Option<(&str, &str)> {
    let end = [("\r\n\r\n", 4), ("\n\n", 2)]
        .into_iter()
        .filter_map(|(mark, length)| part.find(mark).map(|at| at + length))
        .min()?;
    part.split_at_checked(end)
}

/// The headers of a part: quoted words are names, and stay if they are known.
fn heads(rewriter: &Rewriter<'_>, head: &str) -> String {
    let mut out = String::with_capacity(head.len());
    for (index, piece) in head.split('"').enumerate() {
        if index > 0 {
            out.push('"');
        }
        let is_quoted = index % 2 == 1;
        out.push_str(&if is_quoted {
            rewriter.key(piece)
        } else {
            piece.to_owned()
        });
    }
    out
}
