//! What ACS's clients may ask for, in their words: what `/openapi.json` tells of each route. Pure.

use std::borrow::Cow;

use utoipa::ToSchema;

use crate::acs::documents::RecordingStateDocument;
use crate::acs::documents::ResultDocument;
use crate::acs::routes::Operation;
use crate::acs::start::StartBody;

/// A parameter, or a header of a request or an answer.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it looks like.
    pub form: Form,
    /// What it says.
    pub means: &'static str,
    /// It is always there.
    pub is_required: bool,
}

/// What a parameter or a header looks like.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// Any text.
    Text,
    /// Text of this pattern.
    Like(&'static str),
    /// A number, at least that.
    Number(u32),
}

/// What all operations may be asked with.
pub const VERSION: Field = may("api-version", Form::Text, "Any: all are answered alike.");

/// What a request has that may be made again.
pub const REQUEST_ID: Field = may(
    "Repeatability-Request-ID",
    Form::Like("^[!-~]{1,128}$"),
    "Chosen for this request: made again within a day it is answered as the first time, and nothing is done.",
);
const FIRST_SENT: Field = may("Repeatability-First-Sent", Form::Text, "When it was made first: not looked at.");
/// How that is answered.
pub const REQUEST_RESULT: Field = may(
    "Repeatability-Result",
    Form::Like("^(accepted|rejected)$"),
    "Where the request has an id; rejected: another request had it.",
);

const RANGE: Field = may(
    "Range",
    Form::Like("^bytes=([0-9]{1,9}-[0-9]{0,9}|-[0-9]{1,9})$"),
    "One range. Anything else is answered with the whole file.",
);
const RANGES: Field = must("Accept-Ranges", Form::Like("^bytes$"), "Ranges can be asked for.");
const LENGTH: Field = must("Content-Length", Form::Number(0), "Bytes of the answer.");
const TAG: Field = may("ETag", Form::Like("^\"[0-9a-f]{64}\"$"), "SHA-256 of the whole file; metadata has none.");
/// Where in the file a range is.
pub const PLACE: Field = must("Content-Range", Form::Like("^bytes [0-9]+-[0-9]+/[0-9]+$"), "Where the range is.");

const fn may(name: &'static str, form: Form, means: &'static str) -> Field {
    Field { name, form, means, is_required: false }
}

const fn must(name: &'static str, form: Form, means: &'static str) -> Field {
    Field { name, form, means, is_required: true }
}

/// What is told of an operation.
#[derive(Debug)]
pub struct Told {
    /// What it does.
    pub summary: &'static str,
    /// Name of its body's schema.
    pub body: Option<Cow<'static, str>>,
    /// Headers that it may be asked with.
    pub asked: &'static [Field],
    /// Status of the answer when it is done.
    pub status: &'static str,
    /// What is in that answer.
    pub answer: Answer,
    /// Headers of that answer.
    pub headers: &'static [Field],
    /// What it may be refused with, beside what any operation may.
    pub refused: &'static [u16],
}

/// What is in an answer.
#[derive(Debug)]
pub enum Answer {
    /// Nothing.
    Nothing,
    /// JSON, with the name of its schema.
    Json(Cow<'static, str>),
    /// A file, or a range of it.
    File,
}

/// Returns what is told of an operation; None of those that are not served.
pub fn told(operation: &Operation) -> Option<Told> {
    let told = |summary, status, answer, refused| Told {
        summary,
        body: None,
        asked: &[],
        status,
        answer,
        headers: &[],
        refused,
    };
    let state = || Answer::Json(RecordingStateDocument::name());
    Some(match operation {
        Operation::Start => Told {
            body: Some(StartBody::name()),
            asked: &[REQUEST_ID, FIRST_SENT],
            headers: &[REQUEST_RESULT],
            ..told("Starts a recording.", "200", state(), &[404, 405])
        },
        Operation::State(_) => told("Tells how a recording is doing.", "200", state(), &[404]),
        Operation::Pause(_) => told("Pauses a recording.", "202", Answer::Nothing, &[404, 409]),
        Operation::Resume(_) => told("Lets a recording go on.", "202", Answer::Nothing, &[404, 409]),
        Operation::Stop(_) => told("Stops a recording.", "204", Answer::Nothing, &[404]),
        Operation::Result(_) => {
            told("Tells what is stored of it.", "200", Answer::Json(ResultDocument::name()), &[404])
        }
        Operation::Read { .. } => Told {
            asked: &[RANGE],
            headers: &[RANGES, LENGTH, TAG],
            ..told("Loads a file, or a range.", "200", Answer::File, &[404, 416])
        },
        Operation::Delete(_) => told("Deletes a file and its metadata.", "200", Answer::Nothing, &[404]),
        Operation::NotServed => return None,
    })
}
