//! `reelaudiodec` in a harness: caps, events, queries, state, and the same samples however they are cut.

mod lines;
mod pauses;

use std::sync::Once;

use gst::prelude::*;
use gst_audio::AudioClippingMeta;
use gst_check::Harness;

const MS: gst::ClockTime = gst::ClockTime::MSECOND;
const PCM: &str = "audio/x-raw,format=S16LE,layout=interleaved,rate=8000,channels=1";
const MULAW: &str = "audio/x-mulaw,rate=8000,channels=1";
const G722: &str = "audio/G722,rate=8000,channels=1";
const OPUS: &str = "audio/x-opus,channel-mapping-family=0,channels=1";

/// A pipeline that has not ended by then never will.
const DEADLINE: gst::ClockTime = gst::ClockTime::from_seconds(30);

fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        gst::init().unwrap();
        gstreel::plugin_register_static().unwrap();
    });
}

/// A decoder of `caps` for somebody who takes `rate`.
fn harness(caps: &str, rate: i32) -> Harness {
    init();
    let mut h = Harness::new("reelaudiodec");
    let caps_out = format!("audio/x-raw,format=S16LE,layout=interleaved,channels=1,rate={rate}");
    h.set_caps_str(caps, &caps_out);
    h
}

fn buffer(bytes: &[u8], pts: gst::ClockTime) -> gst::Buffer {
    let mut buffer = gst::Buffer::from_slice(bytes.to_vec());
    buffer.get_mut().unwrap().set_pts(pts);
    buffer
}

fn lost(mut buffer: gst::Buffer) -> gst::Buffer {
    buffer.get_mut().unwrap().set_flags(gst::BufferFlags::DISCONT);
    buffer
}

/// `n` samples from index `from` on of an endless pseudo-random signal.
fn noise(from: usize, n: usize) -> Vec<u8> {
    (from..from + n).flat_map(|i| (((i as u32).wrapping_mul(2_654_435_761) >> 18) as i16).to_le_bytes()).collect()
}

/// Pushes as a worker does, which the harness cannot: through a peer of the sink pad.
fn push_list(h: &Harness, buffers: impl IntoIterator<Item = gst::Buffer>) -> Result<gst::FlowSuccess, gst::FlowError> {
    h.srcpad().unwrap().push_list(buffers.into_iter().collect())
}

/// What a buffer says: PTS and end in ns, DISCONT, bytes.
fn read(buffer: &gst::Buffer) -> (u64, u64, bool, Vec<u8>) {
    let pts = buffer.pts().unwrap();
    let end = pts + buffer.duration().unwrap();
    let is_discont = buffer.flags().contains(gst::BufferFlags::DISCONT);
    (pts.nseconds(), end.nseconds(), is_discont, buffer.map_readable().unwrap().to_vec())
}

fn pull_all(h: &mut Harness) -> Vec<u8> {
    std::iter::from_fn(|| h.try_pull()).flat_map(|buffer| read(&buffer).3).collect()
}

fn stat(h: &Harness, name: &str) -> u64 {
    h.element().unwrap().property::<gst::Structure>("stats").get(name).unwrap()
}

/// The first error that the element has posted.
fn error(bus: &gst::Bus) -> Option<gst::glib::Error> {
    let message = bus.pop_filtered(&[gst::MessageType::Error])?;
    match message.view() {
        gst::MessageView::Error(error) => Some(error.error()),
        _ => None,
    }
}

fn bus_of(h: &Harness) -> gst::Bus {
    let bus = gst::Bus::new();
    h.element().unwrap().set_bus(Some(&bus));
    bus
}

#[test]
fn foreign_caps_are_refused() {
    init();
    for caps in [
        "audio/x-opus,channel-mapping-family=1,channels=6",
        "audio/x-raw,format=F32LE,layout=interleaved,rate=8000,channels=1",
        "audio/x-raw,format=S16LE,layout=interleaved,rate=8000,channels=3",
        "audio/mpeg,mpegversion=1",
    ] {
        let mut h = Harness::new("reelaudiodec");
        h.set_src_caps_str(caps);
        assert_eq!(h.push(buffer(&[0; 320], gst::ClockTime::ZERO)), Err(gst::FlowError::NotNegotiated), "{caps}");
        assert_eq!(h.buffers_received(), 0);
    }
}

