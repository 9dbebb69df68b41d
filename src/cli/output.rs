//! Where commands write: results to stdout, everything else to stderr.
//!
//! Either may be a pipe that nobody reads any more. That ends a command, and never by a panic.

use std::fmt::Display;
use std::io::Write;

use anyhow::Context;

/// Writes a line of a result.
///
/// # Errors
///
/// It cannot be written: whoever reads it has not got all of it.
pub(super) fn result(line: impl Display) -> anyhow::Result<()> {
    let written = writeln!(std::io::stdout().lock(), "{line}");
    written.context("the result cannot be printed")
}

/// Tells a line to whoever looks. There is nobody to tell where that fails.
pub fn tell(line: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
