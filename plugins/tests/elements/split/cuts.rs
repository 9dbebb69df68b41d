//! Where it cuts, and what a branch gets before its first sample.

use gst::prelude::*;
use gstreel::messages::{Chunk as Told, ChunkStart, Room};

use crate::rig::{Item, MONO, RATE, Rig, buffer, ms, time};
use crate::split::chunks::{PLAIN, Splitter, push, push_all};

#[test]
fn a_limit_in_the_middle_of_a_buffer_is_met_to_the_sample() {
    // 62 500 001 ns are nearest to 1 000 samples.
    for n in [160, 333, 1_000, 1_600, 2_500, 5_000] {
        let splitter = Splitter::new(&[("max-duration", "62500001")], PLAIN);
        let mut input = splitter.rig.mono("sink_0");
        push_all(&mut input, 4_321, n);
        splitter.check(&[1_000, 1_000, 1_000, 1_000, 321]);
        for (index, chunk) in splitter.chunks().iter().enumerate() {
            assert_eq!(chunk.first_pts(), Some(time(1_000 * index as u64, RATE)));
        }
        assert_eq!((splitter.rig.stat("chunks"), splitter.rig.stat("samples")), (5, 4_321));
        assert_eq!(splitter.rig.element.property::<u32>("index"), 4);
    }
}

#[test]
fn a_chunk_of_one_sample_is_a_chunk() {
    let splitter = Splitter::new(&[("max-duration", "62500")], PLAIN);
    let mut input = splitter.rig.mono("sink_0");
    assert!(push(&mut input, 12, 0).is_ok());
    splitter.check(&[1; 12]);
}

/// A branch whose sink has room for 1 000 samples when it is asked for files of `max_size` bytes.
fn branch_with_room(max_size: u64) -> Option<gst::Bin> {
    let bin = gst::parse::bin_from_description("identity ! fakesink name=sink sync=false async=false", true).ok()?;
    let pad = bin.by_name("sink")?.static_pad("sink")?;
    pad.add_probe(gst::PadProbeType::QUERY_DOWNSTREAM, move |_, info| {
        let Some(gst::PadProbeData::Query(query)) = &mut info.data else { return gst::PadProbeReturn::Ok };
        let gst::QueryViewMut::Custom(query) = query.view_mut() else { return gst::PadProbeReturn::Ok };
        if query.structure().map(Room::max_size) != Some(Ok(max_size)) {
            return gst::PadProbeReturn::Ok;
        }
        Room::Samples { samples: 1_000, rate: RATE }.answer(query.structure_mut());
        gst::PadProbeReturn::Handled
    });
    Some(bin)
}

/// A WAV file ends at 4 GiB, whether anybody has set a limit or not.
#[test]
fn without_a_limit_it_cuts_where_the_sink_says_that_its_file_is_full() {
    for (limit, asked) in [("0", u64::MAX), ("5000", 5_000)] {
        let splitter = Splitter::with(&[("max-size", limit)], move |_| branch_with_room(asked));
        let mut input = splitter.rig.mono("sink_0");
        push_all(&mut input, 2_500, 1_600);
        splitter.check(&[1_000, 1_000, 500]);
    }
}

#[test]
fn a_full_chunk_is_cut_by_the_next_sample_not_before() {
    let splitter = Splitter::new(&[("max-duration", "100000000")], PLAIN);
    let mut input = splitter.rig.mono("sink_0");
    push_all(&mut input, 1_600, 1_600);
    splitter.check(&[1_600]);
    assert!(push(&mut input, 1, 1_600).is_ok());
    splitter.check(&[1_600, 1]);
}

