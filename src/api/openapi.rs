//! `/openapi.json`: what can be asked for, and how that may be refused. The routes of `v1` say it of themselves where
//! they are registered; what ACS's clients ask for is told by `acs`.

use std::collections::BTreeMap;

use utoipa::IntoParams;
use utoipa::IntoResponses;
use utoipa::Modify;
use utoipa::OpenApi;
use utoipa::PartialSchema;
use utoipa::ToSchema;
use utoipa::openapi::Content;
use utoipa::openapi::HttpMethod;
use utoipa::openapi::Object;
use utoipa::openapi::ObjectBuilder;
use utoipa::openapi::Ref;
use utoipa::openapi::RefOr;
use utoipa::openapi::Required;
use utoipa::openapi::Response;
use utoipa::openapi::ResponseBuilder;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::header::Header;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::path::OperationBuilder;
use utoipa::openapi::path::Parameter;
use utoipa::openapi::path::ParameterBuilder;
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::ApiKey;
use utoipa::openapi::security::ApiKeyValue;
use utoipa::openapi::security::HttpAuthScheme;
use utoipa::openapi::security::HttpBuilder;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::security::SecurityScheme;

use crate::acs::ErrorDocument;
use crate::acs::documents::RecordingStateDocument;
use crate::acs::documents::ResultDocument;
use crate::acs::openapi;
use crate::acs::openapi::Answer;
use crate::acs::openapi::Field;
use crate::acs::openapi::Form;
use crate::acs::openapi::Told;
use crate::acs::routes::ROUTES;
use crate::acs::start::StartBody;
use crate::api::content::ANY_MEDIA_TYPE;
use crate::api::content::MEDIA_TYPES;
use crate::api::content::METADATA_TYPE;

/// What any operation may be refused with: each has a body that may be too long, and asks somebody who may be busy.
const ANY: [u16; 5] = [400, 401, 429, 500, 503];

const AGAIN: Field = Field {
    name: "Retry-After",
    form: Form::Number(1),
    means: "After how many seconds to ask again.",
    is_required: true,
};
const SIZE: Field = Field {
    name: "Content-Range",
    form: Form::Like("^bytes [*]/[0-9]+$"),
    means: "How long the file is.",
    is_required: true,
};

/// What any operation may be refused with, for annotations of routes.
pub(super) struct Refused;

impl IntoResponses for Refused {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        ANY.iter().map(|status| (status.to_string(), refused(*status).into())).collect()
    }
}

/// What one operation may be refused with besides.
pub(super) struct Also<const STATUS: u16>;

impl<const STATUS: u16> IntoResponses for Also<STATUS> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        const { means(STATUS) };
        BTreeMap::from([(STATUS.to_string(), refused(STATUS).into())])
    }
}

/// That a request has an id, by which it may be made again.
pub(super) struct Repeatable;

impl IntoParams for Repeatable {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![parameter(&openapi::REQUEST_ID, ParameterIn::Header)]
    }
}

impl IntoResponses for Repeatable {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        BTreeMap::from([("400".to_owned(), not_repeated().into())])
    }
}

/// What is the same for all routes.
#[derive(OpenApi)]
#[openapi(
    info(title = "Reelgraph", description = "Records calls: operations of ACS's clients, and the service's own."),
    components(schemas(ErrorDocument, RecordingStateDocument, ResultDocument, StartBody)),
    modifiers(&Common)
)]
struct Document;

struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        for route in &ROUTES {
            let Some(told) = openapi::told(&route.kind()) else { continue };
            document.paths.add_path_operation(route.path, vec![method(route.method)], operation(route.path, told));
        }
        let key = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("An access key, for /api/v1."));
        let made = "HMAC-SHA256, a signature with an access key, as ACS's clients make it: for all.";
        let signature = ApiKey::Header(ApiKeyValue::with_description("Authorization", made));
        let components = document.components.get_or_insert_default();
        document.security = Some(vec![none("key"), none("signature")]);
        components.add_security_scheme("key", SecurityScheme::Http(key.build()));
        components.add_security_scheme("signature", SecurityScheme::ApiKey(signature));
    }
}

/// Returns what is said of all routes but those of `v1`.
pub(super) fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// Returns a scheme that has no scopes.
fn none(scheme: &str) -> SecurityRequirement {
    SecurityRequirement::new::<_, [&str; 0], &str>(scheme, [])
}

/// Returns what it means to be refused with a status.
const fn means(status: u16) -> &'static str {
    match status {
        400 => "The request is not what it should be.",
        401 => "Nobody knows who asks.",
        404 => "There is no such thing, or it is another resource's.",
        405 => "The service does not do this.",
        409 => "It is in a state that does not allow it.",
        416 => "The range is not in the file.",
        429 => "A limit of the resource.",
        500 => "The service failed.",
        503 => "There is no room for it now.",
        _ => panic!("nothing is refused with this status"),
    }
}

