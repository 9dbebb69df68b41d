//! A pipeline that records: driven by ticks, one thread at a time.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gst::prelude::*;
use gstreel::GateMode;
use gstreel::ReelSrc;

use crate::graph::Limits;
use crate::graph::Node;
use crate::graph::Plan;
use crate::graph::Scope;
use crate::graph::Source;
use crate::model::ParticipantNumber;
use crate::model::PauseMode;
use crate::pipeline::AudioCounts;
use crate::pipeline::Dot;
use crate::pipeline::PipelineError;
use crate::pipeline::build;
use crate::pipeline::build::Made;
use crate::pipeline::build::MadeNodes;
use crate::pipeline::chunk;
use crate::pipeline::delay;
use crate::pipeline::event;
use crate::pipeline::event::Event;
use crate::pipeline::name::Instance;
use crate::pipeline::participant::Participant;
use crate::pipeline::refusal::refused;

/// Messages that mean something to a recording; all others are thrown away unread.
const MESSAGES: [gst::MessageType; 3] = [gst::MessageType::Element, gst::MessageType::Error, gst::MessageType::Eos];

/// Names of elements that are no node's. No node can have them: a node's name begins with a letter.
const DOORS: &str = "@doors";
const TIMELINE: &str = "@timeline";

/// Property of `reelmixer`.
const POST_LEVELS: &str = "post-levels";

/// What a recording wants of its pipeline beside the plan.
pub struct Options {
    /// Returns the file that a chunk is written to; called on the thread that pushes.
    pub chunk_file: Box<dyn Fn(u32) -> PathBuf + Send + Sync>,
    /// When a chunk ends; in place of the plan's.
    pub limits: Limits,
    /// What a pause leaves.
    pub pause_mode: PauseMode,
    /// Channels kept for participants who are to come with a pin.
    pub reserved_channels: Vec<u32>,
}

/// Where a pause begins or ends, in recording time.
#[derive(Debug, Clone, Copy)]
enum Edge {
    Pause(gst::ClockTime),
    Resume(gst::ClockTime),
}

impl Edge {
    fn set_on(self, element: &gst::Element) {
        let (property, at) = match self {
            Self::Pause(at) => ("pause-at", at),
            Self::Resume(at) => ("resume-at", at),
        };
        element.set_property(property, at.nseconds());
    }
}

/// A pipeline that records.
pub struct Running {
    pipeline: gst::Pipeline,
    bus: gst::Bus,
    plan: Arc<Plan>,
    src: ReelSrc,
    recording: MadeNodes,
    participants: BTreeMap<u32, Participant>,
    /// All pauses so far, for whoever joins.
    edges: Vec<Edge>,
    /// What a foreign element of a participant's branch holds back, as found out.
    measured_latency: gst::ClockTime,
    latency: gst::ClockTime,
    /// It did not end in time: somebody in it waits for what may never come.
    is_stuck: bool,
    /// Why the last branch could not be built.
    branch_error: Arc<Mutex<Option<PipelineError>>>,
}

impl Running {
    /// Builds the pipeline of a plan and starts it; its first file is there when its format is known.
    ///
    /// # Errors
    ///
    /// What the first element that does not fit says.
    pub fn build(plan: Arc<Plan>, options: Options) -> Result<Self, PipelineError> {
        let measured_latency = delay::measure(&plan)?;
        let pipeline = gst::Pipeline::with_name(&plan.name);
        // Time comes with each push: nobody in here may wait for a clock.
        pipeline.use_clock(gst::Clock::NONE);
        let bus = pipeline.bus().expect("every pipeline has a bus");
        let no_door = || PipelineError::NoElement { node: TIMELINE.to_owned(), element: "reelsrc".to_owned() };
        let src = gst::ElementFactory::make("reelsrc").name(DOORS).build().map_err(|_| no_door())?;
        let src = src.downcast::<ReelSrc>().map_err(|_| no_door())?;
        let _ = pipeline.add(&src);
        let mut running = Self {
            pipeline,
            bus,
            plan,
            src,
            recording: MadeNodes::new(),
            participants: BTreeMap::new(),
            edges: Vec::new(),
            measured_latency,
            latency: gst::ClockTime::ZERO,
            is_stuck: false,
            branch_error: Arc::default(),
        };
        let pins = options.reserved_channels.clone();
        running.build_recording(options)?;
        running.check_pins(&pins)?;
        running.raise_latency(measured_latency);
        running.play()?;
        Ok(running)
    }

