//! phiwatch
pub mod event;
pub mod field;
pub mod finding;
pub mod http;
pub mod loss;
pub mod phi;
pub mod secret;
pub mod stream;