#[test]
fn a_limit_reached_in_a_pause_waits_for_its_end() {
    let splitter = Splitter::new(&[("max-duration", "100000000")], PLAIN);
    let gate = gst::ElementFactory::make("reelgate").property("pause-at", 100_000_000u64).build().expect("registered");
    let bin = gst::Bin::new();
    bin.add_many([&gate, &splitter.rig.element]).expect("new elements");
    let pad = gate.request_pad_simple("sink_0").expect("free");
    gate.link(&splitter.rig.element).expect("they fit");
    bin.add_pad(&gst::GhostPad::builder_with_target(&pad).expect("no target yet").name("sink").build()).expect("new");
    let mut input = gst_check::Harness::with_element(&bin, Some("sink"), None);
    input.set_src_caps_str(MONO);
    let samples = |position: u64, n: usize| buffer(&vec![1; n], position, RATE, 1);
    assert!(input.push(samples(0, 8_000)).is_ok());
    assert_eq!(splitter.chunks().len(), 1);
    gate.set_property("resume-at", 600_000_000u64);
    assert!(input.push(samples(8_000, 3_200)).is_ok());
    let chunks = splitter.chunks();
    assert_eq!(chunks.iter().map(|chunk| chunk.samples().len()).collect::<Vec<_>>(), [1_600, 1_600]);
    assert_eq!(chunks[1].first_pts(), Some(ms(100)), "recorded time");
    let names = ["stream-start", "caps", "segment", "reel-gate", "reel-chunk-start", "buffer"];
    assert_eq!(chunks[1].names(), names, "the edge that ended the pause");
}

#[test]
fn what_is_sticky_is_repeated_in_its_order_and_then_the_index() {
    let splitter = Splitter::new(&[("max-duration", "100000000")], PLAIN);
    let mut input = splitter.rig.mono("sink_0");
    let mut tags = gst::TagList::new();
    tags.get_mut().expect("ours").add::<gst::tags::Comment>(&"a comment", gst::TagMergeMode::Append);
    assert!(input.push_event(gst::event::Tag::new(tags)));
    let custom = gst::Structure::builder("test-sticky").field("n", 1).build();
    assert!(input.push_event(gst::event::CustomDownstreamSticky::new(custom)));
    assert!(push(&mut input, 1_600, 0).is_ok());
    let custom = gst::Structure::builder("test-sticky").field("n", 2).build();
    assert!(input.push_event(gst::event::CustomDownstreamSticky::new(custom)));
    assert!(push(&mut input, 1_600, 1_600).is_ok());
    let chunks = splitter.chunks();
    let first =
        ["stream-start", "caps", "segment", "tag", "test-sticky", "reel-chunk-start", "buffer", "test-sticky", "eos"];
    assert_eq!(chunks[0].names(), first);
    assert_eq!(chunks[1].names(), first[..7]);
    for (index, chunk) in chunks.iter().enumerate() {
        let (Item::Event(segment), Item::Event(start)) = (&chunk.items[2], &chunk.items[5]) else {
            panic!("{chunk:?}")
        };
        let gst::EventView::Segment(segment) = segment.view() else { panic!("{segment:?}") };
        let segment = segment.segment().downcast_ref::<gst::ClockTime>().expect("a segment of time");
        let begin = ms(100 * index as u64);
        assert_eq!((segment.start(), segment.time()), (Some(begin), Some(begin)));
        assert_eq!(segment.to_running_time(begin), Some(ms(0)));
        assert_eq!(ChunkStart::read(start.structure().unwrap()), Ok(ChunkStart { index: index as u32 }));
    }
    let Item::Event(custom) = &chunks[1].items[4] else { panic!("{chunks:?}") };
    assert_eq!(custom.structure().and_then(|s| s.get::<i32>("n").ok()), Some(2), "the last of its name");
}

#[test]
fn limits_may_change_while_playing() {
    let splitter = Splitter::new(&[], PLAIN);
    let mut input = splitter.rig.mono("sink_0");
    let set = |ns: u64| splitter.rig.element.set_property("max-duration", ns);
    push_all(&mut input, 8_000, 1_600);
    set(200_000_000);
    assert!(push(&mut input, 4_000, 8_000).is_ok());
    set(0);
    assert!(push(&mut input, 8_000, 12_000).is_ok());
    set(1_000_000_000);
    assert!(push(&mut input, 10_000, 20_000).is_ok());
    splitter.check(&[8_000, 3_200, 16_000, 2_800]);
    set(gst::ClockTime::MAX.nseconds());
    assert!(push(&mut input, 10, 30_000).is_ok());
}

