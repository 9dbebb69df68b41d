//! See `../src/track.rs`.

#![no_main]

#[path = "../src/track.rs"]
mod body;
#[path = "../src/call.rs"]
mod call;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
