//! What the tests of the program share: the program itself as a child, sources whose samples tell their place, and
//! readers that are not ours.

#![allow(dead_code, reason = "each test program uses its own part")]

pub(crate) mod course;
pub(crate) mod disk;
pub(crate) mod foreign;
pub(crate) mod judge;
pub(crate) mod metadata;
pub(crate) mod program;
pub(crate) mod source;
pub(crate) mod wav;
