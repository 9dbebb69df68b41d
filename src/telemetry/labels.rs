//! Labels: enums of few values, so that no series is made of what somebody sends.

/// What a series is told apart by.
pub trait Label: Copy + 'static {
    /// Its name.
    const NAME: &'static str;
    /// All values, about ten at most.
    const ALL: &'static [Self];

    /// Returns the word of a value.
    fn word(self) -> &'static str;
}

/// The labels of a metric: none, one, or two.
pub trait Labels: Copy + 'static {
    /// Returns their names.
    fn names() -> Vec<&'static str>;

    /// Returns every combination.
    fn all() -> Vec<Self>;

    /// Returns the words of a combination, in the order of the names.
    fn words(self) -> Vec<&'static str>;
}

impl Labels for () {
    fn names() -> Vec<&'static str> {
        Vec::new()
    }

    fn all() -> Vec<Self> {
        vec![()]
    }

    fn words(self) -> Vec<&'static str> {
        Vec::new()
    }
}

impl<L: Label> Labels for L {
    fn names() -> Vec<&'static str> {
        vec![L::NAME]
    }

    fn all() -> Vec<Self> {
        L::ALL.to_vec()
    }

    fn words(self) -> Vec<&'static str> {
        vec![self.word()]
    }
}

impl<A: Label, B: Label> Labels for (A, B) {
    fn names() -> Vec<&'static str> {
        vec![A::NAME, B::NAME]
    }

    fn all() -> Vec<Self> {
        A::ALL.iter().flat_map(|a| B::ALL.iter().map(|b| (*a, *b))).collect()
    }

    fn words(self) -> Vec<&'static str> {
        vec![self.0.word(), self.1.word()]
    }
}
