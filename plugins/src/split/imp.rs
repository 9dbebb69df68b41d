//! Glue of `reelsplit`: the sink pad, branches in their order, EOS. When to cut is decided in `limit`.

use std::sync::{LazyLock, Mutex};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;

use crate::lock::lock_anyway;
use crate::messages;
use crate::pads;
use crate::samples;
use crate::samples::Format;
use crate::split::branch::{self, Branch, BranchError};
use crate::split::limit::{Decision, Fill};

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("reelsplit", gst::DebugColorFlags::empty(), Some("Reelgraph: cuts chunks"))
});

/// 0: no limit.
const DEFAULT_MAX_DURATION_NS: u64 = 0;
const DEFAULT_MAX_SIZE: u64 = 0;

#[derive(Debug, Default)]
struct Settings {
    chunk: Option<String>,
    limits: Limits,
}

#[derive(Debug, Clone, Copy, Default)]
struct Limits {
    max_duration: Option<gst::ClockTime>,
    max_size: Option<u64>,
}

#[derive(Debug, Default)]
struct State {
    /// From before the first branch until the element stops: then no branch may come into being any more.
    runs: bool,
    current: Option<Branch>,
    /// Drained, but with sinks that have not said so: branches with a thread of their own.
    draining: Vec<Branch>,
    /// The current branch knows its index.
    told: bool,
    fill: Fill,
    n_chunks: u32,
    samples: u64,
    format: Option<Format>,
    eos: bool,
    eos_posted: bool,
}

/// See the module's documentation.
///
/// Lock order: the sink pad's stream lock, `state`, `settings`. Nothing is held while pushing, building or taking
/// down a branch.
#[derive(Default)]
pub struct ReelSplit {
    settings: Mutex<Settings>,
    state: Mutex<State>,
}

impl ReelSplit {
    fn chain(&self, sinkpad: &gst::Pad, buffer: gst::Buffer) -> Result<gst::FlowSuccess, gst::FlowError> {
        let limits = self.settings.lock().unwrap().limits;
        let State { runs, format, .. } = *self.state.lock().unwrap();
        if !runs {
            return Err(gst::FlowError::Flushing);
        }
        let format = format.ok_or(gst::FlowError::NotNegotiated)?;
        let Some(pts) = buffer.pts() else {
            gst::element_imp_error!(
                self,
                gst::StreamError::Format,
                ("Media without a time-stamp"),
                ["{}: cannot tell where to cut", sinkpad.name()]
            );
            return Err(gst::FlowError::Error);
        };
        let (rate, frame_bytes) = (format.rate, format.frame_bytes());
        let position = samples::position_at(pts, rate);
        let frames = (buffer.size() / frame_bytes) as u64;
        let mut done = 0;
        while done < frames {
            let at = position.saturating_add(done);
            let branch = self.branch(sinkpad, samples::time_of(at, rate))?;
            match self.decide(&branch, limits, frames - done, rate) {
                Decision::Take(take) => {
                    let range = done..done + take;
                    let part = if take == frames {
                        Some(buffer.clone())
                    } else {
                        samples::region(&buffer, frame_bytes, range, at, rate)
                    };
                    branch.pad.push(part.ok_or(gst::FlowError::Error)?)?;
                    done += take;
                    let mut state = self.state.lock().unwrap();
                    state.fill.samples += take;
                    state.samples += take;
                }
                Decision::Cut => self.cut(),
                Decision::Impossible => {
                    gst::element_imp_error!(
                        self,
                        gst::LibraryError::Settings,
                        ("The limits are too small for a chunk to hold anything"),
                        ["{limits:?}"]
                    );
                    return Err(gst::FlowError::Error);
                }
            }
        }
        Ok(gst::FlowSuccess::Ok)
    }

    fn decide(&self, branch: &Branch, limits: Limits, offered: u64, rate: u32) -> Decision {
        let max_samples = limits.max_duration.map(|max| samples::position_at(max, rate));
        let is_sure = self.state.lock().unwrap().fill.is_sure_of(offered);
        // Without a limit too: a WAV file can count no more than 4 GiB.
        let ask = || branch.room(limits.max_size.unwrap_or(u64::MAX));
        let room = if is_sure { None } else { ask() };
        self.state.lock().unwrap().fill.decide(offered, max_samples, limits.max_size, room, rate)
    }

