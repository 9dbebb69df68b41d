//! A body that tells when it has been sent.

use std::pin::Pin;
use std::task::Context;
use std::task::Poll;

use axum::body::Body;
use axum::body::HttpBody;
use bytes::Bytes;
use http_body::Frame;
use http_body::SizeHint;

use crate::api::connections::Busy;

/// The body of an answer; its connection is busy until it is dropped.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) body: Body,
    pub(super) _busy: Busy,
}

impl HttpBody for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