    /// Returns who draws it, for as long as it is there.
    pub fn dot(&self) -> Dot {
        Dot::new(&self.pipeline)
    }

    fn build_recording(&mut self, options: Options) -> Result<(), PipelineError> {
        let plan = Arc::clone(&self.plan);
        let timeline = self.timeline()?;
        for node in plan.scope_nodes(Scope::Recording) {
            let made = Made::new(node, Instance::Recording)?;
            made.add_to(self.pipeline.upcast_ref(), node)?;
            for link in &node.links {
                let src = match &link.from {
                    Source::Timeline => match &timeline {
                        Some(tee) => tee.request_pad_simple("src_%u"),
                        None => self.src.static_pad("timeline"),
                    },
                    Source::Node { id, pad } => match self.recording.get(id) {
                        Some(from) => from.src_pad(pad),
                        // A participant's node: linked when somebody joins.
                        None => continue,
                    },
                    _ => None,
                };
                build::link(node, src, made.sink_pad(&link.to, 0))?;
            }
            made.link_filter(node)?;
            self.recording.insert(node.id, made);
        }
        for (node, element) in self.made(plan.joins()) {
            self.set_up_join(node, element, &options);
        }
        for (_, gate) in self.made(plan.gates()) {
            gate.set_property("mode", gate_mode(options.pause_mode));
        }
        self.set_up_splitter(options);
        Ok(())
    }

    /// Returns a tee behind the door's pad where more than one node is told how far the recording has come.
    fn timeline(&self) -> Result<Option<gst::Element>, PipelineError> {
        if self.plan.joins().count() < 2 {
            return Ok(None);
        }
        let no_tee = |_| PipelineError::NoElement { node: TIMELINE.to_owned(), element: "tee".to_owned() };
        let tee = gst::ElementFactory::make("tee").name(TIMELINE).build().map_err(no_tee)?;
        let linked = self.pipeline.add(&tee).and_then(|()| self.src.link_pads(Some("timeline"), &tee, None));
        linked.map_err(|e| PipelineError::Link { node: TIMELINE.to_owned(), detail: e.to_string() })?;
        Ok(Some(tee))
    }

