//! The wire between kernel and user space: the records that the programs write
//! into the two rings, and the values of the maps that user space fills.
//!
//! This library has no dependency and no behaviour; the package's binary
//! contains the programs. The side that writes a record defines it.
#![no_std]

pub mod abi;
