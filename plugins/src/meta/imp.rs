//! Glue of `reelmeta`: pads and events. The counting is in `tally`.

use std::sync::{LazyLock, Mutex};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;

use crate::lock::lock_anyway;
use crate::messages;
use crate::meta::tally::Tally;
use crate::pairs;
use crate::pairs::Pair;
use crate::samples::Format;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("reelmeta", gst::DebugColorFlags::empty(), Some("Reelgraph: knows what a chunk holds"))
});

/// The pair whose media is counted: that of `sink_0`.
const COUNTED: u32 = 0;

#[derive(Debug, Default)]
struct State {
    tally: Tally,
    /// None where the media is not raw audio.
    format: Option<Format>,
    /// The chunk has been told: what comes with another stream-start is not part of it.
    ended: bool,
}

/// See the module's documentation. `state` is not held while pushing or posting.
#[derive(Default)]
pub struct ReelMeta {
    state: Mutex<State>,
}

impl ReelMeta {
    fn chain(&self, pair: &Pair, buffer: gst::Buffer) -> Result<gst::FlowSuccess, gst::FlowError> {
        if pair.index == COUNTED {
            let mut state = self.state.lock().unwrap();
            if let Some(format) = state.format {
                let frames = (buffer.size() / format.frame_bytes()) as u64;
                state.tally.audio(buffer.pts(), frames);
            }
        }
        pair.src.push(buffer)
    }

    fn sink_event(&self, pad: &gst::Pad, pair: &Pair, event: gst::Event) -> bool {
        gst::debug!(CAT, obj = pad, "{event:?}");
        let srcpad = &pair.src;
        if pair.index != COUNTED {
            return srcpad.push_event(event);
        }
        match event.view() {
            gst::EventView::Caps(caps) => self.take_caps(caps.caps()),
            gst::EventView::CustomDownstreamSticky(custom) => {
                if let Some(Err(error)) = custom.structure().map(|s| self.take_custom(s)) {
                    gst::warning!(CAT, obj = pad, "{error}");
                }
            }
            gst::EventView::Eos(_) => return self.finish(srcpad, event),
            gst::EventView::FlushStop(_) => self.state.lock().unwrap().tally.flush(),
            gst::EventView::StreamStart(_) => {
                let mut state = self.state.lock().unwrap();
                if std::mem::take(&mut state.ended) {
                    state.tally.flush();
                }
            }
            _ => (),
        }
        srcpad.push_event(event)
    }

    fn take_caps(&self, caps: &gst::CapsRef) {
        let mut state = self.state.lock().unwrap();
        state.format = Format::from_caps(caps);
        if let Some(format) = state.format {
            state.tally.format(format.rate, format.channels);
        }
    }

    fn take_custom(&self, s: &gst::StructureRef) -> Result<(), messages::UnreadableStructure> {
        let tally = &mut self.state.lock().unwrap().tally;
        match s.name().as_str() {
            messages::ChunkStart::NAME => tally.begin(messages::ChunkStart::read(s)?.index),
            messages::Gate::NAME => tally.gate(messages::Gate::read(s)?),
            messages::Channels::NAME => tally.map(messages::Channels::read(s)?),
            _ => (),
        }
        Ok(())
    }

    fn finish(&self, srcpad: &gst::Pad, eos: gst::Event) -> bool {
        let chunk = {
            let mut state = self.state.lock().unwrap();
            state.ended = true;
            state.tally.finish()
        };
        srcpad.push_event(messages::ChunkEnd { samples: chunk.samples }.event());
        // Before EOS: who waits for EOS on the bus need not look again.
        let message = gst::message::Element::builder(chunk.structure()).src(&*self.obj()).build();
        let _ = self.obj().post_message(message);
        srcpad.push_event(eos)
    }
}

#[glib::object_subclass]
impl ObjectSubclass for ReelMeta {
    const NAME: &'static str = "GstReelMeta";
    type Type = super::ReelMeta;
    type ParentType = gst::Element;
}

impl ObjectImpl for ReelMeta {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            vec![
                glib::ParamSpecBoxed::builder::<gst::Structure>("stats")
                    .nick("Statistics")
                    .blurb("Samples per channel that have passed since the start of the chunk")
                    .read_only()
                    .build(),
            ]
        });
        &PROPERTIES
    }

    fn property(&self, _id: usize, _pspec: &glib::ParamSpec) -> glib::Value {
        let samples = lock_anyway(&self.state).tally.samples();
        gst::Structure::builder(messages::STATS).field("samples", samples).build().to_value()
    }
}

impl GstObjectImpl for ReelMeta {}

impl ElementImpl for ReelMeta {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Reelgraph metadata",
                "Generic/Metadata",
                "Counts what a chunk of a recording holds and says so at its end",
                "Reelgraph developers",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| pairs::templates(&gst::Caps::new_any()));
        &TEMPLATES
    }

    fn request_new_pad(
        &self,
        template: &gst::PadTemplate,
        name: Option<&str>,
        _caps: Option<&gst::Caps>,
    ) -> Option<gst::Pad> {
        let chain = |_: &gst::Pad, pair: &Pair, parent: Option<&gst::Object>, buffer| {
            Self::catch_panic_pad_function(parent, || Err(gst::FlowError::Error), |imp| imp.chain(pair, buffer))
        };
        let sink_event = |pad: &gst::Pad, pair: &Pair, parent: Option<&gst::Object>, event| {
            Self::catch_panic_pad_function(parent, || false, |imp| imp.sink_event(pad, pair, event))
        };
        pairs::request(self.obj().upcast_ref(), template, name, chain, sink_event).map(|(_, sink)| sink)
    }

    fn release_pad(&self, pad: &gst::Pad) {
        pairs::release(self.obj().upcast_ref(), pad);
    }

    fn change_state(&self, transition: gst::StateChange) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        let success = self.parent_change_state(transition)?;
        if transition == gst::StateChange::PausedToReady {
            *self.state.lock().unwrap() = State::default();
        }
        Ok(success)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A panic on a pad is posted, and its recording ends; that of a getter would end the process.
    #[test]
    fn what_a_panic_left_can_be_read() {
        gst::init().expect("GStreamer starts");
        let element = glib::Object::new::<crate::meta::ReelMeta>();
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut state = element.imp().state.lock().unwrap();
            state.tally.audio(None, 160);
            panic!("one that the test wants");
        }));
        assert!(panic.is_err() && element.imp().state.is_poisoned());
        assert_eq!(element.property::<gst::Structure>("stats").get::<u64>("samples"), Ok(160));
    }
}
