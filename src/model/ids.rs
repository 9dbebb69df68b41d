//! Ids: one type for each kind of thing, so that no two can be swapped.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Returns one that nobody has had.
            pub fn new() -> Self {
                Self(Uuid::new_v4())
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// Somebody who uses the service.
    ResourceId
}
id! {
    /// A call.
    CallId
}
id! {
    /// A recording of a call.
    RecordingId
}
id! {
    /// A chunk of a recording, and the document that it is stored as: its content and its metadata.
    ChunkId
}
