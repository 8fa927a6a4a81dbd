//! Section 12: a few giant gradients.

use gradus::{Clipped, Momentum, Source};
use lab::{Lab, Lines, Result, Table};
use ndarray::ArrayRef2;

use crate::mnist::{Digits, IMAGES, Means, SEEDS, cells, smoothed};
use crate::tune::Tuned;

/// The largest norm of a gradient.
const LARGEST: f64 = 1.0;

/// Of so many images, one has pixels from 0 to 255.
const EVERY: usize = 1000;

/// Images of which a few were not divided by 255.
struct Broken<'a> {
    source: &'a dyn Source<f32>,
}

impl Source<f32> for Broken<'_> {
    fn len(&self) -> usize {
        self.source.len()
    }

    fn input_columns(&self) -> usize {
        self.source.input_columns()
    }

    fn target_columns(&self) -> usize {
        self.source.target_columns()
    }

    fn gather(&self, rows: &[usize], x: &mut ArrayRef2<f32>, y: &mut ArrayRef2<f32>) {
        self.source.gather(rows, x, y);
        for (i, row) in rows.iter().enumerate() {
            if row % EVERY == 0 {
                x.row_mut(i).mapv_inplace(|pixel| 255.0 * pixel);
            }
        }
    }
}

/// 12. Ten images of ten thousand.
pub fn giant_gradients(seed: u64, digits: &Digits, tuned: &Tuned, lab: &mut Lab) -> Result<()> {
    lab.section("clipping", "12  A few giant gradients")?;
    lab.section_near(0.05);
    let rate = tuned.best("momentum")?.0;
    lab.say(format!(
        "Of the {IMAGES} digits, {} were not divided by 255 by mistake. Momentum at its tuned rate,\n\
         {rate}, as it is and with gradients clipped to the norm {LARGEST}:\n",
        IMAGES / EVERY
    ));
    let source = digits.source()?;
    let broken = Broken { source: &source };
    let mut table = Table::new(&["", "training loss", "test accuracy"]);
    let mut figure = Lines::new("step", "loss, mean of 10 steps").log_y();
    let cases = [
        ("all images right", "right", false, false),
        ("all images right, clipped", "right_clipped", false, true),
        ("ten images wrong", "wrong", true, false),
        ("ten images wrong, clipped", "wrong_clipped", true, true),
    ];
    for (name, key, wrong, clip) in cases {
        let mut runs = Vec::new();
        for seed in seed..seed + SEEDS {
            let momentum = Momentum::new(rate, 0.9)?;
            let source: &dyn Source<f32> = if wrong { &broken } else { &source };
            let trained = if clip {
                digits.train_on(source, Clipped::new(momentum, LARGEST)?, seed)?
            } else {
                digits.train_on(source, momentum, seed)?
            };
            runs.extend(trained);
        }
        let means = (runs.len() as u64 == SEEDS).then(|| Means::of(&runs));
        table.push([vec![name.into()], cells(&means)].concat());
        if let Some(means) = means {
            lab.near(&format!("clipping_{key}_loss"), means.loss, 0.05);
            lab.near(&format!("clipping_{key}_accuracy"), means.accuracy, 0.05);
        }
        if let Some(run) = runs.first() {
            let (xs, ys) = smoothed(&run.losses).into_iter().unzip::<f64, f64, Vec<_>, Vec<_>>();
            figure = figure.series(name, xs, ys);
        }
    }
    lab.table(&table);
    lab.figure(
        "clipping",
        "The training of a network on MNIST with momentum: with all images right and with ten of \
         10,000 not divided by 255, each with and without clipping gradients to the norm 1. Each point is the \
         mean loss of ten steps, on a logarithmic axis.",
        "Four jagged curves. Three of them fall together, one of these with spikes. The fourth, \
         with wrong images and without clipping, leaps up and stays high.",
        &figure,
    )
}
