//! Request target to path segments and query parameters.

use super::{Part, Reader, Sink, content, form, url};

/// Yields the segments of the path as [`Part::Path`] by their index, and the
/// parameters as [`Part::Query`]: those of the query, and those that a segment
/// has behind a `;`, as Floodlight and Quantcast send them.
pub(crate) fn read<S: Sink>(reader: &mut Reader<'_, S>, target: &[u8]) {
    let parts = if target.first() == Some(&b'/') {
        url::Parts::of_path(target)
    } else if let Some(parts) = url::Parts::of_absolute(target) {
        reader.origin(parts.origin_in(target));
        parts
    } else {
        // `*`, or the authority of a CONNECT request.
        return;
    };
    reader.start_part(Part::Path);
    for (index, segment, _) in url::segments(parts.path) {
        if reader.is_full() {
            return;
        }
        let (name, matrix) = url::split_once(segment, b';');
        if !name.is_empty() {
            reader.go_index(index);
            url::read_name(reader, name, |reader, span| {
                content::read_value(reader, span, false);
            });
            reader.go_back(0);
        }
        let Some(matrix) = matrix else { continue };
        let part = reader.swap_part(Part::Query);
        for pair in matrix.split(|byte| *byte == b';') {
            form::read_pair(reader, pair, false);
        }
        reader.swap_part(part);
    }
    reader.start_part(Part::Query);
    for query in [parts.query, parts.fragment].into_iter().flatten() {
        form::read(reader, query, b'&', false);
    }
}
