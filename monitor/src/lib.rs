//! phiwatch
pub mod event;
pub mod loss;
pub mod secret;
pub mod http {
    pub mod message;
    pub use message::*;
}
pub mod field;
pub mod finding;
pub mod phi;
pub mod token;
pub mod tracker;
