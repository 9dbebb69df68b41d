//! All series of one service, for whoever registers in it and for who scrapes it. There is no registry of the process:
//! two services in one (tests) count for themselves.

use prometheus::CounterVec;
use prometheus::Encoder;
use prometheus::GaugeVec;
use prometheus::HistogramOpts;
use prometheus::HistogramVec;
use prometheus::Opts;
use prometheus::TextEncoder;
use prometheus::core::Collector;
use prometheus::core::Desc;
use prometheus::proto;

use crate::telemetry::Kind;
use crate::telemetry::Labels;
use crate::telemetry::Metric;

/// Bounds of what takes from a millisecond to half a minute.
pub const SECONDS: &[f64] = &[0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Series of one service.
#[derive(Debug, Clone, Default)]
pub struct Registry(prometheus::Registry);

/// A counter for each value of its labels. They are there from the start, at 0.
#[derive(Debug, Clone)]
pub struct Counters<L>(CounterVec, std::marker::PhantomData<L>);

/// A gauge for each value of its labels.
#[derive(Debug, Clone)]
pub struct Gauges<L>(GaugeVec, std::marker::PhantomData<L>);

/// A histogram for each value of its labels.
#[derive(Debug, Clone)]
pub struct Histograms<L>(HistogramVec, std::marker::PhantomData<L>);

/// How values that somebody else counts were distributed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Distribution {
    /// Upper bounds, each with how many values were not above it.
    pub buckets: Vec<(f64, u64)>,
    /// How many values there were.
    pub n: u64,
    /// Their sum.
    pub sum: f64,
}

impl<L: Labels> Counters<L> {
    /// Adds to one; what is below 0 is nothing.
    pub fn add(&self, labels: L, by: f64) {
        self.0.with_label_values(&labels.words()).inc_by(by.max(0.0));
    }
}

impl<L: Labels> Gauges<L> {
    /// Sets one.
    pub fn set(&self, labels: L, to: f64) {
        self.0.with_label_values(&labels.words()).set(to);
    }
}

impl<L: Labels> Histograms<L> {
    /// Takes note of a value.
    pub fn observe(&self, labels: L, value: f64) {
        self.0.with_label_values(&labels.words()).observe(value);
    }
}

impl Registry {
    /// Registers counters that who has them adds to.
    pub fn counters<L: Labels>(&self, metric: Metric) -> Counters<L> {
        let made = CounterVec::new(opts::<L>(metric, Kind::Counter), metric.labels()).expect(NAMES);
        L::all().into_iter().for_each(|labels| drop(made.with_label_values(&labels.words())));
        self.register(made.clone());
        Counters(made, std::marker::PhantomData)
    }

    /// Registers gauges that who has them sets.
    pub fn gauges<L: Labels>(&self, metric: Metric) -> Gauges<L> {
        let made = GaugeVec::new(opts::<L>(metric, Kind::Gauge), metric.labels()).expect(NAMES);
        self.register(made.clone());
        Gauges(made, std::marker::PhantomData)
    }

    /// Registers histograms with these bounds.
    pub fn histograms<L: Labels>(&self, metric: Metric, bounds: &[f64]) -> Histograms<L> {
        let opts = HistogramOpts::from(opts::<L>(metric, Kind::Histogram)).buckets(bounds.to_vec());
        let made = HistogramVec::new(opts, metric.labels()).expect(NAMES);
        L::all().into_iter().for_each(|labels| drop(made.with_label_values(&labels.words())));
        self.register(made.clone());
        Histograms(made, std::marker::PhantomData)
    }

    /// Registers what somebody else counts or knows: it is read at each scrape, and must not wait for anybody.
    pub fn read<L: Labels>(&self, metric: Metric, read: impl Fn() -> Vec<(L, f64)> + Send + Sync + 'static) {
        assert_eq!(L::names(), metric.labels(), "labels of {metric:?}");
        let sample = move |(labels, value): (L, f64)| {
            let mut sample = sample(metric, &labels.words());
            match metric.kind() {
                Kind::Counter => {
                    sample.set_counter(with(proto::Counter::default(), |counter| counter.set_value(value)))
                }
                _ => sample.set_gauge(with(proto::Gauge::default(), |gauge| gauge.set_value(value))),
            }
            sample
        };
        assert_ne!(metric.kind(), Kind::Histogram, "{metric:?}");
        self.register(AtScrape::new(metric, move || read().into_iter().map(&sample).collect()));
    }

    /// Registers one value that somebody else counts or knows, as [`Self::read`] does.
    pub fn read_one(&self, metric: Metric, read: impl Fn() -> f64 + Send + Sync + 'static) {
        self.read(metric, move || vec![((), read())]);
    }

    /// Registers a histogram that somebody else counts, as [`Self::read`] does.
    pub fn read_histogram(&self, metric: Metric, read: impl Fn() -> Distribution + Send + Sync + 'static) {
        assert_eq!((metric.kind(), metric.labels().len()), (Kind::Histogram, 0), "{metric:?}");
        let sample = move || {
            let Distribution { buckets, n, sum } = read();
            let bucket = |(bound, count)| {
                with(proto::Bucket::default(), |bucket| {
                    bucket.set_upper_bound(bound);
                    bucket.set_cumulative_count(count);
                })
            };
            let mut histogram = proto::Histogram::default();
            histogram.set_bucket(buckets.into_iter().map(bucket).collect());
            histogram.set_sample_count(n);
            histogram.set_sample_sum(sum);
            vec![with(sample(metric, &[]), |sample| sample.set_histogram(histogram))]
        };
        self.register(AtScrape::new(metric, sample));
    }

