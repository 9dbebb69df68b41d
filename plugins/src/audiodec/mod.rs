//! Audio decoder.
#![expect(dead_code, reason = "skeleton")]
mod g711;
mod kernel;
mod pcm;
mod resample;

#[cfg(test)]
mod foreign;
