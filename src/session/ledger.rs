//! Who was there, what was paused, what was written. Pure: entries go in, rows come out.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{ChannelMap, ChunkMedia, EndReason, ParticipantNumber, PauseInterval, PauseMode};
use crate::session::{Entry, Opening};

/// Least that is told: elements that are not ours may keep a frame of theirs, or what a filter holds.
const MISMATCH_MIN: Duration = Duration::from_millis(20);

/// A participant of the recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParticipantRow {
    /// `participantId` of the metadata.
    pub name: String,
    /// When the participant came.
    pub joined: Duration,
    /// When the participant left, if that was before the end.
    pub left: Option<Duration>,
    /// What was wrong with the participant's media, in order of time.
    pub troubles: Vec<Trouble>,
}

/// Something wrong with a participant's media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Since when.
    pub at: Duration,
    /// What, for people.
    pub reason: String,
    /// Silence from then on.
    pub silent: bool,
}

/// A chunk of the recording.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChunkRow {
    /// What it holds; told at its end.
    pub media: Option<ChunkMedia>,
    /// Its file is complete in the spool, with this size.
    pub size: Option<u64>,
}

impl ChunkRow {
    /// Returns its media where file and media are both complete.
    pub fn complete(&self) -> Option<&ChunkMedia> {
        self.media.as_ref().filter(|_| self.size.is_some())
    }
}

/// Everything that is known of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// How it began.
    pub opening: Opening,
    /// By number.
    pub participants: BTreeMap<ParticipantNumber, ParticipantRow>,
    /// By index.
    pub chunks: BTreeMap<u32, ChunkRow>,
    /// Where pauses begin, and where they end if they have.
    pub edges: Vec<(Duration, Option<Duration>)>,
    /// The map as it was last told.
    pub map: ChannelMap,
    /// Why nothing could be recorded any more.
    pub failure: Option<String>,
    /// How it ended.
    pub end: Option<(Duration, EndReason, Option<String>)>,
}

impl Ledger {
    /// Returns the ledger of a recording that begins.
    pub fn new(opening: Opening) -> Self {
        Self {
            opening,
            participants: BTreeMap::new(),
            chunks: BTreeMap::new(),
            edges: Vec::new(),
            map: ChannelMap::default(),
            failure: None,
            end: None,
        }
    }

    /// Rebuilds a ledger from a journal; None where the journal does not begin with an opening.
    pub fn replay(entries: &[Entry]) -> Option<Self> {
        let Some((Entry::Began(opening), rest)) = entries.split_first() else { return None };
        let mut ledger = Self::new(opening.clone());
        rest.iter().for_each(|entry| ledger.apply(entry));
        Some(ledger)
    }

    /// Takes in what happened. What cannot be (a second opening, somebody unknown who leaves) changes nothing.
    pub fn apply(&mut self, entry: &Entry) {
        match entry {
            Entry::Began(_) => (),
            Entry::Joined { at, participant, name } => {
                let row = ParticipantRow { name: name.clone(), joined: *at, left: None, troubles: Vec::new() };
                self.participants.entry(*participant).or_insert(row);
            }
            Entry::Left { at, participant } => {
                if let Some(row) = self.participants.get_mut(participant) {
                    row.left.get_or_insert(*at);
                }
            }
            Entry::Trouble { at, participant, reason, silent } => {
                if let Some(row) = self.participants.get_mut(participant) {
                    row.troubles.push(Trouble { at: *at, reason: reason.clone(), silent: *silent });
                }
            }
            Entry::Paused { at } => match self.edges.last() {
                Some((_, None)) => (),
                _ => self.edges.push((*at, None)),
            },
            Entry::Resumed { at } => {
                if let Some((_, to @ None)) = self.edges.last_mut() {
                    *to = Some(*at);
                }
            }
            Entry::Channels { map } => self.map = map.clone(),
            Entry::ChunkHeld { media } => self.chunk(media.index).media = Some(media.clone()),
            Entry::FileComplete { index, size } => self.chunk(*index).size = Some(*size),
            Entry::Failed { error, .. } => {
                self.failure.get_or_insert(error.clone());
            }
            Entry::Ended { at, reason, error } => {
                self.end.get_or_insert((*at, *reason, error.clone()));
            }
        }
    }

    fn chunk(&mut self, index: u32) -> &mut ChunkRow {
        self.chunks.entry(index).or_default()
    }

    /// Returns all pauses as far as they are before `end`. Edges are noted as they are known, and a recording may stop
    /// before it comes to them.
    pub fn pauses(&self, end: Duration) -> Vec<PauseInterval> {
        let begun = self.edges.iter().filter(|(from, _)| *from < end);
        let interval = |(from, to): &(Duration, Option<Duration>)| PauseInterval {
            start: *from,
            duration: to.unwrap_or(end).min(end).saturating_sub(*from),
        };
        begun.map(interval).collect()
    }