#[test]
fn downstream_without_our_caps_is_refused() {
    init();
    let mut h = Harness::new("reelaudiodec");
    h.set_caps_str(MULAW, "audio/x-raw,format=S16LE,layout=interleaved,channels=2,rate=8000");
    assert_eq!(h.push(buffer(&[0; 160], gst::ClockTime::ZERO)), Err(gst::FlowError::NotNegotiated));
}

#[track_caller]
fn check_rate(caps: &str, downstream: &str, expected: i32) {
    init();
    let mut h = Harness::new("reelaudiodec");
    h.set_caps_str(caps, downstream);
    let caps = h.sinkpad().unwrap().current_caps().expect("negotiated");
    assert_eq!(caps.structure(0).unwrap().get::<i32>("rate").unwrap(), expected);
    assert!(caps.is_fixed() && caps.structure(0).unwrap().get::<i32>("channels").unwrap() == 1);
}

#[test]
fn rate_is_downstreams_or_the_nearest_to_the_sources_own() {
    check_rate(MULAW, "audio/x-raw", 8_000);
    check_rate(OPUS, "audio/x-raw", 16_000);
    check_rate(G722, "audio/x-raw", 16_000);
    check_rate("audio/x-raw,format=S16BE,layout=interleaved,rate=96000,channels=2", "audio/x-raw", 48_000);
    check_rate(OPUS, "audio/x-raw,rate=[24000,48000]", 24_000);
    check_rate(MULAW, "audio/x-raw,rate=44100", 44_100);
}

#[test]
fn it_is_not_plugged_by_rank() {
    init();
    assert_eq!(gst::ElementFactory::find("reelaudiodec").unwrap().rank(), gst::Rank::NONE);
}

#[test]
fn tick_pushed_as_a_list_becomes_one_buffer() {
    let mut h = harness(PCM, 8_000);
    let second = gst::ClockTime::SECOND;
    push_list(&h, (0..5).map(|i| buffer(&noise(160 * i, 160), second + MS * 20 * i as u64))).unwrap();
    h.push(buffer(&noise(800, 160), second + MS * 100)).unwrap();
    assert_eq!(read(&h.pull().unwrap()), (1_000_000_000, 1_100_000_000, true, noise(0, 800)));
    assert_eq!(read(&h.pull().unwrap()), (1_100_000_000, 1_120_000_000, false, noise(800, 160)));
    assert_eq!(h.buffers_in_queue(), 0);
}

#[test]
fn times_are_of_whole_samples() {
    let mut h = harness("audio/x-raw,format=S16LE,layout=interleaved,rate=44100,channels=1", 44_100);
    h.push(buffer(&noise(0, 441), gst::ClockTime::from_nseconds(333_333))).unwrap();
    h.push(buffer(&noise(441, 441), gst::ClockTime::from_nseconds(10_333_333))).unwrap();
    // 333 333 ns is 14.7 samples; the nearest is 15.
    let at = |index: u64| index * 1_000_000_000 / 44_100;
    assert_eq!(read(&h.pull().unwrap()), (at(15), at(456), true, noise(0, 441)));
    assert_eq!(read(&h.pull().unwrap()), (at(456), at(897), false, noise(441, 441)));
}

/// All samples of `caps` bytes pushed in lists of `list_ms`, each list of buffers of `buffer_ms`.
fn decoded_in_lists(caps: &str, bytes: &[u8], bytes_per_ms: usize, buffer_ms: usize, list_ms: usize) -> Vec<u8> {
    let mut h = harness(caps, 16_000);
    let pieces: Vec<_> = bytes
        .chunks(bytes_per_ms * buffer_ms)
        .enumerate()
        .map(|(i, piece)| buffer(piece, MS * (i * buffer_ms) as u64))
        .collect();
    for list in pieces.chunks(list_ms / buffer_ms) {
        push_list(&h, list.iter().cloned()).unwrap();
    }
    h.push_event(gst::event::Eos::new());
    pull_all(&mut h)
}

