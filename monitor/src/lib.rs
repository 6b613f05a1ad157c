//! phiwatch
pub mod secret;
pub mod loss;
pub mod event;
pub mod stream;
pub mod http;
pub mod field;
pub mod phi;
pub mod finding;
pub mod probe;
