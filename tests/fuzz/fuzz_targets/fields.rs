//! Fields of targets and bodies of any content.
#![no_main]

use libfuzzer_sys::fuzz_target;
use phiwatch::{
    field::{self, FieldLimits},
    loss::Losses,
};

fuzz_target!(|input: (bool, bool, &[u8])| {
    let (is_body, cut, bytes) = input;
    let limits = FieldLimits::default();
    let mut losses = Losses::default();
    let fields = if is_body {
        field::read_body(bytes, cut, &limits, &mut losses)
    } else {
        field::read_target(bytes, &limits, &mut losses)
    };
    assert!(fields.len() <= limits.fields, "{} fields", fields.len());
});
