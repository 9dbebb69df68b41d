//! From text to plan, or to everything that is wrong with it.

use std::path::Path;

use crate::graph::check::caps;
use crate::graph::check::cycle;
use crate::graph::check::draft::Draft;
use crate::graph::check::elements as element_rules;
use crate::graph::check::gate;
use crate::graph::check::header;
use crate::graph::check::links;
use crate::graph::check::names;
use crate::graph::check::outputs;
use crate::graph::check::properties;
use crate::graph::check::sinks;
use crate::graph::check::sources;
use crate::graph::check::splitter;
use crate::graph::elements::Elements;
use crate::graph::error::GraphError;
use crate::graph::error::GraphErrorKind;
use crate::graph::plan::Plan;
use crate::graph::read::read;
use crate::graph::report::Report;
use crate::graph::spec::HeaderSpec;
use crate::graph::spec::Place;
use crate::model::Bytes;
use crate::model::Media;
use crate::model::text::TEXT_SIZE_MAX;

/// Checks a graph against the installed elements and returns what is to be built.
///
/// `file_name` is how errors name the file; the plan has its name without directory and extension. Never panics,
/// whatever the text is.
///
/// # Errors
///
/// Every error that the file has, in file order. Where it is not valid TOML, rules that need the whole file (what is
/// linked to what) wait until it is.
pub fn check(file_name: &str, text: &str, elements: &dyn Elements) -> Result<Plan, Vec<GraphError>> {
    let mut report = Report::new(file_name);
    let size = Bytes::new(text.len() as u64);
    if size > TEXT_SIZE_MAX {
        report.add(Place::START, None, GraphErrorKind::TooBig { size, max: TEXT_SIZE_MAX });
        return Err(report.finish());
    }
    let spec = read(text, &mut report);
    let media = check_media(&spec.header, &mut report);
    names::check_names(&spec, &mut report);
    let mut draft = Draft::new(&spec);
    element_rules::check_elements(&mut draft, elements, &mut report);
    properties::check_properties(&mut draft, elements, &mut report);
    caps::check_parseable(&draft, elements, &mut report);
    splitter::check_limits(&draft, &mut report);
    if !spec.is_whole {
        return Err(report.finish());
    }

    sinks::resolve_sinks(&mut draft, &mut report);
    sources::resolve_sources(&mut draft, &mut report);
    splitter::check_splitter(&draft, &mut report);
    splitter::check_chunk(&draft, &mut report);
    element_rules::check_threads(&draft, &mut report);
    element_rules::check_aggregators(&draft, &mut report);
    element_rules::check_waiting(&draft, &mut report);
    links::check_taken_sinks(&draft, &mut report);
    links::check_taken_srcs(&draft, &mut report);
    links::check_unlinked_sinks(&draft, &mut report);
    outputs::check_unlinked_srcs(&draft, &mut report);
    outputs::check_never_recorded(&draft, &mut report);
    outputs::check_doors(&draft, &mut report);
    cycle::check_cycles(&draft, &mut report);
    gate::check_gates(&draft, &mut report);
    caps::check_links(&draft, elements, &mut report);
    header::check_format(&draft, elements, &mut report);
    header::check_channel(&draft, &mut report);
    header::check_fed(&draft, elements, &mut report);
    match media {
        Some(media) if report.is_empty() => Ok(draft.into_plan(stem(file_name), media)),
        _ => Err(report.finish()),
    }
}

fn check_media(header: &HeaderSpec, report: &mut Report) -> Option<Media> {
    let media = Media::new(header.content?, header.channel?, header.format?);
    media.map_err(|error| report.add(header.place, Some("graph"), error)).ok()
}

fn stem(file_name: &str) -> &str {
    Path::new(file_name).file_stem().and_then(|stem| stem.to_str()).unwrap_or(file_name)
}
