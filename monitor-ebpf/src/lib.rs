#![no_std]
//! The wire between kernel and user space.
