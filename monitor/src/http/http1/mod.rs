//! HTTP/1.0 and HTTP/1.1.
//!
//! Frame: [`start`] says where a message begins, [`body_reader`] where it ends.
//! Parse: [`head`]. Stitch: [`Connection`] pairs requests with the statuses that
//! answer them in order, or on a server's connection with its pages.

mod body_reader;
mod chunked;
mod connection;
mod head;
mod pages;
mod requests;
mod responses;
mod start;
mod text;

pub(super) use connection::Connection;
pub use head::USUAL_HEADERS;
pub use pages::MAX_PAGE;
pub use text::{
    RequestText, ResponseText, read_request, read_response, write_request, write_response,
};
