//! Whose fault an error is: what a supervisor decides by, beside whether a retry may help.

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// Who asked: a wrong name, a wrong file.
    Caller,
    /// The graph asks for what its elements cannot do together.
    Graph,
    /// The media of a participant.
    Media,
    /// The machine: disk, memory, a missing library.
    Environment,
    /// Reelgraph.
    Ourselves,
}
