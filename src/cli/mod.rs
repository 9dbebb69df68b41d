//! The command line: parses, calls one function of a room or of `app`, prints.
//!
//! Results go to stdout, everything else to stderr. Exit codes: see [`Exit`].
//!
//! **Architecture invariant:** a command decides nothing about a recording, and touches no pad and no file of one.

mod check;
mod counts;
mod doctor;
mod fsck;
mod graph_file;
mod keys;
pub mod output;
mod print;
mod record;
mod recover;
mod send;
mod send_print;
mod send_values;
mod serve;
mod show;
mod sources;
mod stop;
mod text_file;
mod values;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All is as it should be.
    Done = 0,
    /// Nothing, or not all, could be done; stderr says why.
    Failed = 1,
    /// The command line is wrong, by itself (clap's own code) or in what its options mean together.
    Usage = 2,
    /// A graph is wrong or not to be found; stderr has every error with its line.
    BadGraph = 3,
    /// Recorded, or checked, but something is not as it should be: it stands in what is printed, and in the metadata's
    /// notes.
    Faults = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Records calls as declared graphs of GStreamer elements.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Record a call: live RTP, captures, media files
    Record(Box<record::Args>),
    /// Serve recordings to those who control them over HTTP, as clients of ACS do
    Serve(serve::Args),
    /// Show or change the keys that clients of the service sign with
    Keys(keys::Args),
    /// Check what a service has stored, and make its catalog anew
    Fsck(fsck::Args),
    /// Send media as RTP, over a network as bad as one likes
    Send(Box<send::Args>),
    /// Finish recordings that were killed
    Recover(recover::Args),
    /// Check graphs and tell every error at once
    Check(check::Args),
    /// Show a graph as TOML, as a gst-launch line or as a picture's source
    Show(show::Args),
    /// Show which elements graphs can use here, with packages, versions and licences
    Doctor(doctor::Args),
}

/// Runs the command that the arguments say.
pub fn run(cli: Cli) -> anyhow::Result<Exit> {
    match cli.command {
        Command::Record(args) => record::run(*args),
        Command::Serve(args) => serve::run(&args),
        Command::Keys(args) => keys::run(&args),
        Command::Fsck(args) => fsck::run(&args),
        Command::Send(args) => send::run(*args),
        Command::Recover(args) => recover::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Show(args) => show::run(&args),
        Command::Doctor(args) => doctor::run(&args),
    }
}
