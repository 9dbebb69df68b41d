//! Packet captures, read: containers and link types against tshark, damage at every byte, streams as people name them.

#[path = "../support/mod.rs"]
mod support;

mod containers;
mod foreign;
mod hostile;
mod packet;
mod reading;
mod streams;
mod writer;
