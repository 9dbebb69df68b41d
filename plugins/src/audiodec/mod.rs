//! Audio decoder.
#![expect(dead_code, reason = "skeleton")]
mod blocks;
mod codec;
mod conceal;
mod core;
mod g711;
mod g722;
mod kernel;
mod opus;
mod pcm;
mod position;
mod resample;
mod stats;

#[cfg(test)]
mod foreign;
