//! The pcapng container: blocks out ([`write`]) and packets in ([`read`]).

pub(super) mod option;
pub(super) mod read;
pub(super) mod section;
pub(crate) mod write;

pub use section::SectionSurvey;