#[test]
fn samples_do_not_depend_on_how_they_are_cut() {
    let pcm = noise(0, 8 * 7_400);
    for (caps, bytes, bytes_per_ms) in [(PCM, &pcm[..], 16), (MULAW, &pcm[..59_200], 8), (G722, &pcm[..59_200], 8)] {
        let whole = decoded_in_lists(caps, bytes, bytes_per_ms, 200, 200);
        assert_eq!(whole.len(), 2 * 16 * 7_400, "{caps}");
        for (buffer_ms, list_ms) in [(10, 10), (37, 37), (1, 37), (20, 100), (50, 200), (7_400, 7_400)] {
            let cut = decoded_in_lists(caps, bytes, bytes_per_ms, buffer_ms, list_ms);
            assert!(cut == whole, "{caps} in buffers of {buffer_ms} and lists of {list_ms} ms");
        }
    }
}

#[test]
fn opus_does_not_depend_on_the_lists() {
    gst::init().unwrap();
    let mut encoder = opus::Encoder::new(16_000, opus::Channels::Mono, opus::Application::Voip).unwrap();
    let pcm = noise(0, 16 * 2_000);
    let pcm: Vec<i16> = pcm.as_chunks::<2>().0.iter().map(|&pair| i16::from_le_bytes(pair)).collect();
    let packets: Vec<_> = pcm
        .chunks(320)
        .enumerate()
        .map(|(i, piece)| buffer(&encoder.encode_vec(piece, 1_500).unwrap(), MS * 20 * i as u64))
        .collect();
    for rate in [16_000, 44_100] {
        let decoded = |n| {
            let mut h = harness(OPUS, rate);
            packets.chunks(n).for_each(|list| assert!(push_list(&h, list.iter().cloned()).is_ok()));
            h.push_event(gst::event::Eos::new());
            pull_all(&mut h)
        };
        let whole = decoded(100);
        assert_eq!(whole.len(), 4 * rate as usize);
        for n in [1, 2, 5, 10] {
            assert!(decoded(n) == whole, "lists of {n} packets to {rate} Hz");
        }
    }
}

#[test]
fn eos_drains_the_tail() {
    let mut h = harness(MULAW, 16_000);
    h.push(buffer(&[0x55; 160], gst::ClockTime::ZERO)).unwrap();
    let owed = 640 - pull_all(&mut h).len();
    assert!(owed > 0);
    assert!(h.push_event(gst::event::Eos::new()));
    assert_eq!(pull_all(&mut h).len(), owed);
    let last = std::iter::from_fn(|| h.try_pull_event()).last().unwrap();
    assert_eq!(last.type_(), gst::EventType::Eos);
}

#[test]
fn flush_forgets_time_but_not_settings() {
    let mut h = harness(MULAW, 16_000);
    h.element().unwrap().set_property("opus-pre-skip", 0u32);
    h.push(buffer(&[0x55; 160], gst::ClockTime::SECOND)).unwrap();
    pull_all(&mut h);
    h.push_event(gst::event::FlushStart::new());
    assert_eq!(h.push(buffer(&[0x55; 160], gst::ClockTime::SECOND)), Err(gst::FlowError::Flushing));
    h.push_event(gst::event::FlushStop::new(true));
    h.push_event(gst::event::Segment::new(&gst::FormattedSegment::<gst::ClockTime>::new()));
    h.push(buffer(&[0xff; 160], MS * 10)).unwrap();
    h.push_event(gst::event::Eos::new());
    let (pts, _, is_discont, samples) = read(&h.pull().unwrap());
    assert_eq!((pts, is_discont), (10_000_000, true));
    assert!(samples.iter().all(|&byte| byte == 0), "something of the old stream came through");
    assert_eq!(h.element().unwrap().property::<u32>("opus-pre-skip"), 0);
}

#[test]
fn second_run_is_as_the_first() {
    let mut h = harness(G722, 44_100);
    let run = |h: &mut Harness| {
        h.play();
        h.push_event(gst::event::StreamStart::new("run"));
        h.push_event(gst::event::Caps::new(&G722.parse().unwrap()));
        h.push_event(gst::event::Segment::new(&gst::FormattedSegment::<gst::ClockTime>::new()));
        push_list(h, (0..7).map(|i| buffer(&noise(80 * i, 80), MS * 20 * i as u64))).unwrap();
        h.push(lost(buffer(&noise(3, 80), MS * 5_000))).unwrap();
        h.push_event(gst::event::Eos::new());
        let buffers: Vec<_> = std::iter::from_fn(|| h.try_pull()).map(|buffer| read(&buffer)).collect();
        (buffers, h.element().unwrap().property::<gst::Structure>("stats"))
    };
    let first = run(&mut h);
    // The list, its tail and the packet after the loss, the tail of that.
    assert_eq!(first.0.len(), 4);
    h.element().unwrap().set_state(gst::State::Ready).unwrap();
    assert_eq!(stat(&h, "packets"), 0);
    assert_eq!(run(&mut h), first);
}

