//! Targets that are not quite sure.

use gradus::{Float, Source};
use ndarray::ArrayRef2;

// ANCHOR: Smoothed
/// The samples of another source, whose targets keep a share for all classes
/// alike: y ← (1 − s) y + s / c.
pub struct Smoothed<'a, F: Float> {
    pub source: &'a dyn Source<F>,
    pub share: f64,
}

impl<F: Float> Source<F> for Smoothed<'_, F> {
    fn len(&self) -> usize {
        self.source.len()
    }

    fn input_columns(&self) -> usize {
        self.source.input_columns()
    }

    fn target_columns(&self) -> usize {
        self.source.target_columns()
    }

    fn gather(&self, at: &[usize], x: &mut ArrayRef2<F>, y: &mut ArrayRef2<F>) {
        self.source.gather(at, x, y);
        let rest = F::cast(self.share / y.ncols() as f64);
        let kept = F::cast(1.0 - self.share);
        y.mapv_inplace(|y| kept * y + rest);
    }
}
// ANCHOR_END: Smoothed

#[cfg(test)]
mod tests {
    use super::*;
    use gradus::Samples;
    use ndarray::{Array2, array};

    #[test]
    fn a_share_is_spread_over_all_classes() {
        let samples = Samples::new(array![[7.0], [8.0]], array![[1.0, 0.0], [0.0, 1.0]]).unwrap();
        let smoothed = Smoothed { source: &samples, share: 0.2 };
        let (mut x, mut y) = (Array2::zeros((1, 1)), Array2::zeros((1, 2)));
        smoothed.gather(&[1], &mut x, &mut y);
        assert_eq!(x, array![[8.0]]);
        assert!((&y - &array![[0.1, 0.9]]).iter().all(|d: &f64| d.abs() < 1e-12), "{y}");
        assert_eq!(smoothed.len(), 2);
    }
}
