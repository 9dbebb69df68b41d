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

/// What stands in a path where a route has braces, in order; nothing where it has less.
type Names = [String; 2];

/// How an operation is asked for.
#[derive(Debug)]
pub struct Route {
    /// The verb.
    pub method: &'static str,
    /// The path, with what stands in it in braces.
    pub path: &'static str,
    operation: fn(Names) -> Operation,
}

/// All that is served: what is in no row here is neither done nor told.
pub const ROUTES: [Route; 8] = [
    Route { method: "POST", path: "/calling/recordings", operation: |_| Operation::Start },
    Route { method: "GET", path: "/calling/recordings/{recordingId}", operation: |[id, _]| Operation::State(id) },
    Route { method: "DELETE", path: "/calling/recordings/{recordingId}", operation: |[id, _]| Operation::Stop(id) },
    Route {
        method: "POST",
        path: "/calling/recordings/{recordingId}:pause",
        operation: |[id, _]| Operation::Pause(id),
    },
    Route {
        method: "POST",
        path: "/calling/recordings/{recordingId}:resume",
        operation: |[id, _]| Operation::Resume(id),
    },
    Route {
        method: "GET",
        path: "/calling/recordings/{recordingId}/result",
        operation: |[id, _]| Operation::Result(id),
    },
    Route {
        method: "GET",
        path: "/v1/objects/{documentId}/content/{view}",
        operation: |[document, view]| Operation::Read { document, view },
    },
    Route { method: "DELETE", path: "/v1/objects/{documentId}", operation: |[id, _]| Operation::Delete(id) },
];

impl Route {
    /// Returns which operation it is, on nothing.
    pub fn kind(&self) -> Operation {
        (self.operation)(Names::default())
    }

    /// Returns the operation that is asked for by a path; None where that is none of this route's.
    fn operation(&self, path: &str) -> Option<Operation> {
        let mut names = Names::default();
        // By turns: text, what stands between braces.
        let mut parts = self.path.split(['{', '}']);
        let mut rest = path.strip_prefix(parts.next()?)?;
        for name in &mut names {
            let (Some(_), Some(text)) = (parts.next(), parts.next()) else { break };
            // Ids have their colons encoded.
            let (segment, behind) = rest.split_at(rest.find(['/', ':']).unwrap_or(rest.len()));
            *name = id(segment)?;
            rest = behind.strip_prefix(text)?;
        }
        matches!(rest, "" | "/").then(|| (self.operation)(names))
    }
}

/// Returns the operation that a verb on a path asks for; the path is as it was on the wire, without its query. None
/// where it is none of the service's.
pub fn operation(method: &str, path: &str) -> Option<Operation> {
    // What GET would bring, without bringing it.
    let method = if method == "HEAD" { "GET" } else { method };
    let served = ROUTES.iter().filter(|route| route.method == method).find_map(|route| route.operation(path));
    served.or_else(|| NAMESPACES.iter().any(|namespace| path.starts_with(namespace)).then_some(Operation::NotServed))
}

/// Reads one segment of a path.
fn id(segment: &str) -> Option<String> {
    let is_one = (1..=ID_BYTES_MAX).contains(&segment.len());
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
        assert_eq!(of("HEAD", "/v1/objects/0-eus-d1-8/content/audiomp3"), read);
        assert_eq!(of("DELETE", "/v1/objects/0-eus-d1-8"), Operation::Delete("0-eus-d1-8".into()));
        assert_eq!(of("POST", "/calling/recordings/"), Operation::Start);
    }

    #[test]
    fn each_route_leads_to_its_own_operation() {
        for route in &ROUTES {
            // The names stand for themselves.
            let names = route.path.split(['{', '}']).skip(1).step_by(2).map(str::to_owned);
            let mut names = names.chain([String::new(), String::new()]);
            let expected = (route.operation)([names.next(), names.next()].map(Option::unwrap_or_default));
            let path = route.path.replace(['{', '}'], "");
            assert_eq!(operation(route.method, &path), Some(expected), "{} {}", route.method, route.path);
        }
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
            ("GET", "/v1/objects/x/content/"),
            ("GET", "/v1/objects/x/metadata"),
            ("GET", "/calling/recordings/rid:pause"),
            ("POST", "/calling/recordings/rid:pause/now"),
            ("GET", "/calling/recordings/"),
        ] {
            assert_eq!(operation(method, path), Some(Operation::NotServed), "{method} {path}");
        }
        for path in ["/", "/api/v1/calls", "/calling", "/metrics", "/v2/objects"] {
            assert_eq!(operation("GET", path), None, "{path}");
        }
    }
}