#[test]
fn plain_gap_is_forwarded_after_what_came_before_it() {
    let mut h = harness(MULAW, 16_000);
    h.push(buffer(&[0x55; 160], gst::ClockTime::ZERO)).unwrap();
    assert!(h.push_event(gst::event::Gap::builder(MS * 20).duration(MS * 500).build()));
    assert_eq!(pull_all(&mut h).len(), 640);
    let last = std::iter::from_fn(|| h.try_pull_event()).last().unwrap();
    assert_eq!(last.type_(), gst::EventType::Gap);
    h.push(buffer(&[0x55; 160], MS * 520)).unwrap();
    let (pts, _, is_discont, _) = read(&h.pull().unwrap());
    assert_eq!((pts, is_discont), (520_000_000, true));
    assert_eq!((stat(&h, "concealed-samples"), stat(&h, "discontinuities")), (0, 1));
}

/// Noise is made for 400 ms of it; to say that there is nothing where that stands would be wrong.
#[test]
fn of_a_gap_that_is_filled_in_part_the_rest_is_forwarded() {
    let mut h = harness(OPUS, 16_000);
    h.push(buffer(&[0x48], gst::ClockTime::ZERO)).unwrap();
    for (gap, rest) in [((20, 1_000), Some((420, 600))), ((100, 200), None), ((1_020, 40), Some((1_020, 40)))] {
        while h.try_pull_event().is_some() {}
        let event = gst::event::Gap::builder(MS * gap.0).duration(MS * gap.1).build();
        let seqnum = event.seqnum();
        assert!(h.push_event(event));
        let forwarded = h.try_pull_event().map(|event| {
            let gst::EventView::Gap(gap) = event.view() else { panic!("{event:?}") };
            assert_eq!(gap.seqnum(), seqnum);
            gap.get()
        });
        let rest = rest.map(|(from, duration)| (MS * from, Some(MS * duration)));
        assert_eq!(forwarded, rest, "{gap:?}");
    }
    assert_eq!(pull_all(&mut h).len(), 2 * 420 * 16);
}

#[test]
fn announced_loss_is_concealed_and_not_forwarded() {
    let mut h = harness(PCM, 8_000);
    h.push(buffer(&noise(0, 800), gst::ClockTime::ZERO)).unwrap();
    while h.try_pull_event().is_some() {}
    let gap = gst::event::Gap::builder(MS * 100).duration(MS * 40).gap_flags(gst::GapFlags::DATA).build();
    assert!(h.push_event(gap));
    h.push(buffer(&noise(0, 160), MS * 140)).unwrap();
    assert!(h.try_pull_event().is_none());
    h.pull().unwrap();
    let (pts, end, is_discont, samples) = read(&h.pull().unwrap());
    assert_eq!((pts, end, is_discont), (100_000_000, 160_000_000, false));
    assert_eq!(samples[640..], noise(0, 160));
    assert_eq!(stat(&h, "concealed-samples"), 320);
}

#[test]
fn codec_changes_in_mid_stream() {
    let mut h = harness(MULAW, 16_000);
    h.push(buffer(&[0x55; 160], gst::ClockTime::ZERO)).unwrap();
    h.push_event(gst::event::Caps::new(&G722.parse().unwrap()));
    h.push(buffer(&[0x7a; 160], MS * 20)).unwrap();
    h.push_event(gst::event::Caps::new(&OPUS.parse().unwrap()));
    // A SILK packet of 20 ms with nothing in it.
    h.push(buffer(&[0x48, 0, 0, 0, 0, 0, 0, 0], MS * 40)).unwrap();
    h.push_event(gst::event::Caps::new(&PCM.parse().unwrap()));
    h.push(buffer(&noise(0, 160), MS * 60)).unwrap();
    h.push_event(gst::event::Eos::new());
    let mut end = 0;
    for buffer in std::iter::from_fn(|| h.try_pull()) {
        let (pts, buffer_end, is_discont, _) = read(&buffer);
        assert_eq!((pts, is_discont), (end, end == 0));
        end = buffer_end;
    }
    assert_eq!(end, 80_000_000);
    let n_caps = std::iter::from_fn(|| h.try_pull_event()).filter(|e| e.type_() == gst::EventType::Caps).count();
    assert_eq!(n_caps, 1);
    assert_eq!((stat(&h, "packets"), stat(&h, "corrupt")), (4, 0));
}

