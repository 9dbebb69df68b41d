//! See `../src/rtp.rs`.

#![no_main]

#[path = "../src/rtp.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
