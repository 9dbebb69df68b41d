//! Azure Communication Services' words: the shapes that its users' programs read. Pure.
//!
//! **Architecture invariant:** no other room spells a name of Azure's.

pub mod metadata;