#[test]
fn downstream_changes_its_rate_in_mid_stream() {
    let mut h = harness(PCM, 8_000);
    h.push(buffer(&noise(0, 160), gst::ClockTime::ZERO)).unwrap();
    h.set_sink_caps_str("audio/x-raw,format=S16LE,layout=interleaved,channels=1,rate=16000");
    h.push_upstream_event(gst::event::Reconfigure::new());
    h.push(buffer(&noise(160, 160), MS * 20)).unwrap();
    h.push_event(gst::event::Eos::new());
    let lengths: Vec<_> = std::iter::from_fn(|| h.try_pull()).map(|buffer| (buffer.pts(), buffer.size())).collect();
    let n_bytes: usize = lengths.iter().map(|(_, size)| size).sum();
    assert_eq!((lengths[0], lengths[1].0, n_bytes), ((Some(gst::ClockTime::ZERO), 320), Some(20 * MS), 320 + 640));
}

#[test]
fn latency_is_upstreams_and_ours() {
    let mut h = harness(MULAW, 16_000);
    h.set_upstream_latency(MS * 100);
    // 28 samples of 8 kHz for the resampler, 60 ms for a loss, 2.2 ms for samples that are behind their packets.
    assert_eq!(h.query_latency(), Some(gst::ClockTime::from_nseconds(165_700_000)));
    let h = harness(OPUS, 16_000);
    // 104 samples of 16 kHz for the encoder, 28 for a clock that will drift, 60 ms for a loss, and 2.2 ms.
    assert_eq!(h.query_latency(), Some(gst::ClockTime::from_nseconds(70_450_000)));
}

#[test]
fn segment_must_be_in_time() {
    let mut h = harness(MULAW, 8_000);
    let bus = bus_of(&h);
    h.push_event(gst::event::Segment::new(&gst::FormattedSegment::<gst::format::Bytes>::new()));
    assert!(error(&bus).unwrap().matches(gst::StreamError::Format));
    assert_eq!(h.push(buffer(&[0xff; 160], gst::ClockTime::ZERO)), Err(gst::FlowError::Error));
    assert_eq!(h.buffers_received(), 0);
}

#[test]
fn segment_goes_through_once_and_bounds_the_output() {
    let mut h = harness(PCM, 8_000);
    while h.try_pull_event().is_some() {}
    let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
    segment.set_start(MS * 1_010);
    segment.set_stop(MS * 1_030);
    assert!(h.push_event(gst::event::Segment::new(&segment)));
    push_list(&h, (0..3).map(|i| buffer(&noise(160 * i, 160), MS * (1_000 + 20 * i as u64)))).unwrap();
    assert_eq!(read(&h.pull().unwrap()), (1_010_000_000, 1_030_000_000, true, noise(80, 160)));
    assert_eq!(stat(&h, "clipped"), 320);
    let n_segments = std::iter::from_fn(|| h.try_pull_event()).filter(|e| e.type_() == gst::EventType::Segment).count();
    assert_eq!(n_segments, 1);
}

#[test]
fn clipping_meta_cuts_samples_and_time() {
    let mut h = harness("audio/x-raw,format=S16LE,layout=interleaved,rate=8000,channels=1", 8_000);
    let clipped = |pts, start: u64, end: u64| {
        let mut buffer = buffer(&noise(0, 160), pts);
        let (start, end) = (gst::format::Default::from_u64(start), gst::format::Default::from_u64(end));
        AudioClippingMeta::add(buffer.get_mut().unwrap(), start, end);
        buffer
    };
    h.push(clipped(MS * 50, 100, 0)).unwrap();
    h.push(clipped(MS * 50 + gst::ClockTime::from_useconds(7_500), 0, 40)).unwrap();
    assert_eq!(read(&h.pull().unwrap()), (50_000_000, 57_500_000, true, noise(100, 60)));
    assert_eq!(read(&h.pull().unwrap()), (57_500_000, 72_500_000, false, noise(0, 120)));
    assert_eq!(stat(&h, "clipped"), 140);
}

