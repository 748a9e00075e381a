//! One thing to measure.

/// One thing to measure, and what it is to be held against.
#[must_use]
pub struct Case {
    pub(crate) name: &'static str,
    pub(crate) against: Option<Against>,
    pub(crate) run: Box<dyn FnMut()>,
}

/// What a case is held against, and how much it may cost.
#[derive(Clone, Debug)]
pub struct Against {
    /// The names of the rows; their figures are added up.
    pub rows: &'static [&'static str],
    /// How the two are compared.
    pub comparison: Comparison,
    /// The most the comparison may come to.
    pub budget: Option<f64>,
    /// How many more allocations there may be.
    pub allocations: Option<f64>,
}

/// How a row is compared with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// How many times as long it takes.
    Times,
    /// How many nanoseconds more.
    More,
}

impl Case {
    /// What `run` does, once each time it is called.
    pub fn new(name: &'static str, run: impl FnMut() + 'static) -> Self {
        Self {
            name,
            against: None,
            run: Box::new(run),
        }
    }

    /// Compares it, as a ratio, with these rows together.
    pub fn times(self, rows: &'static [&'static str]) -> Self {
        self.against(rows, Comparison::Times)
    }

    /// Compares it, as a difference, with these rows together.
    pub fn more_than(self, rows: &'static [&'static str]) -> Self {
        self.against(rows, Comparison::More)
    }

    /// The most that the comparison may come to, in its unit.
    ///
    /// # Panics
    ///
    /// There is no comparison yet.
    pub fn budget(mut self, budget: f64) -> Self {
        self.comparison().budget = Some(budget);
        self
    }

    /// How many more allocations than the rows it is compared with it may have.
    ///
    /// # Panics
    ///
    /// As [`budget`](Self::budget).
    pub fn allocations(mut self, more: f64) -> Self {
        self.comparison().allocations = Some(more);
        self
    }

    const fn comparison(&mut self) -> &mut Against {
        self.against.as_mut().expect("a budget is of a comparison")
    }

    fn against(mut self, rows: &'static [&'static str], comparison: Comparison) -> Self {
        self.against = Some(Against {
            rows,
            comparison,
            budget: None,
            allocations: None,
        });
        self
    }
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Case")
            .field("name", &self.name)
            .field("against", &self.against)
            .finish_non_exhaustive()
    }
}
