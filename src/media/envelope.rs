//! The lower envelope of transit times: what a packet would take if nobody had held it up.
//!
//! Transit is arrival less media time. Its least values lie on a straight line whose slope is the difference of the two
//! clocks; all others are above it by their jitter. The line is the one that stays below all points and has the least
//! sum of distances to them: the edge of their lower convex hull above their mean (Moon, Skelly, Towsley, "Estimation
//! and removal of clock skew from network delay measurements", INFOCOM 1999). A minimum alone would be wrong by the
//! skew times the age of the minimum.
//!
//! Of each second only the least transit is kept. Pure.

use std::collections::VecDeque;

/// Media time of which one point is kept.
const BUCKET_NS: i64 = 1_000_000_000;

/// Points that are kept. A path that has become slower for good is believed after this many seconds.
const BUCKETS_MAX: usize = 60;

/// How much clocks differ as a rule, in 1/10⁹: crystals by 20 to 100 ppm, cheap ones by more. A slope is believed as
/// far as what it may be wrong by is less than this.
const SLOPE_USUAL_PPB: f64 = 200_000.0;

/// What least transits scatter by where nothing holds packets up: the scheduling of sender and receiver.
const SCATTER_MIN_NS: f64 = 100_000.0;

/// Fewer points lie on a line by chance.
const POINTS_MIN: usize = 4;

/// Clocks that differ by more are broken; what they do is not followed. In 1/10⁹.
const SLOPE_MAX_PPB: i64 = 1_000_000;

/// A straight line of transit (ns) over media time (ns).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Line {
    x_ns: i64,
    y_ns: i64,
    /// In 1/10⁹.
    pub(super) slope_ppb: i64,
}

impl Line {
    /// Returns the transit at a media time.
    pub(super) fn at(self, x_ns: i64) -> i64 {
        self.y_ns.saturating_add(share(x_ns.saturating_sub(self.x_ns), self.slope_ppb))
    }
}

/// Returns `ppb` 1/10⁹ of `ns`.
pub(super) fn share(ns: i64, ppb: i64) -> i64 {
    let product = i128::from(ns) * i128::from(ppb) / 1_000_000_000;
    i64::try_from(product).unwrap_or(if product < 0 { i64::MIN } else { i64::MAX })
}

/// The least transit of one bucket.
#[derive(Debug, Clone, Copy)]
struct Point {
    x_ns: i64,
    y_ns: i64,
}

impl Point {
    fn bucket(self) -> i64 {
        self.x_ns.div_euclid(BUCKET_NS)
    }
}

/// What is known of a path and of the two clocks at its ends.
#[derive(Debug, Clone, Default)]
pub(super) struct Envelope {
    /// In order of media time, one for each bucket.
    points: VecDeque<Point>,
    line: Line,
}

impl Envelope {
    /// Takes note of a packet: its media time and its transit.
    pub(super) fn observe(&mut self, x_ns: i64, y_ns: i64) {
        let point = Point { x_ns, y_ns };
        let bucket = point.bucket();
        let is_below = self.points.is_empty() || y_ns < self.line.at(x_ns);
        if self.points.back().is_none_or(|last| last.bucket() < bucket) {
            self.points.push_back(point);
            let oldest = bucket - BUCKETS_MAX as i64;
            while self.points.front().is_some_and(|first| first.bucket() <= oldest) {
                self.points.pop_front();
            }
            self.fit();
            return;
        }
        // Of a second in which nothing else came a straggler tells little.
        let Some(known) = self.points.iter_mut().rev().find(|known| known.bucket() == bucket) else { return };
        if y_ns < known.y_ns {
            *known = point;
        }
        if is_below {
            self.fit();
        }
    }

    /// Returns the line.
    pub(super) fn line(&self) -> Line {
        self.line
    }

    fn fit(&mut self) {
        let Some(last) = self.points.back() else { return };
        let (x_ns, hull_ppb) = (last.x_ns, self.hull_slope_ppb());
        let slope_ppb = (hull_ppb as f64 * self.belief(hull_ppb)) as i64;
        self.line = Line { x_ns, y_ns: self.below_all(x_ns, slope_ppb), slope_ppb };
    }

    /// Returns the transit at `x_ns` of the line with a slope that has no point below it, and one on it.
    fn below_all(&self, x_ns: i64, slope_ppb: i64) -> i64 {
        let at_x = |point: &Point| point.y_ns.saturating_add(share(x_ns - point.x_ns, slope_ppb));
        self.points.iter().map(at_x).min().unwrap_or_default()
    }

    /// Returns how far a slope is to be believed, from 0 to 1: as far as it is larger than its error, which the points'
    /// distances from the line tell (a Wiener filter; the error is that of least squares).
    fn belief(&self, slope_ppb: i64) -> f64 {
        let (Some(first), Some(last)) = (self.points.front(), self.points.back()) else { return 0.0 };
        let n = self.points.len();
        if n < POINTS_MIN {
            return 0.0;
        }
        let line = Line { x_ns: last.x_ns, y_ns: self.below_all(last.x_ns, slope_ppb), slope_ppb };
        let above = self.points.iter().map(|point| point.y_ns.saturating_sub(line.at(point.x_ns)) as f64).sum::<f64>();
        // Two of them are on the line.
        let scatter_ns = (above / (n - 2) as f64).max(SCATTER_MIN_NS);
        let span_ns = (last.x_ns - first.x_ns) as f64;
        let error_ppb = 1e9 * scatter_ns * (12.0 / n as f64).sqrt() / span_ns;
        let (usual, error) = (SLOPE_USUAL_PPB.powi(2), error_ppb.powi(2));
        usual / (usual + error)
    }

    /// Returns the slope of the lower hull's edge above the points' mean.
    fn hull_slope_ppb(&self) -> i64 {
        let n = self.points.len() as i128;
        let mean = (self.points.iter().map(|point| i128::from(point.x_ns)).sum::<i128>() / n.max(1)) as i64;
        let mut hull: Vec<Point> = Vec::with_capacity(self.points.len());
        for point in &self.points {
            while let [.., a, b] = hull[..] {
                // The middle one stays where the way by it turns left.
                let turn = |from: Point, to: Point| (i128::from(to.x_ns - from.x_ns), i128::from(to.y_ns - from.y_ns));
                let ((ax, ay), (bx, by)) = (turn(a, b), turn(b, *point));
                if ax * by > ay * bx {
                    break;
                }
                hull.pop();
            }
            hull.push(*point);
        }
        let edge = hull.windows(2).find(|edge| edge[1].x_ns >= mean);
        edge.map_or(0, |edge| {
            let (dx, dy) = (edge[1].x_ns - edge[0].x_ns, edge[1].y_ns - edge[0].y_ns);
            let slope = i128::from(dy) * 1_000_000_000 / i128::from(dx.max(1));
            slope.clamp(i128::from(-SLOPE_MAX_PPB), i128::from(SLOPE_MAX_PPB)) as i64
        })
    }
}
