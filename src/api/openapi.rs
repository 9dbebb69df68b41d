//! `/openapi.json`: what can be asked for. The routes of `v1` say it of themselves where they are registered; what
//! ACS's clients ask for is told by `acs`.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::Modify;
use utoipa::OpenApi;
use utoipa::openapi::RefOr;
use utoipa::openapi::Response;
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
use crate::acs::start::StartBody;

/// Refusals, for annotations of routes.
pub(super) struct Refused;

impl IntoResponses for Refused {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        openapi::refusals()
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
        openapi::add_paths(&mut document.paths);
        let key = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("An access key, for /api/v1."));
        let made = "HMAC-SHA256, a signature with an access key, as ACS's clients make it: for all.";
        let signature = ApiKey::Header(ApiKeyValue::with_description("Authorization", made));
        let components = document.components.get_or_insert_default();
        document.security = Some(vec![none("key"), none("signature")]);
        components.add_security_scheme("key", SecurityScheme::Http(key.build()));
        components.add_security_scheme("signature", SecurityScheme::ApiKey(signature));
    }
}

/// Returns a scheme that has no scopes.
fn none(scheme: &str) -> SecurityRequirement {
    SecurityRequirement::new::<_, [&str; 0], &str>(scheme, [])
}

/// Returns what is said of all routes but those of `v1`.
pub(super) fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}