fn refused(status: u16) -> Response {
    let document = Content::new(Some(Ref::from_schema_name(ErrorDocument::name())));
    let response = ResponseBuilder::new().description(means(status));
    match status {
        416 => with(response, &[SIZE]),
        429 | 503 => with(response.content("application/json", document), &[AGAIN]),
        _ => response.content("application/json", document),
    }
    .build()
}

/// Returns how a request is refused that cannot be done, or has the id of another one.
fn not_repeated() -> Response {
    with(refused(400).into(), &[openapi::REQUEST_RESULT]).build()
}

fn with(response: ResponseBuilder, headers: &[Field]) -> ResponseBuilder {
    headers.iter().fold(response, |response, field| response.header(field.name, header(field)))
}

fn header(field: &Field) -> Header {
    // What is required has no word of its own here.
    let required = field.is_required.then(|| Extensions::from_iter([("required", true)]));
    HeaderBuilder::new().schema(Some(schema(field.form))).description(Some(field.means)).extensions(required).build()
}

fn parameter(field: &Field, place: ParameterIn) -> Parameter {
    let required = if field.is_required { Required::True } else { Required::False };
    let parameter = ParameterBuilder::new().name(field.name).parameter_in(place).required(required);
    parameter.schema(Some(schema(field.form))).description(Some(field.means)).build()
}

fn schema(form: Form) -> Object {
    let text = ObjectBuilder::new().schema_type(Type::String);
    match form {
        Form::Text => text.build(),
        Form::Like(pattern) => text.pattern(Some(pattern)).build(),
        Form::Number(least) => ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(least)).build(),
    }
}

fn method(verb: &str) -> HttpMethod {
    match verb {
        "POST" => HttpMethod::Post,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

/// Returns an operation of ACS's clients.
fn operation(path: &str, told: Told) -> Operation {
    let mut operation = OperationBuilder::new().tag("acs").summary(Some(told.summary)).security(none("signature"));
    for name in path.split(['{', '}']).skip(1).step_by(2) {
        let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path);
        operation = operation.parameter(parameter.required(Required::True).schema(Some(String::schema())));
    }
    operation = operation.parameter(parameter(&openapi::VERSION, ParameterIn::Query));
    let is_repeatable = told.asked.iter().any(|field| field.name == openapi::REQUEST_ID.name);
    for field in told.asked {
        operation = operation.parameter(parameter(field, ParameterIn::Header));
    }
    let body = told.body.map(|name| {
        let content = Content::new(Some(Ref::from_schema_name(name)));
        RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True)).build()
    });
    operation = operation.request_body(body);
    let done = with(ResponseBuilder::new().description("It is done."), told.headers);
    operation = match told.answer {
        Answer::Nothing => operation.response(told.status, done.build()),
        Answer::Json(name) => {
            let document = Content::new(Some(Ref::from_schema_name(name)));
            operation.response(told.status, done.content("application/json", document).build())
        }
        Answer::File => {
            let part = with(ResponseBuilder::new().description("The range."), told.headers);
            operation.response(told.status, file(done)).response("206", file(with(part, &[openapi::PLACE])))
        }
    };
    for status in ANY.iter().chain(told.refused) {
        operation = operation.response(status.to_string(), refused(*status));
    }
    if is_repeatable {
        operation = operation.response("400", not_repeated());
    }
    operation.build()
}

fn file(response: ResponseBuilder) -> Response {
    let media_types = MEDIA_TYPES.iter().map(|(_, media_type)| *media_type).chain([METADATA_TYPE, ANY_MEDIA_TYPE]);
    media_types.fold(response, |response, kind| response.content(kind, Content::new(None::<Ref>))).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_acs_clients_are_served_is_told() {
        let paths = document().paths;
        for route in &ROUTES {
            let told = paths.get_path_operation(route.path, method(route.method)).expect(route.path);
            assert_eq!(told.tags, Some(vec!["acs".to_owned()]), "{}", route.path);
        }
        let json = serde_json::to_value(&paths).expect("plain data");
        let paths = json.as_object().expect("by path");
        assert_eq!(
            paths.values().map(|path| path.as_object().map_or(0, |path| path.len())).sum::<usize>(),
            ROUTES.len()
        );
    }

    #[test]
    fn headers_are_told_that_are_always_there() {
        let json = serde_json::to_value(document()).expect("plain data");
        let read = ROUTES.iter().find(|route| route.path.ends_with("/{view}")).expect("files can be loaded");
        let content = &json["paths"][read.path]["get"]["responses"];
        for (status, header, is_required) in [
            ("200", "Content-Length", true),
            ("206", "Content-Range", true),
            ("416", "Content-Range", true),
            ("200", "ETag", false),
            ("503", "Retry-After", true),
        ] {
            let told = &content[status]["headers"][header];
            assert!(told["schema"].is_object(), "{status} {header}: {told}");
            assert_eq!(told["required"].as_bool(), is_required.then_some(true), "{status} {header}");
        }
    }
}
