//! The rules of pages that servers send.

use super::Topic;

pub(super) const TOPICS: &[Topic] = &[];
