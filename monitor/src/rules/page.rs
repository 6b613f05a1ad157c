//! The rules of pages that servers send.

use super::Topic;

pub(super) const TOPICS: &[Topic] = &[Topic {
    class: "page",
    why: "What people type into a page can be read by every tracker that the page loads, and some \
          read forms by themselves.",
    hazards: "The page asks for the data; whether the tracker takes it depends on its settings in \
              the browser. The finding says where to look, not that something was sent.",
    advice: "Load no trackers on pages that ask for health information or identify patients, or only \
             ones with an agreement, with automatic matching and recording of sessions switched off.",
    rules: &[(
        "page.form",
        "A field of a form on the page asks for this kind of data. It has no value, so nothing is \
         shown.",
    )],
}];