    /// Registers a gauge that is always 1, for what `value` says of its only label.
    pub fn info(&self, metric: Metric, value: &'static str) {
        self.register(AtScrape::new(metric, move || {
            let gauge = with(proto::Gauge::default(), |gauge| gauge.set_value(1.0));
            vec![with(sample(metric, &[value]), |sample| sample.set_gauge(gauge))]
        }));
    }

    /// Returns all series as text (exposition format 0.0.4).
    pub fn encode(&self) -> Vec<u8> {
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.0.gather(), &mut text) {
            tracing::error!(%error, "metrics cannot be told");
        }
        text
    }

    fn register(&self, collector: impl Collector + 'static) {
        self.0.register(Box::new(collector)).expect("each metric is registered once");
    }
}

const NAMES: &str = "names are tested";

fn opts<L: Labels>(metric: Metric, kind: Kind) -> Opts {
    assert_eq!((L::names().as_slice(), kind), (metric.labels(), metric.kind()), "{metric:?}");
    Opts::new(metric.name(), metric.help())
}

fn sample(metric: Metric, words: &[&str]) -> proto::Metric {
    let label = |(name, word): (&&str, &&str)| {
        with(proto::LabelPair::default(), |pair| {
            pair.set_name((*name).to_owned());
            pair.set_value((*word).to_owned());
        })
    };
    let mut labels: Vec<_> = metric.labels().iter().zip(words).map(label).collect();
    labels.sort_by(|one, other| one.name().cmp(other.name()));
    proto::Metric::from_label(labels)
}

fn with<T>(mut value: T, change: impl FnOnce(&mut T)) -> T {
    change(&mut value);
    value
}

/// What is read at each scrape.
struct AtScrape<F> {
    desc: Desc,
    metric: Metric,
    read: F,
}

impl<F: Fn() -> Vec<proto::Metric> + Send + Sync> AtScrape<F> {
    fn new(metric: Metric, read: F) -> Self {
        let labels = metric.labels().iter().map(|label| (*label).to_owned()).collect();
        let desc = Desc::new(metric.name().to_owned(), metric.help().to_owned(), labels, Default::default());
        Self { desc: desc.expect(NAMES), metric, read }
    }
}

impl<F: Fn() -> Vec<proto::Metric> + Send + Sync> Collector for AtScrape<F> {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.desc]
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        let mut family = proto::MetricFamily::default();
        family.set_name(self.metric.name().to_owned());
        family.set_help(self.metric.help().to_owned());
        family.set_field_type(match self.metric.kind() {
            Kind::Counter => proto::MetricType::COUNTER,
            Kind::Gauge => proto::MetricType::GAUGE,
            Kind::Histogram => proto::MetricType::HISTOGRAM,
        });
        family.set_metric((self.read)());
        vec![family]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Label;

    #[derive(Debug, Clone, Copy)]
    enum Format {
        Wav,
        Mp3,
    }

    impl Label for Format {
        const NAME: &'static str = "format";
        const ALL: &'static [Self] = &[Self::Wav, Self::Mp3];

        fn word(self) -> &'static str {
            match self {
                Self::Wav => "wav",
                Self::Mp3 => "mp3",
            }
        }
    }

    fn lines(registry: &Registry) -> Vec<String> {
        let text = String::from_utf8(registry.encode()).expect("it is text");
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    }

    #[test]
    fn counters_are_there_before_anything_happens_and_never_shrink() {
        let registry = Registry::default();
        let started = registry.counters::<Format>(Metric::RecordingsStarted);
        started.add(Format::Mp3, 2.0);
        started.add(Format::Mp3, -1.0);
        let name = Metric::RecordingsStarted.name();
        assert_eq!(lines(&registry), [format!("{name}{{format=\"mp3\"}} 2"), format!("{name}{{format=\"wav\"}} 0")]);
    }

    #[test]
    fn what_others_count_is_read_when_it_is_asked_for() {
        let registry = Registry::default();
        let count = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
        let read = std::sync::Arc::clone(&count);
        registry.read_one(Metric::KernelDrops, move || read.load(std::sync::atomic::Ordering::Relaxed) as f64);
        registry.info(Metric::BuildInfo, "1.2.3");
        let buckets = vec![(0.5, 2), (1.0, 3)];
        registry.read_histogram(Metric::TickLateness, move || Distribution {
            buckets: buckets.clone(),
            n: 4,
            sum: 7.5,
        });
        count.store(7, std::sync::atomic::Ordering::Relaxed);
        let tick = |rest: &str| format!("{}{rest}", Metric::TickLateness.name());
        let expected = [
            "reelgraph_build_info{version=\"1.2.3\"} 1".to_owned(),
            "reelgraph_kernel_dropped_packets_total 7".to_owned(),
            tick("_bucket{le=\"0.5\"} 2"),
            tick("_bucket{le=\"1\"} 3"),
            tick("_bucket{le=\"+Inf\"} 4"),
            tick("_sum 7.5"),
            tick("_count 4"),
        ];
        assert_eq!(lines(&registry), expected);
    }
}
