//! What a hostile user, a broken file or an unlucky operator can do: each is told what is wrong and what to do, nothing
//! panics, nothing hangs, and nothing that looks like a recording is left where there is none.

#[path = "../support/mod.rs"]
mod support;

mod command_line;
mod damaged;
mod graphs;
mod hostile;
mod media;
mod privacy;
mod spool;
mod stage;
mod stop;
