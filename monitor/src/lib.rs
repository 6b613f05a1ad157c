//! phiwatch
pub mod secret;
pub mod loss;
pub mod event;
pub mod capture;
pub mod http { pub mod message; pub use message::*; }
pub mod field;
pub mod phi;
pub mod finding;
