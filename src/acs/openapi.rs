//! What ACS's clients ask for, as OpenAPI tells it. It is served behind one fallback, which a test holds against the
//! table here. Pure.

use std::collections::BTreeMap;

use utoipa::PartialSchema;
use utoipa::ToSchema;
use utoipa::openapi::Content;
use utoipa::openapi::HttpMethod;
use utoipa::openapi::ObjectBuilder;
use utoipa::openapi::Paths;
use utoipa::openapi::Ref;
use utoipa::openapi::RefOr;
use utoipa::openapi::Required;
use utoipa::openapi::Response;
use utoipa::openapi::ResponseBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::OperationBuilder;
use utoipa::openapi::path::ParameterBuilder;
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::SecurityRequirement;

use crate::acs::ErrorDocument;
use crate::acs::documents::RecordingStateDocument;
use crate::acs::documents::ResultDocument;
use crate::acs::start::StartBody;

/// Refusals that any operation may end in, with what they mean.
const REFUSED: [(&str, &str); 7] = [
    ("400", "The request is not what it should be."),
    ("401", "Nobody knows who asks."),
    ("404", "There is no such thing, or it is another resource's."),
    ("409", "It is in a state that does not allow it."),
    ("429", "A limit of the resource."),
    ("500", "The service failed."),
    ("503", "There is no room for it now."),
];

/// What besides is refused of one operation: what is asked for when a recording starts, and of a file.
const NOT_DONE: (&str, &str) = ("405", "The service does not do this.");
const NO_RANGE: (&str, &str) = ("416", "The range is not in the file.");

/// Returns how any operation may be refused, by status.
pub fn refusals() -> BTreeMap<String, RefOr<Response>> {
    REFUSED.iter().map(|(status, means)| ((*status).to_owned(), RefOr::T(refused(status, means)))).collect()
}

/// Adds what ACS's clients ask for.
pub fn add_paths(paths: &mut Paths) {
    for acs in operations() {
        paths.add_path_operation(acs.path, vec![acs.method.clone()], acs.operation().build());
    }
}

fn refused(status: &str, means: &str) -> Response {
    let response = ResponseBuilder::new().description(means);
    // A range that is not there is told by a header.
    if status == "416" {
        return response.build();
    }
    let document = Content::new(Some(Ref::from_schema_name(ErrorDocument::name())));
    let response = response.content("application/json", document);
    match status {
        "429" | "503" => {
            let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
            let after =
                HeaderBuilder::new().schema(Some(seconds)).description(Some("After how many seconds to ask again."));
            response.header("Retry-After", after.build()).build()
        }
        _ => response.build(),
    }
}

/// An operation of ACS's clients.
struct Acs {
    method: HttpMethod,
    path: &'static str,
    summary: &'static str,
    body: Option<String>,
    status: &'static str,
    answer: Answer,
}

enum Answer {
    Nothing,
    Json(String),
    File,
}

fn operations() -> [Acs; 8] {
    let state = || Answer::Json(RecordingStateDocument::name().into_owned());
    let result = || Answer::Json(ResultDocument::name().into_owned());
    let new = |method, path, summary, status, answer| Acs { method, path, summary, body: None, status, answer };
    let start = Some(StartBody::name().into_owned());
    use HttpMethod::{Delete, Get, Post};
    [
        Acs { body: start, ..new(Post, "/calling/recordings", "Starts a recording.", "200", state()) },
        new(Get, "/calling/recordings/{recordingId}", "Tells how a recording is doing.", "200", state()),
        new(Delete, "/calling/recordings/{recordingId}", "Stops a recording.", "204", Answer::Nothing),
        new(Post, "/calling/recordings/{recordingId}:pause", "Pauses a recording.", "202", Answer::Nothing),
        new(Post, "/calling/recordings/{recordingId}:resume", "Lets a recording go on.", "202", Answer::Nothing),
        new(Get, "/calling/recordings/{recordingId}/result", "Tells what is stored of it.", "200", result()),
        new(Get, "/v1/objects/{documentId}/content/{view}", "Loads a file, or a range.", "200", Answer::File),
        new(Delete, "/v1/objects/{documentId}", "Deletes a file and its metadata.", "200", Answer::Nothing),
    ]
}

/// Names of what stands in a path in braces.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split('}').next())
}

impl Acs {
    fn operation(&self) -> OperationBuilder {
        let description = ResponseBuilder::new().description("It is done.");
        let done = match &self.answer {
            Answer::Nothing => description.build(),
            Answer::Json(name) => description.content("application/json", Content::new(Some(reference(name)))).build(),
            Answer::File => ["audio/wav", "audio/mpeg", "application/json", "application/octet-stream"]
                .into_iter()
                .fold(description, |response, kind| response.content(kind, Content::new(None::<Ref>)))
                .build(),
        };
        let signature = SecurityRequirement::new::<_, [&str; 0], &str>("signature", []);
        let operation = OperationBuilder::new().tag("acs").summary(Some(self.summary)).security(signature);
        let mut operation = operation.response(self.status, done);
        if matches!(self.answer, Answer::File) {
            let part = ResponseBuilder::new().description("A range of it.");
            operation = operation.response("206", part.build()).response(NO_RANGE.0, refused(NO_RANGE.0, NO_RANGE.1));
        }
        if self.body.is_some() {
            operation = operation.response(NOT_DONE.0, refused(NOT_DONE.0, NOT_DONE.1));
        }
        for (status, response) in refusals() {
            operation = operation.response(status, response);
        }
        for name in names(self.path) {
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path);
            let parameter = parameter.required(Required::True).schema(Some(String::schema()));
            operation = operation.parameter(parameter);
        }
        let body = self.body.as_ref().map(|name| {
            let content = Content::new(Some(reference(name)));
            RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True)).build()
        });
        operation.request_body(body)
    }
}

fn reference(name: &str) -> Ref {
    Ref::from_schema_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::acs::routes::Operation;
    use crate::acs::routes::operation;

    #[test]
    fn what_is_told_of_acs_is_what_is_served() {
        let served = |acs: &Acs| {
            let method = match acs.method {
                HttpMethod::Delete => "DELETE",
                HttpMethod::Post => "POST",
                _ => "GET",
            };
            let path = acs.path.replace(['{', '}'], "");
            operation(method, &path).filter(|served| *served != Operation::NotServed)
        };
        let kinds: Vec<_> =
            operations().iter().map(|acs| served(acs).map(|served| std::mem::discriminant(&served))).collect();
        // Each is served, and no two as the same.
        assert!(kinds.iter().all(Option::is_some));
        assert!((1..kinds.len()).all(|at| !kinds[..at].contains(&kinds[at])));
        assert_eq!(names("/a/{b}:c/{d}").collect::<Vec<_>>(), ["b", "d"]);
    }
}
