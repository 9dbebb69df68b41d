//! Azure Communication Services' words: the shapes that its users' programs send and read. Pure.
//!
//! Entry points: [`signature`] for who asks, [`start::StartRecording`] for what a recording is to be, [`Problem`] for
//! what is refused, [`ids`] for names, [`documents`] for answers, [`metadata::Metadata`] for the file beside each
//! chunk.
//!
//! **Architecture invariant:** no other room spells a name of Azure's.

pub mod documents;
pub mod ids;
pub mod metadata;
pub mod openapi;
mod participants;
mod problem;
pub mod routes;
pub mod signature;
pub mod start;

pub use problem::ErrorBody;
pub use problem::ErrorDocument;
pub use problem::Problem;
