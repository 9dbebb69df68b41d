//! How many requests of a resource are answered in a second.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Instant;

use crate::acs::Problem;
use crate::model::ResourceId;

/// Tokens of a resource: a request takes one, and a second brings as many as it may ask for.
#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
    per_second: f64,
}

impl Bucket {
    /// Takes a token; returns whether there was one.
    fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.tokens = (self.tokens + passed * self.per_second).min(self.per_second);
        self.filled = now;
        let is_one = self.tokens >= 1.0;
        self.tokens -= if is_one { 1.0 } else { 0.0 };
        is_one
    }
}

/// What a request is, to be counted by: whoever asks too often what there is shall still be able to pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Read,
    Change,
}

/// Those of one resource.
#[derive(Debug)]
struct Buckets {
    reads: Mutex<Bucket>,
    changes: Mutex<Bucket>,
}

/// The limits of all resources.
#[derive(Debug, Default)]
pub struct Rates(HashMap<ResourceId, Buckets>);

impl Rates {
    /// Makes the limits, in requests per second: for those that change something as for the others.
    pub fn new(limits: impl IntoIterator<Item = (ResourceId, usize)>) -> Self {
        let filled = Instant::now();
        let bucket = |per_second: f64| Mutex::new(Bucket { tokens: per_second, filled, per_second });
        let buckets = |limit: f64| Buckets { reads: bucket(limit), changes: bucket(limit) };
        Self(limits.into_iter().map(|(id, limit)| (id, buckets(limit as f64))).collect())
    }

    /// Counts a request of a resource.
    ///
    /// # Errors
    ///
    /// There were too many in this second.
    pub(super) fn count(&self, resource: ResourceId, kind: Kind) -> Result<(), Problem> {
        let bucket = self.0.get(&resource).map(|buckets| match kind {
            Kind::Read => &buckets.reads,
            Kind::Change => &buckets.changes,
        });
        let is_one = bucket.is_none_or(|bucket| bucket.lock().unwrap().take(Instant::now()));
        match is_one {
            true => Ok(()),
            false => Err(Problem::TooMany("The resource asks more often than it may.".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::time::Duration;

    #[test]
    fn as_many_are_answered_as_seconds_bring() {
        let begin = Instant::now();
        let mut bucket = Bucket { tokens: 5.0, filled: begin, per_second: 5.0 };
        let n_taken = |bucket: &mut Bucket, at: Instant| (0..20).take_while(|_| bucket.take(at)).count();
        assert_eq!(n_taken(&mut bucket, begin), 5);
        assert_eq!(n_taken(&mut bucket, begin + Duration::from_millis(199)), 0);
        assert_eq!(n_taken(&mut bucket, begin + Duration::from_millis(400)), 2);
        // What was not asked for is not kept for longer than a second.
        assert_eq!(n_taken(&mut bucket, begin + Duration::from_secs(100)), 5);
        assert_eq!(n_taken(&mut bucket, begin), 0);
    }

    #[test]
    fn one_resource_does_not_use_up_what_another_may() {
        let [own, other] = [1, 2].map(|id| ResourceId(uuid::Uuid::from_u128(id)));
        let rates = Rates::new([(own, 1), (other, 1)]);
        assert_eq!(rates.count(own, Kind::Read), Ok(()));
        assert_eq!(rates.count(own, Kind::Read).map_err(|problem| problem.status()), Err(429));
        assert_eq!((rates.count(own, Kind::Change), rates.count(other, Kind::Read)), (Ok(()), Ok(())));
    }
}