    /// Returns the branch for the sample at `start`, a new one where there is none.
    fn branch(&self, sinkpad: &gst::Pad, start: gst::ClockTime) -> Result<Branch, gst::FlowError> {
        let (current, told) = {
            let mut state = self.state.lock().unwrap();
            (state.current.clone(), std::mem::replace(&mut state.told, true))
        };
        let branch = match current {
            Some(branch) if told => return Ok(branch),
            // Built before the stream began: it has had all events but the one that says which chunk it is.
            Some(branch) => branch,
            None => {
                let opened = self.open().map_err(|error| {
                    gst::element_imp_error!(self, gst::CoreError::Failed, ("A chunk could not be begun"), ["{error}"]);
                    gst::FlowError::Error
                })?;
                let branch = opened.ok_or(gst::FlowError::Flushing)?;
                branch.repeat_sticky_events(sinkpad, start);
                branch
            }
        };
        branch.tell_index();
        Ok(branch)
    }

    /// Builds the next branch and makes it the current one. None when the element has stopped in the meantime.
    fn open(&self) -> Result<Option<Branch>, BranchError> {
        let obj = self.obj();
        let State { runs, n_chunks: index, .. } = *self.state.lock().unwrap();
        if !runs {
            return Ok(None);
        }
        let made = obj.emit_by_name::<Option<gst::Element>>("make-chunk", &[&index]);
        let bin = match (made, self.settings.lock().unwrap().chunk.clone()) {
            (Some(bin), _) => bin,
            (None, Some(description)) => branch::described(&description, index)?,
            (None, None) => {
                let detail = "neither make-chunk nor the property chunk gives one".to_owned();
                return Err(BranchError { index, what: "nobody builds it", detail });
            }
        };
        gst::info!(CAT, imp = self, "chunk {index} begins");
        let branch = Branch::start(obj.upcast_ref(), index, bin)?;
        let mut state = self.state.lock().unwrap();
        if !state.runs {
            // Stopped while it was built.
            drop(state);
            branch.stop(obj.upcast_ref());
            return Ok(None);
        }
        state.current = Some(branch.clone());
        state.fill = Fill::default();
        state.n_chunks += 1;
        Ok(Some(branch))
    }

    /// Ends the current chunk.
    fn cut(&self) {
        let Some(branch) = self.state.lock().unwrap().current.clone() else { return };
        gst::info!(CAT, imp = self, "chunk {} ends", branch.index);
        let will_end = branch.finish();
        let mut state = self.state.lock().unwrap();
        // A branch of chain-only elements is done by now: handle_message has seen its EOS.
        let ended = state.current.take().map(|branch| Branch { done: branch.done || !will_end, ..branch });
        state.draining.extend(ended);
        drop(state);
        self.clean_up();
    }

    /// Takes down the branches that are done.
    fn clean_up(&self) {
        let done: Vec<Branch> = self.state.lock().unwrap().draining.extract_if(.., |branch| branch.done).collect();
        for branch in done {
            branch.stop(self.obj().upcast_ref());
        }
    }

    fn sink_event(&self, pad: &gst::Pad, event: gst::Event) -> bool {
        gst::debug!(CAT, obj = pad, "{event:?}");
        match event.view() {
            gst::EventView::Caps(caps) => {
                let format = Format::from_graph_caps(caps.caps());
                self.state.lock().unwrap().format = format;
                if format.is_none() {
                    gst::debug!(CAT, obj = pad, "refused {:?}", caps.caps());
                    return false;
                }
            }
            gst::EventView::Eos(_) => return self.finish(pad),
            // Media may come again after EOS: it is a chunk of its own, and has its own end.
            gst::EventView::StreamStart(_) | gst::EventView::FlushStop(_) => {
                let mut state = self.state.lock().unwrap();
                (state.eos, state.eos_posted) = (false, false);
            }
            _ => (),
        }
        let current = self.state.lock().unwrap().current.clone();
        let is_flush = matches!(event.type_(), gst::EventType::FlushStart | gst::EventType::FlushStop);
        let is_kept = event.is_sticky() || is_flush;
        match current {
            Some(branch) => branch.pad.push_event(event),
            // What is sticky is kept on the sink pad for the branch to come.
            None => is_kept,
        }
    }

    /// EOS: drains the last branch; a recording without any media still has its one chunk.
    fn finish(&self, pad: &gst::Pad) -> bool {
        let is_nothing_told = !self.state.lock().unwrap().told;
        if is_nothing_told && self.branch(pad, gst::ClockTime::ZERO).is_err() {
            return false;
        }
        self.state.lock().unwrap().eos = true;
        self.cut();
        self.post_eos_when_done();
        true
    }

    fn post_eos_when_done(&self) {
        {
            let mut state = self.state.lock().unwrap();
            let pending = state.current.is_some() || state.draining.iter().any(|branch| !branch.done);
            if !state.eos || state.eos_posted || pending {
                return;
            }
            state.eos_posted = true;
        }
        let _ = self.obj().post_message(gst::message::Eos::builder().src(&*self.obj()).build());
    }

