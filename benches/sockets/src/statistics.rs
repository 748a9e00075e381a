//! Figures of many samples.

/// The middle one; not a number if there are none.
pub(crate) fn median(samples: impl IntoIterator<Item = f64>) -> f64 {
    let mut samples: Vec<_> = samples.into_iter().collect();
    samples.sort_by(f64::total_cmp);
    at(&samples, 0.5)
}

/// The sample below which this share of them lies.
pub(crate) fn percentile(samples: &[f64], share: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    at(&sorted, share)
}

fn at(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let index = (last as f64 * share).round() as usize;
    sorted.get(index).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples() {
        let samples: Vec<f64> = (0..=1000).rev().map(f64::from).collect();
        assert!((median(samples.clone()) - 500.0).abs() < 1e-9);
        assert!((percentile(&samples, 0.99) - 990.0).abs() < 1e-9);
        assert!((percentile(&samples, 1.0) - 1000.0).abs() < 1e-9);
        assert!(median([]).is_nan());
    }
}
