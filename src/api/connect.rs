//! Tunnels (RFC 9110 §9.3.6) for clients that load files by a name that leads elsewhere: whatever they ask to be
//! connected to, they are connected to this service, and only if they ask for it. Nothing is connected to from here.

use axum::body::Body;
use axum::http::Method;
use axum::http::Request;
use axum::http::Response;
use axum::http::StatusCode;
use axum::http::Uri;
use axum::http::header;
use axum::response::IntoResponse;

/// Returns what is answered to whoever asks for a tunnel: 200 is the only answer behind which there is one. `hosts` are
/// those that this service is known by, with their ports, in lower case.
pub(super) fn answer<B>(request: &Request<B>, hosts: &[String]) -> Response<Body> {
    if request.method() != Method::CONNECT {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "CONNECT")], "only tunnels are here\n")
            .into_response();
    }
    // A body would be taken for what goes through the tunnel, or the other way round.
    let has_body =
        [header::CONTENT_LENGTH, header::TRANSFER_ENCODING].iter().any(|name| request.headers().contains_key(name));
    match is_known(request.uri(), hosts) && !has_body {
        true => StatusCode::OK.into_response(),
        false => (StatusCode::FORBIDDEN, "tunnels lead to this service alone\n").into_response(),
    }
}

/// Host and port, and nothing else, not even a name of somebody's before them.
fn is_known(target: &Uri, hosts: &[String]) -> bool {
    let is_authority = target.scheme().is_none() && target.path_and_query().is_none();
    let asked = target.authority().filter(|_| is_authority).map(|authority| authority.as_str().to_ascii_lowercase());
    asked.is_some_and(|asked| hosts.contains(&asked))
}