    fn sink_query(&self, pad: &gst::Pad, query: &mut gst::QueryRef) -> bool {
        let current = self.state.lock().unwrap().current.clone();
        match (query.view_mut(), current) {
            (gst::QueryViewMut::Allocation(_), _) => false,
            (gst::QueryViewMut::Caps(caps), Some(branch)) => {
                // A branch may take more than can be cut.
                let allowed = branch.pad.peer_query_caps(Some(&pad.pad_template_caps()));
                let allowed = match caps.filter() {
                    Some(filter) => filter.intersect_with_mode(&allowed, gst::CapsIntersectMode::First),
                    None => allowed,
                };
                caps.set_result(&allowed);
                true
            }
            (gst::QueryViewMut::AcceptCaps(query), Some(branch)) => {
                let caps = query.caps_owned();
                query.set_result(caps.is_subset(&pad.pad_template_caps()) && branch.pad.peer_query_accept_caps(&caps));
                true
            }
            (_, Some(branch)) => branch.pad.peer_query(query),
            (_, None) => gst::Pad::query_default(pad, Some(&*self.obj()), query),
        }
    }

    /// Begins the first chunk: there is one from the start on, whatever may come.
    fn start(&self) -> Result<(), gst::StateChangeError> {
        // Who was pushing when it stopped may have left something since.
        *self.state.lock().unwrap() = State { runs: true, ..State::default() };
        if self.obj().sink_pads().is_empty() {
            return Ok(());
        }
        self.open().map(drop).map_err(|error| {
            gst::element_imp_error!(self, gst::CoreError::Failed, ("The first chunk could not be begun"), ["{error}"]);
            self.stop();
            gst::StateChangeError
        })
    }

    /// Ends what still runs, without draining it, and lets nothing begin any more.
    fn stop(&self) {
        let mut state = self.state.lock().unwrap();
        let mut branches = std::mem::take(&mut state.draining);
        branches.extend(state.current.take());
        *state = State::default();
        drop(state);
        for branch in branches {
            branch.stop(self.obj().upcast_ref());
        }
    }
}

#[glib::object_subclass]
impl ObjectSubclass for ReelSplit {
    const NAME: &'static str = "GstReelSplit";
    type Type = super::ReelSplit;
    type ParentType = gst::Bin;
}

impl ObjectImpl for ReelSplit {
    fn signals() -> &'static [glib::subclass::Signal] {
        static SIGNALS: LazyLock<Vec<glib::subclass::Signal>> = LazyLock::new(|| {
            vec![
                glib::subclass::Signal::builder("make-chunk")
                    .param_types([u32::static_type()])
                    .return_type::<Option<gst::Element>>()
                    .run_last()
                    .accumulator(|_hint, accumulated, value| {
                        let made = matches!(value.get::<Option<gst::Element>>(), Ok(Some(_)));
                        if made {
                            std::ops::ControlFlow::Break(value.clone())
                        } else {
                            std::ops::ControlFlow::Continue(accumulated)
                        }
                    })
                    .build(),
            ]
        });
        &SIGNALS
    }

    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            vec![
                glib::ParamSpecString::builder("chunk")
                    .nick("Chunk")
                    .blurb("The branch of a chunk in the syntax of gst-launch-1.0, where nobody answers make-chunk")
                    .mutable_ready()
                    .build(),
                glib::ParamSpecUInt64::builder("max-duration")
                    .nick("Maximum duration")
                    .blurb("Media that a chunk may hold (ns; 0: no limit)")
                    .maximum(gst::ClockTime::MAX.nseconds())
                    .default_value(DEFAULT_MAX_DURATION_NS)
                    .mutable_playing()
                    .build(),
                glib::ParamSpecUInt64::builder("max-size")
                    .nick("Maximum size")
                    .blurb("Size that a chunk's file may have (bytes; 0: no limit)")
                    .default_value(DEFAULT_MAX_SIZE)
                    .mutable_playing()
                    .build(),
                glib::ParamSpecUInt::builder("index")
                    .nick("Index")
                    .blurb("Index of the current chunk (counted from 0)")
                    .read_only()
                    .build(),
                glib::ParamSpecBoxed::builder::<gst::Structure>("stats")
                    .nick("Statistics")
                    .blurb("Chunks begun and samples per channel passed on since the start")
                    .read_only()
                    .build(),
            ]
        });
        &PROPERTIES
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        let checked = "type checked upstream";
        let number = |value: &glib::Value| Some(value.get::<u64>().expect(checked)).filter(|number| *number > 0);
        let mut settings = lock_anyway(&self.settings);
        match pspec.name() {
            "chunk" => settings.chunk = value.get().expect(checked),
            "max-duration" => settings.limits.max_duration = number(value).map(gst::ClockTime::from_nseconds),
            "max-size" => settings.limits.max_size = number(value),
            name => unreachable!("no writable property {name}"),
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        let limits = lock_anyway(&self.settings).limits;
        let state = lock_anyway(&self.state);
        match pspec.name() {
            "chunk" => lock_anyway(&self.settings).chunk.to_value(),
            "max-duration" => limits.max_duration.map_or(DEFAULT_MAX_DURATION_NS, gst::ClockTime::nseconds).to_value(),
            "max-size" => limits.max_size.unwrap_or(DEFAULT_MAX_SIZE).to_value(),
            "index" => state.n_chunks.saturating_sub(1).to_value(),
            "stats" => gst::Structure::builder(messages::STATS)
                .field("chunks", state.n_chunks)
                .field("samples", state.samples)
                .build()
                .to_value(),
            name => unreachable!("no property {name}"),
        }
    }

    fn constructed(&self) {
        self.parent_constructed();
        let obj = self.obj();
        // It is a sink by itself, whatever branches come and go, and its state is no business of theirs.
        obj.set_suppressed_flags(gst::ElementFlags::SINK | gst::ElementFlags::SOURCE);
        obj.set_element_flags(gst::ElementFlags::SINK);
    }
}