    /// Returns how long pauses before `end` are together.
    pub fn paused(&self, end: Duration) -> Duration {
        let length = |(from, to): &(Duration, Option<Duration>)| to.unwrap_or(end).min(end).saturating_sub(*from);
        self.edges.iter().map(length).sum()
    }

    /// Returns how long a recording that has ended properly should be without pauses, and how long its chunks are,
    /// where that is something else.
    pub fn mismatch(&self) -> Option<(Duration, Duration)> {
        let (end, ..) = self.end.as_ref().filter(|_| self.failure.is_none())?;
        let paused: Duration = match self.opening.pause_mode {
            PauseMode::Skip => self.paused(*end),
            PauseMode::Silence | PauseMode::Tone => Duration::ZERO,
        };
        let recorded = end.saturating_sub(paused);
        let held = self.chunks.values().filter_map(|row| row.media.as_ref()).map(ChunkMedia::duration).sum();
        Some((recorded, held)).filter(|_| recorded.abs_diff(held) > MISMATCH_MIN)
    }

    /// Returns the media of a chunk of which only its file is known: `samples` per channel at `rate`; all 0 where the
    /// file does not tell.
    ///
    /// All earlier chunks must be known. What it holds follows from where they end, and from the pauses.
    pub fn media_of_file(&self, index: u32, samples: u64, rate: u32, channels: u32) -> ChunkMedia {
        let earlier = || self.chunks.range(..index).filter_map(|(_, row)| row.media.as_ref());
        let is_told = rate > 0;
        let rate = if is_told { rate } else { earlier().next_back().map_or(0, |media| media.rate) };
        let position = |time: Duration| (time.as_nanos() * u128::from(rate) + 500_000_000) / 1_000_000_000;
        let time = |position: u128| Duration::from_nanos((position * 1_000_000_000 / u128::from(rate.max(1))) as u64);
        // An element behind the count may have made files of another rate.
        let at_rate = |media: &ChunkMedia| match media.rate {
            same if same == rate => u128::from(media.samples),
            other => u128::from(media.samples) * u128::from(rate) / u128::from(other.max(1)),
        };
        let recorded_start: u128 = earlier().map(at_rate).sum();
        let recorded_end = recorded_start + u128::from(samples);
        let skips = self.opening.pause_mode == PauseMode::Skip;
        let (mut skipped, mut start) = (0, recorded_start);
        let mut pauses = Vec::new();
        // Nothing follows a pause that never ended: only what it was filled with can be in the file.
        let is_open = |pause: &PauseInterval| pause.end() == Duration::MAX;
        for pause in self.pauses(Duration::MAX).into_iter().filter(|pause| !(skips && is_open(pause))) {
            let (from, to) = (position(pause.start), position(pause.end()));
            // A journal that was tampered with may have pauses in any order.
            let recorded_from = from.saturating_sub(skipped);
            if recorded_from > recorded_end || (recorded_from == recorded_end && samples > 0) {
                break;
            }
            skipped += if skips { to.saturating_sub(from) } else { 0 };
            let begins_later = recorded_from <= recorded_start && index > 0;
            if begins_later && skips {
                start = recorded_start + skipped;
                continue;
            }
            let (from, to) = (from.max(start), if skips { to } else { to.min(recorded_end) });
            if to > from {
                pauses.push(PauseInterval { start: time(from), duration: time(to).saturating_sub(time(from)) });
            }
        }
        let start = if index == 0 { Duration::ZERO } else { time(start) };
        if !is_told {
            // It holds whatever came: all pauses that were over.
            let closed = self.pauses(Duration::MAX).into_iter().filter(|pause| !is_open(pause));
            pauses = closed.filter_map(|pause| pause.from(start)).collect();
        }
        ChunkMedia { index, start, samples, rate, channels, pauses, map: self.map.clone() }
    }

    /// Returns who was there in a chunk, with the channel.
    pub fn participants_of(&self, media: &ChunkMedia) -> Vec<(&ParticipantRow, Option<u32>)> {
        let (start, end) = (media.start, self.end_of(media));
        let there = |row: &ParticipantRow| row.joined < end && row.left.is_none_or(|left| left > start);
        let rows = self.participants.iter().filter(|(_, row)| there(row));
        rows.map(|(number, row)| (row, media.map.channel_of(*number))).collect()
    }

    /// Returns the recording time at which a chunk ends: the end of time where it is not known how much it holds.
    fn end_of(&self, media: &ChunkMedia) -> Duration {
        match media.samples {
            // No chunk follows one that holds nothing.
            0 => Duration::MAX,
            _ => media.end(self.opening.pause_mode),
        }
    }

