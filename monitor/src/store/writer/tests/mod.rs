//! Tests of the writer on a disk that fills up, fails and ages.

mod bench;
mod full;
mod limits;
mod stopped;
