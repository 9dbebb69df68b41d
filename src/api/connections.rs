//! How many connections there may be, and which one makes room for another: the one that has been idle for longest.
//! Pure but for the word that it sends.
//!
//! Whoever opens connections and says nothing, or little at a time, costs a place for as long as nobody needs it. A
//! connection whose request is being answered keeps its place.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;

use tokio::sync::Notify;

/// Connections of one kind.
#[derive(Debug)]
pub(super) struct Connections {
    max: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Those that have a place, by number: since when they are idle. None: a request is being answered.
    open: HashMap<u64, Option<u64>>,
    /// Those that are idle, in the order in which they became so.
    idle: BTreeMap<u64, (u64, Arc<Notify>)>,
    n_opened: u64,
    n_rests: u64,
}

/// The place of a connection; free when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    connections: Arc<Connections>,
    number: u64,
    lost: Arc<Notify>,
}

/// A request that is being answered, until this is dropped.
#[derive(Debug)]
pub(super) struct Busy(Arc<Place>);

impl Connections {
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, state: Mutex::default() })
    }

    /// Gives a connection a place; None where all are taken by requests.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Arc<Place>> {
        let mut state = self.state.lock().unwrap();
        if state.open.len() >= self.max {
            let (_, (number, lost)) = state.idle.pop_first()?;
            state.open.remove(&number);
            lost.notify_one();
        }
        state.n_opened += 1;
        let place = Place { connections: Arc::clone(self), number: state.n_opened, lost: Arc::default() };
        state.rest(&place);
        drop(state);
        Some(Arc::new(place))
    }
}

impl State {
    fn rest(&mut self, place: &Place) {
        self.n_rests += 1;
        self.open.insert(place.number, Some(self.n_rests));
        self.idle.insert(self.n_rests, (place.number, Arc::clone(&place.lost)));
    }
}

impl Place {
    /// Waits until another connection has been given this place.
    pub(super) async fn lost(&self) {
        self.lost.notified().await;
    }

    /// Keeps the place while a request is answered.
    pub(super) fn busy(self: &Arc<Self>) -> Busy {
        let mut state = self.connections.state.lock().unwrap();
        // It may just have been lost.
        if let Some(rest) = state.open.get_mut(&self.number).and_then(Option::take) {
            state.idle.remove(&rest);
        }
        Busy(Arc::clone(self))
    }

    /// Returns whether no request is being answered.
    pub(super) fn is_idle(&self) -> bool {
        self.connections.state.lock().unwrap().open.get(&self.number) != Some(&None)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.connections.state.lock().unwrap();
        if state.open.get(&self.0.number) == Some(&None) {
            state.rest(&self.0);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.connections.state.lock().unwrap();
        if let Some(Some(rest)) = state.open.remove(&self.number) {
            state.idle.remove(&rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use futures_util::FutureExt;

    fn is_lost(place: &Place) -> bool {
        place.lost().now_or_never().is_some()
    }

    #[test]
    fn who_has_been_idle_for_longest_makes_room() {
        let connections = Connections::new(3);
        let [first, second, third] = [(); 3].map(|()| connections.enter().expect("there is room"));
        // The first has had a request since the others came.
        drop(first.busy());
        let busy = second.busy();
        let fourth = connections.enter().expect("the third makes room");
        assert_eq!([&first, &second, &third, &fourth].map(|place| is_lost(place)), [false, false, true, false]);
        let fifth = connections.enter().expect("the first makes room");
        assert_eq!([&first, &second, &fourth, &fifth].map(|place| is_lost(place)), [true, false, false, false]);
        drop(busy);
        assert!(second.is_idle());
        drop((connections.enter(), connections.enter()));
        assert!(is_lost(&fourth) && is_lost(&fifth) && !is_lost(&second));
    }

    #[test]
    fn who_is_being_answered_keeps_its_place() {
        let connections = Connections::new(2);
        let places = [(); 2].map(|()| connections.enter().expect("there is room"));
        let busy = places.each_ref().map(Place::busy);
        assert!(connections.enter().is_none() && places.iter().all(|place| !is_lost(place) && !place.is_idle()));
        drop(busy);
        assert!(connections.enter().is_some());
    }

    #[test]
    fn places_are_free_when_their_connections_end() {
        let connections = Connections::new(2);
        for _ in 0..5 {
            let [one, other] = [(); 2].map(|()| connections.enter().expect("there is room"));
            let busy = one.busy();
            assert!(!is_lost(&one) && !is_lost(&other));
            drop((one, other, busy));
        }
        // What was lost and then ends, or is asked something, frees nothing of its successor's.
        let [lost, kept] = [(); 2].map(|()| connections.enter().expect("there is room"));
        let next = connections.enter().expect("it is given room");
        assert!(is_lost(&lost));
        drop(lost.busy());
        drop(lost);
        let state = connections.state.lock().unwrap();
        assert_eq!((state.open.len(), state.idle.len()), (2, 2));
        drop(state);
        drop((kept, next));
        let state = connections.state.lock().unwrap();
        assert_eq!((state.open.len(), state.idle.len()), (0, 0));
    }
}
