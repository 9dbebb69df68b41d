//! Which operation a request asks for. Pure.

use percent_encoding::percent_decode_str;

/// Longest id that is looked at.
const ID_BYTES_MAX: usize = 512;

/// An operation, and what it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// A recording starts.
    Start,
    /// How a recording is doing.
    State(String),
    /// A recording pauses.
    Pause(String),
    /// A recording goes on.
    Resume(String),
    /// A recording ends.
    Stop(String),
    /// What became of a recording.
    Result(String),
    /// A document is read.
    Read {
        /// Which.
        document: String,
        /// Which part of it.
        view: String,
    },
    /// A document is deleted.
    Delete(String),
    /// One of the service that this one is like, and not of this one.
    NotServed,
}

/// What comes before a document's name.
pub const OBJECTS: &str = "/v1/objects/";

/// What the service's other operations are on.
const NAMESPACES: [&str; 2] = ["/calling/", "/v1/objects"];

/// Returns the operation that a verb on a path asks for; the path is as it was on the wire, without its query. None
/// where it is none of the service's.
pub fn operation(method: &str, path: &str) -> Option<Operation> {
    let known = recording(method, path).or_else(|| document(method, path));
    known.or_else(|| NAMESPACES.iter().any(|namespace| path.starts_with(namespace)).then_some(Operation::NotServed))
}

fn recording(method: &str, path: &str) -> Option<Operation> {
    let rest = path.strip_prefix("/calling/recordings")?;
    if matches!(rest, "" | "/") {
        return (method == "POST").then_some(Operation::Start);
    }
    let rest = rest.strip_prefix('/')?;
    // Ids have their colons encoded.
    let (name, action) = match (rest.rsplit_once(':'), rest.rsplit_once('/')) {
        (Some((name, action)), _) => (name, action),
        (None, Some((name, action))) => (name, action),
        (None, None) => (rest, ""),
    };
    let name = id(name)?;
    match (method, action) {
        ("GET", "") => Some(Operation::State(name)),
        ("DELETE", "") => Some(Operation::Stop(name)),
        ("POST", "pause") => Some(Operation::Pause(name)),
        ("POST", "resume") => Some(Operation::Resume(name)),
        ("GET", "result") => Some(Operation::Result(name)),
        _ => None,
    }
}

fn document(method: &str, path: &str) -> Option<Operation> {
    let rest = path.strip_prefix(OBJECTS)?;
    match (method, rest.split_once('/')) {
        ("DELETE", None) => id(rest).map(Operation::Delete),
        ("GET" | "HEAD", Some((name, view))) => {
            let (document, view) = (id(name)?, id(view.strip_prefix("content/")?)?);
            Some(Operation::Read { document, view })
        }
        _ => None,
    }
}

/// Reads one segment of a path.
fn id(segment: &str) -> Option<String> {
    let is_one = !segment.is_empty() && segment.len() <= ID_BYTES_MAX && !segment.contains('/');
    let text = percent_decode_str(segment).decode_utf8().ok().filter(|_| is_one)?;
    Some(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_and_paths_are_operations() {
        let of = |method, path| operation(method, path).expect("it is the service's");
        assert_eq!(of("POST", "/calling/recordings"), Operation::Start);
        assert_eq!(of("GET", "/calling/recordings/rid"), Operation::State("rid".into()));
        assert_eq!(of("DELETE", "/calling/recordings/rid"), Operation::Stop("rid".into()));
        assert_eq!(of("POST", "/calling/recordings/a%2Fb%2Bc%3Dd%3Ae:pause"), Operation::Pause("a/b+c=d:e".into()));
        assert_eq!(of("POST", "/calling/recordings/rid:resume"), Operation::Resume("rid".into()));
        assert_eq!(of("GET", "/calling/recordings/rid/result"), Operation::Result("rid".into()));
        let read = Operation::Read { document: "0-eus-d1-8".into(), view: "audiomp3".into() };
        assert_eq!(of("GET", "/v1/objects/0-eus-d1-8/content/audiomp3"), read);
        assert_eq!(of("DELETE", "/v1/objects/0-eus-d1-8"), Operation::Delete("0-eus-d1-8".into()));
    }

    #[test]
    fn what_is_not_served_is_told_from_what_is_not_there() {
        for (method, path) in [
            ("POST", "/calling/callConnections"),
            ("POST", "/calling/callConnections/x:play"),
            ("PUT", "/calling/recordings/rid"),
            ("POST", "/calling/recordings/rid:erase"),
            ("POST", "/v1/objects"),
            ("GET", "/v1/objects/x/content/a/b"),
            ("GET", "/calling/recordings/"),
        ] {
            assert_eq!(operation(method, path), Some(Operation::NotServed), "{method} {path}");
        }
        for path in ["/", "/api/v1/calls", "/calling", "/metrics", "/v2/objects"] {
            assert_eq!(operation("GET", path), None, "{path}");
        }
    }
}
