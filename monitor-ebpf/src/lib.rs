//! The wire between kernel and user space: the records that the programs write
//! into the two rings, and the values of the maps that user space fills.
//!
//! This library has no dependency and no behaviour. The programs are the
//! package's binary; whoever fills a record defines it.
#![no_std]

pub mod abi;