#[test]
fn limits_that_nothing_fits_into_are_an_error() {
    let splitter = Splitter::new(&[("max-duration", "1")], PLAIN);
    let mut input = splitter.rig.mono("sink_0");
    assert_eq!(push(&mut input, 100, 0), Err(gst::FlowError::Error));
    assert_eq!(splitter.rig.errors(), ["The limits are too small for a chunk to hold anything"]);
}

#[test]
fn chunks_tell_of_themselves_what_they_hold() {
    let splitter = Splitter::new(&[("max-duration", "100000000")], PLAIN);
    let mut input = splitter.rig.mono("sink_0");
    push_all(&mut input, 2_000, 700);
    input.push_event(gst::event::Eos::new());
    let told = splitter.rig.said().into_iter().filter(|s| s.name() == Told::NAME).map(|s| Told::read(&s).unwrap());
    let told: Vec<_> = told.map(|chunk| (chunk.index, chunk.start, chunk.samples)).collect();
    assert_eq!(told, [(0, ms(0), 1_600), (1, ms(100), 400)]);
}

#[test]
fn a_described_branch_begins_with_its_first_element() {
    // GStreamer would put a ghost pad on fakesink, which is the only one that has a sink pad so far.
    let rig = Rig::new("reelsplit", &[("chunk", "reelmeta ! fakesink sync=false async=false")]);
    let mut input = rig.mono("sink_0");
    push_all(&mut input, 2_000, 700);
    input.push_event(gst::event::Eos::new());
    let said = rig.said();
    let told = said.iter().find(|s| s.name() == Told::NAME).map(|s| Told::read(s).expect("readable").samples);
    assert_eq!(told, Some(2_000));
}

/// A directory of the test's own, gone with it.
struct Dir(std::path::PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory for the test");
        Self(path)
    }

    /// Returns the sizes of the files whose names begin with `name`, in order of their names.
    fn sizes(&self, name: &str) -> Vec<u64> {
        let entries = std::fs::read_dir(&self.0).expect("readable").map(|entry| entry.expect("readable"));
        let of_name = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(name));
        let sizes: std::collections::BTreeMap<_, _> =
            of_name.map(|entry| (entry.file_name(), entry.metadata().expect("readable").len())).collect();
        sizes.into_values().collect()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_size_is_met_exactly_where_the_sink_knows_what_a_sample_costs() {
    let dir = Dir::new("exact");
    let location = format!("reelmeta ! reelsink location={}/a-%03d.wav", dir.0.display());
    let rig = Rig::new("reelsplit", &[("max-size", "20000"), ("chunk", &location)]);
    let mut input = rig.mono("sink_0");
    push_all(&mut input, 25_000, 1_600);
    input.push_event(gst::event::Eos::new());
    assert_eq!(dir.sizes("a"), [20_000, 20_000, 2 * (25_000 - 2 * 9_978) + 44]);
    assert_eq!(rig.stat("chunks"), 3);
}

#[test]
fn a_size_is_not_exceeded_where_only_what_is_written_is_known() {
    let dir = Dir::new("unknown");
    let location = format!("reelmeta ! flacenc ! reelsink location={}/a-%03d.flac", dir.0.display());
    let rig = Rig::new("reelsplit", &[("max-size", "60000"), ("chunk", &location)]);
    let mut input = rig.mono("sink_0");
    let mut seed = 1u32;
    for position in (0..160_000).step_by(1_600) {
        let noise = (0..1_600).map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) as i16
        });
        assert!(input.push(buffer(&noise.collect::<Vec<_>>(), position, RATE, 1)).is_ok());
    }
    input.push_event(gst::event::Eos::new());
    let sizes = dir.sizes("a");
    assert!(sizes.iter().all(|size| *size <= 60_000), "{sizes:?}");
    assert!(sizes.len() > 1 && sizes[..sizes.len() - 1].iter().all(|size| *size > 30_000), "{sizes:?}");
    assert_eq!(rig.stat("samples"), 160_000);
}

#[test]
fn a_size_that_nobody_knows_is_no_limit() {
    let splitter = Splitter::new(&[("max-size", "1000")], PLAIN);
    let mut input = splitter.rig.mono("sink_0");
    push_all(&mut input, 16_000, 1_600);
    splitter.check(&[16_000]);
}