    /// Returns what a reader of a chunk must know beside its media: whose is not what it should be, and since when.
    pub fn notes_of(&self, media: &ChunkMedia) -> Vec<String> {
        // A track may end, and say so, within the sample that is rounded off.
        let sample = Duration::from_nanos(1_000_000_000_u64.div_ceil(u64::from(media.rate.max(1))));
        let end = self.end_of(media).saturating_add(sample);
        let rows = self.participants.values();
        let troubles = rows.flat_map(|row| row.troubles.iter().map(move |trouble| (row, trouble)));
        let notes = troubles.filter(|(_, trouble)| trouble.at <= end).map(|(row, trouble)| {
            let silent = if trouble.silent { ", silent from there on" } else { "" };
            format!("{}: {} (at {:.3} s{silent})", row.name, trouble.reason, trouble.at.as_secs_f64())
        });
        let unheard = media.map.without_channel.iter().filter_map(|number| self.participants.get(number));
        let unheard = unheard.map(|row| format!("{}: spoke when no channel was free, and is not recorded", row.name));
        notes.chain(unheard).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::journal::tests::opening;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn media(index: u32, start: u64, seconds: u64) -> ChunkMedia {
        let map = ChannelMap { channels: vec![Some(1), None], without_channel: vec![] };
        ChunkMedia { index, start: s(start), samples: seconds * 16_000, rate: 16_000, channels: 2, pauses: vec![], map }
    }

    fn ledger(entries: &[Entry]) -> Ledger {
        let mut ledger = Ledger::new(opening());
        entries.iter().for_each(|entry| ledger.apply(entry));
        ledger
    }

    #[test]
    fn what_chunks_do_not_hold_is_told() {
        let held = |seconds| Entry::ChunkHeld { media: media(0, 0, seconds) };
        let ended = Entry::Ended { at: s(10), reason: EndReason::Stopped, error: None };
        let pause = [Entry::Paused { at: s(2) }, Entry::Resumed { at: s(5) }];
        let of = |entries: &[Entry]| ledger(&[&pause[..], entries].concat()).mismatch();
        assert_eq!(of(&[held(7), ended.clone()]), None);
        assert_eq!(of(&[held(4), ended.clone()]), Some((s(7), s(4))));
        assert_eq!(of(&[held(14), ended.clone()]), Some((s(7), s(14))));
        assert_eq!(of(&[held(4)]), None, "it goes on");
        let failed = Entry::Failed { at: s(4), error: "disk full".into() };
        assert_eq!(of(&[held(4), failed, ended]), None, "another note says so");
    }

    #[test]
    fn a_chunk_has_those_who_were_there() {
        let joined = |at, participant, name: &str| Entry::Joined { at: s(at), participant, name: name.into() };
        let ledger = ledger(&[
            joined(0, 0, "early"),
            joined(0, 1, "whole"),
            joined(9, 2, "late"),
            Entry::Left { at: s(2), participant: 0 },
        ]);
        let names = |media: &ChunkMedia| {
            let rows = ledger.participants_of(media).into_iter();
            rows.map(|(row, channel)| (row.name.clone(), channel)).collect::<Vec<_>>()
        };
        assert_eq!(names(&media(0, 0, 4)), [("early".into(), None), ("whole".into(), Some(0))]);
        assert_eq!(names(&media(1, 4, 4)), [("whole".to_owned(), Some(0))]);
        assert_eq!(names(&media(2, 8, 4)), [("whole".into(), Some(0)), ("late".into(), None)]);
    }

    #[test]
    fn an_open_pause_lasts_to_the_end() {
        let ledger = ledger(&[Entry::Paused { at: s(1) }, Entry::Resumed { at: s(3) }, Entry::Paused { at: s(5) }]);
        let pauses: Vec<_> = ledger.pauses(s(9)).iter().map(|p| (p.start, p.duration)).collect();
        assert_eq!(pauses, [(s(1), s(2)), (s(5), s(4))]);
    }

    #[test]
    fn the_media_of_a_file_follows_from_what_came_before_it() {
        let pauses = [Entry::Paused { at: s(2) }, Entry::Resumed { at: s(5) }, Entry::Paused { at: s(8) }];
        let mut first = ledger(&pauses);
        let nothing = ledger(&[Entry::Paused { at: s(0) }]).media_of_file(0, 0, 16_000, 1);
        assert_eq!((nothing.start, nothing.pauses), (s(0), vec![]), "killed in a pause that was all there was");
        // One second is in the file, nothing of a pause.
        assert_eq!(first.media_of_file(0, 16_000, 16_000, 1).pauses, []);
        // Three seconds: two before the pause, one after.
        let media = first.media_of_file(0, 48_000, 16_000, 1);
        assert_eq!((media.start, media.pauses.clone()), (s(0), vec![PauseInterval { start: s(2), duration: s(3) }]));
        first.apply(&Entry::ChunkHeld { media });
        let second = first.media_of_file(1, 16_000, 16_000, 1);
        assert_eq!((second.start, second.pauses), (s(6), vec![]));

        // Two seconds in the first file: the second begins where the recording was resumed.
        let mut cut_at_pause = ledger(&pauses);
        cut_at_pause.apply(&Entry::ChunkHeld { media: media_at(0, 2) });
        assert_eq!(cut_at_pause.media_of_file(1, 16_000, 16_000, 1).start, s(5));
    }

    /// A format that only its own readers understand, after one that ended properly.
    #[test]
    fn a_file_that_does_not_tell_its_length_begins_where_the_one_before_it_ended() {
        let mut ledger = ledger(&[
            Entry::Joined { at: s(7), participant: 0, name: "late".into() },
            Entry::Joined { at: s(0), participant: 1, name: "early".into() },
            Entry::Left { at: s(2), participant: 1 },
        ]);
        ledger.apply(&Entry::ChunkHeld { media: media_at(0, 2) });
        for edge in [Entry::Paused { at: s(1) }, Entry::Resumed { at: s(3) }, Entry::Paused { at: s(5) }] {
            ledger.apply(&edge);
        }
        ledger.apply(&Entry::Resumed { at: s(6) });
        ledger.apply(&Entry::Paused { at: s(8) });
        let pause = |start, duration| PauseInterval { start, duration };
        let first = ledger.media_of_file(0, 0, 0, 0);
        assert_eq!((first.start, first.pauses), (s(0), vec![pause(s(1), s(2)), pause(s(5), s(1))]));
        let media = ledger.media_of_file(1, 0, 0, 0);
        // Two seconds, and the two of the first pause.
        assert_eq!((media.start, media.rate, &media.pauses[..]), (s(4), 16_000, &[pause(s(5), s(1))][..]));
        let there = ledger.participants_of(&media);
        assert_eq!(there.iter().map(|(row, _)| row.name.as_str()).collect::<Vec<_>>(), ["late"]);
    }

    /// A journal that somebody has written into.
    #[test]
    fn times_that_cannot_be_bring_no_panic() {
        let edge = |pause: bool, at| if pause { Entry::Paused { at } } else { Entry::Resumed { at } };
        for times in [[s(2), s(5), s(0), s(1)], [s(5), s(2), s(9), s(9)], [s(0), Duration::MAX, s(0), Duration::MAX]] {
            let pauses = times.iter().enumerate().map(|(index, at)| edge(index % 2 == 0, *at));
            let mut ledger = ledger(&pauses.collect::<Vec<_>>());
            let chunk = ChunkMedia { start: Duration::MAX, samples: u64::MAX, ..media_at(2, 0) };
            ledger.apply(&Entry::ChunkHeld { media: ChunkMedia { pauses: ledger.pauses(s(9)), ..chunk } });
            for (index, samples, rate) in [(0, 16_000, 16_000), (1, 0, 0), (3, u64::MAX, 1), (3, 0, 0)] {
                let media = ledger.media_of_file(index, samples, rate, 1);
                ledger.participants_of(&media);
                ledger.notes_of(&media);
            }
            ledger.participants_of(ledger.chunks[&2].media.as_ref().unwrap());
        }
    }

    #[test]
    fn what_happens_at_a_cut_is_in_the_chunk_after_it() {
        let ledger = ledger(&[
            Entry::Joined { at: s(0), participant: 0, name: "early".into() },
            Entry::Joined { at: s(2), participant: 1, name: "late".into() },
        ]);
        let n_there = |media: &ChunkMedia| ledger.participants_of(media).len();
        assert_eq!((n_there(&media(0, 0, 2)), n_there(&media(1, 2, 2))), (1, 2));
    }

    #[test]
    fn a_trouble_at_the_end_is_told_though_its_time_is_rounded() {
        let at = s(2) + Duration::from_nanos(20_833);
        let ledger = ledger(&[
            Entry::Joined { at: s(0), participant: 0, name: "Ada".into() },
            Entry::Trouble { at, participant: 0, reason: "cut off".into(), silent: true },
        ]);
        assert_eq!(ledger.notes_of(&media(0, 0, 2)), ["Ada: cut off (at 2.000 s, silent from there on)"]);
        assert_eq!(ledger.notes_of(&media(0, 0, 1)), [""; 0]);
    }

    fn media_at(index: u32, seconds: u64) -> ChunkMedia {
        media(index, 0, seconds)
    }

    #[test]
    fn a_chunk_is_complete_with_both_its_messages() {
        let held = Entry::ChunkHeld { media: media(0, 0, 1) };
        let file = Entry::FileComplete { index: 0, size: 9 };
        for one in [&held, &file] {
            assert_eq!(ledger(std::slice::from_ref(one)).chunks[&0].complete(), None);
        }
        assert!(ledger(&[file, held]).chunks[&0].complete().is_some());
    }
}
