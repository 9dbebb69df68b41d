//! See `../src/rtcp.rs`.

#![no_main]

#[path = "../src/rtcp.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
