//! The supervisor: all calls and recordings of all resources. Decides; touches no pad and no file.
//!
//! Entry points: [`start`] for the task, [`Handle`] for whoever asks.
//!
//! ```text
//!  Handle ──Ask, with its instant──► task ──Input──► Core::on ──► effects: answers, orders to the engine, ports,
//!                                     ▲                           what is to be stored and deleted
//!                                     └── begun, stored, ended ◄── one follower for each recording
//! ```
//!
//! **Architecture invariant:** `core.rs` has no clock, no socket and no recording: time and what has happened are its
//! arguments.
//!
//! **Architecture invariant:** nothing of a resource is told to another one: what is not its own is not there.

mod ask;
mod audit;
mod begin;
mod core;
mod disk;
mod error;
mod finish;
mod follow;
mod handle;
mod input;
mod meter;
mod policy;
mod rebuild;
mod task;
mod tracks;
mod views;

pub use ask::Ask;
pub use ask::AskedTerms;
pub use ask::CallName;
pub use ask::Filter;
pub use ask::Repeat;
pub use ask::StartAsk;
pub use ask::WhichCall;
pub use audit::Asker;
pub use error::Refusal;
pub use handle::Handle;
pub use handle::Instant;
pub use meter::Meter;
pub use policy::AutoRecord;
pub use policy::Policy;
pub use rebuild::rebuild;
pub use task::Collaborators;
pub use task::start;
pub use views::Answer;
pub use views::CallView;
pub use views::DocumentView;
pub use views::ParticipantView;
pub use views::Phase;
pub use views::RecordedView;
pub use views::RecordingView;