#[test]
fn headers_in_the_stream_are_no_packets() {
    let mut h = harness(OPUS, 16_000);
    let head = b"OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x00\x00";
    for header in [&head[..], b"OpusTags\x00\x00\x00\x00\x00\x00\x00\x00"] {
        h.push(gst::Buffer::from_slice(header)).unwrap();
    }
    h.push(buffer(&[0x48, 0, 0, 0, 0, 0, 0, 0], MS * 100)).unwrap();
    assert_eq!((stat(&h, "packets"), stat(&h, "corrupt")), (1, 0));
    assert_eq!(h.pull().unwrap().pts(), Some(MS * 100));
}

#[test]
fn two_channels_become_one() {
    let caps = "audio/x-raw,format=S16BE,layout=interleaved,rate=8000,channels=2";
    let mut h = harness(caps, 8_000);
    h.push(buffer(&[0x01, 0x00, 0x03, 0x01, 0xff, 0xff, 0xff, 0xfe], gst::ClockTime::ZERO)).unwrap();
    // (0x0100 + 0x0301) >> 1 and (-1 - 2) >> 1, little endian.
    assert_eq!(read(&h.pull().unwrap()), (0, 250_000, true, vec![0x00, 0x02, 0xfe, 0xff]));
    let mut h = harness("audio/x-alaw,rate=8000,channels=2", 8_000);
    h.push(buffer(&[0xd5, 0x55, 0xaa, 0xaa], gst::ClockTime::ZERO)).unwrap();
    // The smallest steps of either sign cancel out; the largest stay what they are, 32 256.
    assert_eq!(read(&h.pull().unwrap()).3, [0x00, 0x00, 0x00, 0x7e]);
}

#[test]
fn endless_corruption_is_an_error() {
    let mut h = harness(OPUS, 16_000);
    let bus = bus_of(&h);
    let broken = |i| buffer(&[0x4b, 0x00], MS * 20 * i);
    for i in 0..49 {
        assert_eq!(h.push(broken(i)), Ok(gst::FlowSuccess::Ok));
    }
    assert!(error(&bus).is_none());
    assert_eq!(h.push(broken(49)), Err(gst::FlowError::Error));
    assert!(error(&bus).unwrap().matches(gst::StreamError::Decode));
    assert_eq!(stat(&h, "corrupt"), 50);
}

#[test]
fn pre_skip_changes_with_the_next_spurt() {
    let mut h = harness(OPUS, 16_000);
    let silk = |pts| buffer(&[0x48, 0, 0, 0, 0, 0, 0, 0], pts);
    h.push(silk(gst::ClockTime::ZERO)).unwrap();
    h.element().unwrap().set_property("opus-pre-skip", 0u32);
    h.push(silk(MS * 20)).unwrap();
    assert_eq!(pull_all(&mut h).len(), 2 * (640 - 104));
    h.push(silk(MS * 500)).unwrap();
    let lengths: Vec<_> = std::iter::from_fn(|| h.try_pull()).map(|buffer| buffer.size() / 2).collect();
    assert_eq!(lengths, [104, 320]);
}

#[test]
fn samples_follow_a_clock_that_drifts_and_stats_say_so() {
    let mut h = harness(PCM, 8_000);
    for n in 0..1_000u64 {
        // 400 ppm of 20 ms are 8 µs.
        h.push(buffer(&noise(0, 160), gst::ClockTime::from_useconds(n * 20_008))).unwrap();
    }
    h.push_event(gst::event::Eos::new());
    let n_bytes = pull_all(&mut h).len();
    // 20 s and 8 ms, less the 0.4 ms that are left of the drift.
    assert!((n_bytes as i64 / 2 - 160_061).abs() <= 1, "{n_bytes} bytes");
    let stats = h.element().unwrap().property::<gst::Structure>("stats");
    // At 1.1 ms, smoothed, after about 3 s.
    let n_corrected = stats.get::<u64>("corrected-samples").unwrap();
    assert!((130_000..140_000).contains(&n_corrected), "{n_corrected}");
    assert_eq!(stats.get::<i64>("drift-ppb").unwrap(), 0, "the spurt has ended");
    assert_eq!((stat(&h, "dropped-overlap"), stat(&h, "discontinuities")), (0, 0));
}
