//! See `../src/capture.rs`.

#![no_main]

#[path = "../src/capture.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
