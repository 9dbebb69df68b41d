//! See `../src/record.rs`.

#![no_main]

#[path = "../src/record.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