    /// Returns those of the plan's nodes that are in the recording, with their elements.
    fn made<'a>(&'a self, nodes: impl Iterator<Item = &'a Node>) -> impl Iterator<Item = (&'a Node, &'a gst::Element)> {
        nodes.filter_map(|node| Some((node, &self.recording.get(&node.id)?.element)))
    }

    /// Tells an element that joins participants what it cannot know by itself.
    fn set_up_join(&self, node: &Node, element: &gst::Element, options: &Options) {
        if let Some(rate) = self.rate_into(node) {
            build::set_where_there(element, "rate", rate);
        }
        let channels = options.reserved_channels.iter().map(|channel| *channel as i32);
        build::set_where_there(element, "reserved-channels", gst::Array::new(channels));
        // Nobody reads levels, and those of a pause would stand in a trace log of the bus.
        let is_wanted = node.properties.iter().any(|(property, _)| property == POST_LEVELS);
        if !is_wanted {
            build::set_where_there(element, POST_LEVELS, false);
        }
    }

    fn check_pins(&self, pins: &[u32]) -> Result<(), PipelineError> {
        let joins = self.made(self.plan.joins()).map(|(_, element)| element);
        let with_channels = joins.filter(|join| join.has_property_with_type("max-channels", u32::static_type()));
        let n_channels = with_channels.map(|join| join.property("max-channels")).max().unwrap_or(0);
        match pins.iter().find(|channel| **channel >= n_channels) {
            Some(channel) => Err(PipelineError::Pin { channel: *channel, n_channels }),
            None => Ok(()),
        }
    }

    /// Returns the sample rate that the graph gives, however far before it, to what goes into a node, so that a
    /// recording to which nobody has come yet is of the right rate.
    fn rate_into(&self, node: &Node) -> Option<u32> {
        node.links.iter().find_map(|link| match &link.from {
            Source::Node { id, .. } => {
                let from = self.plan.node(*id);
                from.caps.as_deref().and_then(rate_of).or_else(|| self.rate_into(from))
            }
            _ => None,
        })
    }

    fn set_up_splitter(&self, options: Options) {
        let Some(splitter) = self.recording.get(&self.plan.splitter().id).map(|made| &made.element) else { return };
        let nanoseconds = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        splitter.set_property("max-duration", options.limits.max_duration.map_or(0, nanoseconds));
        splitter.set_property("max-size", options.limits.max_size.map_or(0, |size| size.get()));
        let (plan, failed) = (Arc::clone(&self.plan), Arc::clone(&self.branch_error));
        splitter.connect("make-chunk", false, move |arguments| {
            let index = arguments.get(1).and_then(|index| index.get::<u32>().ok()).unwrap_or_default();
            let branch = chunk::branch(&plan, index, &(options.chunk_file)(index));
            let branch = branch.inspect_err(|error| *failed.lock().unwrap() = Some(error.clone())).ok();
            Some(branch.map(|bin| bin.upcast::<gst::Element>()).to_value())
        });
    }

    /// Returns the plan's name.
    pub fn graph(&self) -> &str {
        &self.plan.name
    }

    fn play(&mut self) -> Result<(), PipelineError> {
        if self.pipeline.set_state(gst::State::Playing).is_ok() {
            return Ok(());
        }
        let failed = self.events().into_iter().find_map(|event| match event {
            Event::Failed(error) => Some(error),
            _ => None,
        });
        Err(failed.unwrap_or(PipelineError::State { node: "pipeline".to_owned() }))
    }

    /// Builds the branch of a participant. `pin`: the channel that the participant must have, if the graph has any.
    pub fn join(&mut self, participant: ParticipantNumber, pin: Option<u32>) -> Result<(), PipelineError> {
        let branch = Participant::join(&self.plan, &self.pipeline, &self.src, &self.recording, participant, pin)?;
        for decoder in branch.decoders(&self.plan) {
            self.edges.iter().for_each(|edge| edge.set_on(decoder));
        }
        self.participants.insert(participant, branch);
        Ok(())
    }

    /// Pushes a participant's frames of one tick, PTS in recording time.
    ///
    /// # Errors
    ///
    /// The branch refuses them: [`Event::ParticipantFailed`] says why, where an element said it. The recording goes on.
    pub fn push(
        &mut self,
        participant: ParticipantNumber,
        caps: &gst::Caps,
        frames: gst::BufferList,
    ) -> Result<(), PipelineError> {
        let Some(branch) = self.participants.get_mut(&participant) else { return Ok(()) };
        let door = || format!("@audio of participant {participant}");
        let blame = |flow| refused(&self.plan, &self.pipeline, &door(), Some(participant), flow);
        let pushed = self.src.push(&branch.audio, caps, frames).map_err(blame);
        if branch.caps.as_ref() != Some(caps) {
            branch.caps = Some(caps.clone());
            // Known only now that the branch has seen what comes.
            let latency = branch.told_latency() + self.measured_latency;
            self.raise_latency(latency);
        }
        pushed.map(|_| ())
    }

    /// Lets the joining elements stay behind as far as the slowest branch. Never less than before: what has been
    /// sent cannot be taken back.
    fn raise_latency(&mut self, latency: gst::ClockTime) {
        self.latency = self.latency.max(latency);
        for (_, join) in self.made(self.plan.joins()) {
            build::set_where_there(join, "latency", self.latency.nseconds());
        }
    }

    /// Returns what a participant's decoders have counted so far, and how loud the participant is now, in dBFS (RMS of
    /// about 300 ms; silence, as in a pause, is −200).
    pub fn audio(&self, participant: ParticipantNumber) -> (AudioCounts, Option<f64>) {
        let mut counts = AudioCounts::default();
        let branch = self.participants.get(&participant);
        let decoders = branch.into_iter().flat_map(|branch| branch.decoders(&self.plan));
        let level = decoders.filter_map(|decoder| counts.add(decoder)).reduce(f64::max);
        (counts, level)
    }

    /// Says that a participant has no media from `start` (recording time) on, for `duration`; `lost`: something was
    /// lost there, which the next frame will tell the end of.
    pub fn gap(&mut self, participant: ParticipantNumber, start: gst::ClockTime, duration: gst::ClockTime, lost: bool) {
        if let Some(branch) = self.participants.get(&participant) {
            self.src.gap(&branch.audio, start, duration, lost);
        }
    }

    /// Ends a participant's media: what the branch holds back comes out. The participant stays until [`Self::leave`].
    pub fn end_track(&mut self, participant: ParticipantNumber) {
        if let Some(branch) = self.participants.get(&participant) {
            self.src.end_track(&branch.audio);
        }
    }

    /// Takes a participant's branch away; ends its media first.
    pub fn leave(&mut self, participant: ParticipantNumber) {
        self.end_track(participant);
        if let Some(branch) = self.participants.remove(&participant) {
            branch.take_down(&self.pipeline, &self.src);
        }
    }

    /// Pauses at recording time `at`, all media at the same instant. None from there on may have been pushed yet.
    pub fn pause(&mut self, at: gst::ClockTime) {
        self.tell(Edge::Pause(at));
    }

    /// Resumes at recording time `at`. No media from there on may have been pushed yet.
    pub fn resume(&mut self, at: gst::ClockTime) {
        self.tell(Edge::Resume(at));
    }

    fn tell(&mut self, edge: Edge) {
        self.edges.push(edge);
        let gates = self.made(self.plan.gates()).map(|(_, gate)| gate);
        let decoders = self.participants.values().flat_map(|branch| branch.decoders(&self.plan));
        gates.chain(decoders).for_each(|element| edge.set_on(element));
    }

    /// Says that all media before `horizon` has been pushed: everything works down to the file before this returns.
    ///
    /// # Errors
    ///
    /// The recording cannot go on. [`Event::Failed`] says more, where an element said it.
    pub fn advance(&self, horizon: gst::ClockTime) -> Result<(), PipelineError> {
        let blame = |flow| refused(&self.plan, &self.pipeline, TIMELINE, None, flow);
        self.src.advance(horizon).map_err(blame)
    }

    /// Returns what the pipeline has said since the last call.
    pub fn events(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(message) = self.bus.pop_filtered(&MESSAGES) {
            events.extend(event::read(&message, &self.pipeline));
        }
        // A branch is built when the one before it has ended, and that has told its end.
        events.extend(self.branch_error.lock().unwrap().take().map(Event::Failed));
        events
    }

    /// Ends the recording and returns the last events; waits `deadline` at most for branches with threads of their
    /// own.
    pub fn stop(&mut self, deadline: Duration) -> Vec<Event> {
        self.src.end();
        let until = Instant::now() + deadline;
        let mut events = self.events();
        while !events.iter().any(|event| matches!(event, Event::Ended | Event::Failed(_))) {
            let left = until.saturating_duration_since(Instant::now());
            let left = gst::ClockTime::try_from(left).unwrap_or(gst::ClockTime::ZERO);
            let Some(message) = self.bus.timed_pop_filtered(left, &MESSAGES) else {
                self.is_stuck = true;
                events.push(Event::Failed(PipelineError::StopTimeout { seconds: deadline.as_secs() }));
                break;
            };
            events.extend(event::read(&message, &self.pipeline));
        }
        events
    }

    /// Returns samples that the joining elements could not place, since the start, and how long they are.
    pub fn lost(&self) -> (u64, Duration) {
        let fields = ["late-samples", "overlapping-samples", "ahead-samples"];
        let joins = self.made(self.plan.joins()).map(|(_, element)| element);
        let joins = joins.filter(|join| join.has_property_with_type("stats", gst::Structure::static_type()));
        joins.fold((0, Duration::ZERO), |(n, length), join| {
            let stats = join.property::<gst::Structure>("stats");
            let n_here: u64 = fields.iter().filter_map(|field| stats.get::<u64>(*field).ok()).sum();
            // Without caps nothing has come that could be lost.
            let caps = join.static_pad("src").and_then(|pad| pad.current_caps());
            let rate = caps.and_then(|caps| caps.structure(0)?.get::<i32>("rate").ok()).unwrap_or(0).max(1);
            (n + n_here, length + Duration::from_secs_f64(n_here as f64 / f64::from(rate)))
        })
    }
}

fn rate_of(caps: &str) -> Option<u32> {
    let rate = caps.parse::<gst::Caps>().ok()?.structure(0)?.get::<i32>("rate").ok()?;
    u32::try_from(rate).ok()
}

fn gate_mode(mode: PauseMode) -> GateMode {
    match mode {
        PauseMode::Skip => GateMode::Skip,
        PauseMode::Silence => GateMode::Silence,
        PauseMode::Tone => GateMode::Tone,
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let stop = |pipeline: &gst::Pipeline| {
            let _ = pipeline.set_state(gst::State::Null);
        };
        // Whoever is stuck would keep whoever waits for it.
        if self.is_stuck { self.pipeline.call_async(stop) } else { stop(&self.pipeline) }
    }
}