impl GstObjectImpl for ReelSplit {}

impl ElementImpl for ReelSplit {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Reelgraph splitter",
                "Generic/Bin/Sink",
                "Cuts a recording into chunks at the exact sample, each made by a branch of its own",
                "Reelgraph developers",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            vec![pads::template("sink_%u", gst::PadDirection::Sink, gst::PadPresence::Request, &pads::audio_caps())]
        });
        &TEMPLATES
    }

    fn request_new_pad(
        &self,
        template: &gst::PadTemplate,
        _name: Option<&str>,
        _caps: Option<&gst::Caps>,
    ) -> Option<gst::Pad> {
        let obj = self.obj();
        if !obj.sink_pads().is_empty() {
            gst::warning!(CAT, imp = self, "there is one pad: audio");
            return None;
        }
        let pad = gst::PadBuilder::<gst::Pad>::from_template(template)
            .name("sink_0")
            .chain_function(|pad, parent, buffer| {
                let failed = || Err(gst::FlowError::Error);
                Self::catch_panic_pad_function(parent, failed, |imp| imp.chain(pad, buffer))
            })
            .event_function(|pad, parent, event| {
                Self::catch_panic_pad_function(parent, || false, |imp| imp.sink_event(pad, event))
            })
            .query_function(|pad, parent, query| {
                Self::catch_panic_pad_function(parent, || false, |imp| imp.sink_query(pad, query))
            })
            .build();
        pads::add(obj.upcast_ref(), &pad)?;
        Some(pad)
    }

    fn release_pad(&self, pad: &gst::Pad) {
        let _ = pad.set_active(false);
        let _ = self.obj().remove_pad(pad);
    }

    fn send_event(&self, event: gst::Event) -> bool {
        match (event.view(), self.obj().sink_pads().first()) {
            // By way of a branch's sink its state lock would be held until all sources have been sought, and their
            // threads may be just about to take that branch down.
            (gst::EventView::Seek(_), Some(pad)) => pad.push_event(event),
            _ => self.parent_send_event(event),
        }
    }

    fn change_state(&self, transition: gst::StateChange) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        match transition {
            gst::StateChange::ReadyToPaused => self.start()?,
            // Before the pads: GStreamer stops the branches that it finds, then waits for whoever is in a pad, who may
            // have begun one more in between and wait in its sink.
            gst::StateChange::PausedToReady => self.stop(),
            _ => (),
        }
        let changed = self.parent_change_state(transition);
        if transition == gst::StateChange::ReadyToPaused && changed.is_err() {
            self.stop();
        }
        changed
    }
}

impl BinImpl for ReelSplit {
    /// Keeps the branches' EOS inside: the first chunk's would end the pipeline.
    fn handle_message(&self, message: gst::Message) {
        if message.type_() != gst::MessageType::Eos {
            return self.parent_handle_message(message);
        }
        {
            let mut state = self.state.lock().unwrap();
            let State { current, draining, .. } = &mut *state;
            let of_branch = |branch: &&mut Branch| message.src().is_some_and(|src| *src == branch.bin);
            if let Some(branch) = current.iter_mut().chain(draining).find(of_branch) {
                branch.done = true;
            }
        }
        self.post_eos_when_done();
    }
}
