//! The figures of this chapter.

use gradus::{
    BinaryCrossEntropy, CategoricalCrossEntropy, Elementwise, Float, Loss, MeanSquaredError,
    OutputActivation, Sigmoid, Softmax,
};
use lab::{Lab, Lines, Panels};
use ndarray::{Array1, Array2, Axis};
use ndarray_linalg::SVD;

use crate::measure::Cost;
use crate::routes::{composed, confident, softmax_fused};
use crate::trained::BothWays;
use crate::wrong::PaddedCrossEntropy;

/// Numbers from `lo` to `hi`, evenly spaced.
fn grid(lo: f64, hi: f64, count: usize) -> Vec<f64> {
    Array1::linspace(lo, hi, count).to_vec()
}

fn column(xs: &[f64]) -> Array2<f64> {
    Array1::from(xs.to_vec()).insert_axis(Axis(1))
}

/// Section 1: the loss of a confidently wrong sample, step by step.
pub fn stuck(lab: &mut Lab, margin: f64, right: &[f64], padded: &[f64]) -> lab::Result<()> {
    let steps = || (0..right.len()).map(|step| step as f64);
    let lines = Lines::new("step of gradient descent", "loss")
        .series("by ŷ − y", steps(), right.iter().copied())
        .series("by −y/(ŷ + ε) and the Jacobian", steps(), padded.iter().copied())
        .y_range(0.0, 1.1 * margin);
    lab.figure(
        "stuck",
        &format!(
            "Cross-entropy of one sample of two classes whose wrong class begins {margin} logits \
             ahead, while gradient descent with rate 1 changes the logits."
        ),
        &format!(
            "Two curves begin at a loss of {margin}. One falls in a straight line and is at zero \
             after about {:.0} steps. The other stands at {:.1} at the right edge, step {}.",
            margin / 2.0,
            padded[padded.len() - 1],
            padded.len() - 1
        ),
        &lines,
    )
}

/// Section 2: losses and derivatives over an output whose target is 1.
pub fn losses(lab: &mut Lab) -> lab::Result<()> {
    let xs = grid(0.005, 1.0, 200);
    let (y_hat, y) = (column(&xs), column(&vec![1.0; xs.len()]));
    let value = |loss: &dyn Loss<f64>| loss.values(&y_hat, &y).to_vec();
    let slope = |loss: &dyn Loss<f64>| loss.derivative(&y_hat, &y).into_iter().collect::<Vec<_>>();
    let panel = |y_label, squared, entropy, lo, hi| {
        Lines::new("output ŷ", y_label)
            .series("squared error", xs.clone(), squared)
            .series("cross-entropy", xs.clone(), entropy)
            .y_range(lo, hi)
    };
    let (squared, entropy) = (&MeanSquaredError, &BinaryCrossEntropy);
    let panels = Panels::new(2)
        .panel("The loss", panel("L", value(squared), value(entropy), 0.0, 5.0))
        .panel("Its slope", panel("∂L/∂ŷ", slope(squared), slope(entropy), -20.0, 1.0));
    lab.figure(
        "losses",
        "Squared error and cross-entropy of one output ŷ with target 1, and their derivatives.",
        "Left, both losses fall to zero as the output nears 1; towards 0 the squared error ends \
         at 1 while the cross-entropy shoots up. Right, the slope of the squared error is a \
         straight line from −2 to 0; that of the cross-entropy plunges out of the picture near 0.",
        &panels,
    )
}

/// Section 2: the same over the logit.
pub fn logits(lab: &mut Lab) -> lab::Result<()> {
    let xs = grid(-10.0, 6.0, 161);
    let (z, y) = (column(&xs), column(&vec![1.0; xs.len()]));
    let y_hat = Elementwise(Sigmoid).apply(&z);
    let value = |loss: &dyn Loss<f64>| loss.values(&y_hat, &y).to_vec();
    let slope = |loss: &dyn Loss<f64>| {
        composed(loss, &Elementwise(Sigmoid), &z, &y).into_iter().collect::<Vec<_>>()
    };
    let panel = |y_label, squared, entropy| {
        Lines::new("logit z", y_label).series("squared error", xs.clone(), squared).series(
            "cross-entropy",
            xs.clone(),
            entropy,
        )
    };
    let (squared, entropy) = (&MeanSquaredError, &BinaryCrossEntropy);
    let panels = Panels::new(2)
        .panel("The loss", panel("L", value(squared), value(entropy)))
        .panel("Its slope", panel("∂L/∂z", slope(squared), slope(entropy)).y_range(-1.1, 0.1));
    lab.figure(
        "logits",
        "The same two losses over the logit z, where ŷ = σ(z) and the target is 1.",
        "Left, for very negative logits the squared error levels out at 1 while the \
         cross-entropy goes on rising along a straight line. Right, the slope of the squared \
         error dips to about −0.3 near zero and is zero on both sides; that of the cross-entropy \
         goes to −1 on the left and to 0 on the right.",
        &panels,
    )
}

/// Section 7: time over the number of outputs.
pub fn cost(lab: &mut Lab, n: usize, costs: &[Cost]) -> lab::Result<()> {
    let ms = || costs.iter().map(|cost| cost.m as f64);
    let lines = Lines::new("outputs m", "milliseconds for a batch")
        .series("with the Jacobians", ms(), costs.iter().map(|cost| cost.jacobian * 1e3))
        .series("s ⊙ (d − s·d)", ms(), costs.iter().map(|cost| cost.product * 1e3))
        .log_x()
        .log_y();
    lab.figure(
        "cost",
        &format!("Time to go back through softmax for {n} samples, in f32; both axes logarithmic."),
        "Two rising lines on logarithmic axes. The line with the Jacobians lies higher and is more \
         than twice as steep: some ten times slower at 10 outputs, thousands of times at 1000.",
        &lines,
    )
}

/// Section 8: singular values between probabilities.
pub fn spectrum(lab: &mut Lab, sorted: &[f64], sigma: &Array1<f64>) -> lab::Result<()> {
    let places = |shift: f64| (1..=sorted.len()).map(move |k| k as f64 + shift);
    let panel = |floor: f64| {
        Lines::new("place in order of size", "probability, singular value")
            .points("probabilities", places(0.0), sorted.iter().copied())
            .points("singular values", places(0.5), sigma.iter().map(move |x| x.max(floor)))
            .x_range(0.5, sorted.len() as f64 + 1.0)
    };
    let linear = panel(0.0).y_range(-0.02, 1.1 * sorted[0]);
    let logarithmic = panel(f64::EPSILON).log_y().y_range(1e-17, 10.0);
    let panels = Panels::new(2).panel("linear", linear).panel("logarithmic", logarithmic);
    lab.figure(
        "spectrum",
        &format!(
            "Singular values of the Jacobian of softmax at {} random logits, each drawn half a \
             place after the probability of the same rank. On the right, zero is drawn at the \
             machine epsilon.",
            sorted.len()
        ),
        "Left, two kinds of marks come down in turn, each singular value between two \
         probabilities; the last lies at zero. Right, on a logarithmic axis, the marks lie close \
         together at the top, but the last singular value is fifteen orders of magnitude below.",
        &panels,
    )
}

/// Section 8: what confidence does to the Jacobian.
pub fn confidence(lab: &mut Lab, z: &Array2<f64>) -> lab::Result<()> {
    let factors = grid(0.0, 6.0, 121);
    let mut curves = vec![Vec::new(); z.ncols()];
    for &factor in &factors {
        let jacobian = Softmax.jacobian(&(z * factor)).index_axis_move(Axis(0), 0);
        let (_, sigma, _) = jacobian.svd(false, false)?;
        curves.iter_mut().zip(sigma).for_each(|(curve, sigma)| curve.push(sigma));
    }
    let peak = curves[0].iter().copied().fold(0.0, f64::max);
    let end = curves[0][factors.len() - 1];
    lab.near("largest_singular_value_peak", peak, 1e-6);
    let mut lines = Lines::new("factor on the logits", "singular value");
    for (k, curve) in curves.into_iter().enumerate() {
        lines = lines.series(&format!("λ{}", subscript(k + 1)), factors.clone(), curve);
    }
    lab.figure(
        "confidence",
        "All singular values of the Jacobian of softmax, while the logits are multiplied by a \
         growing factor.",
        &format!(
            "At factor 0 all singular values but the last are equal. As the factor grows they \
             part: the largest reaches {peak:.2} and is down to {end:.2} at the right edge, where \
             the others have all but vanished. The last is zero throughout."
        ),
        &lines,
    )
}

fn subscript(k: usize) -> char {
    char::from_u32(0x2080 + k as u32).unwrap_or('?')
}

/// Section 9: three ways to one slope, in both precisions.
pub fn vanishing(lab: &mut Lab) -> lab::Result<()> {
    let panels = Panels::new(2)
        .panel("f64, ε = 2.2e-16", slopes::<f64>(60.0))
        .panel("f32, ε = 1.2e-7", slopes::<f32>(110.0));
    lab.figure(
        "vanishing",
        "Derivative of the cross-entropy with respect to the logit of the true class, over how \
         far the wrong class is ahead. The composed way without ε ends where 1/ŷ overflows: in \
         f32 at 89, in f64 beyond the picture, at 710.",
        "In both panels the slope falls from 0 to −1 and ŷ − y stays there. With ε the curve \
         leaves it and climbs back to 0, at about 36 logits in f64 and 16 in f32. In f32 the \
         composed way without ε follows ŷ − y and breaks off near 89.",
        &panels,
    )
}

/// ∂L/∂z from z and y.
type Gradient<'a, F> = &'a dyn Fn(&Array2<F>, &Array2<F>) -> Array2<F>;

fn slopes<F: Float>(end: f64) -> Lines {
    let margins = grid(-10.0, end, 281);
    let curve = |slope: Gradient<F>| {
        let points = margins.iter().map(|&margin| {
            let (z, y) = confident(margin);
            (margin, slope(&z, &y)[[0, 0]].as_f64())
        });
        points.filter(|(_, slope)| slope.is_finite()).unzip::<f64, f64, Vec<_>, Vec<_>>()
    };
    let padded = curve(&|z, y| composed(&PaddedCrossEntropy, &Softmax, z, y));
    let plain = curve(&|z, y| composed(&CategoricalCrossEntropy, &Softmax, z, y));
    let fused = curve(&|z, y| softmax_fused(z, y));
    Lines::new("logits by which the wrong class is ahead", "∂L/∂z of the true class")
        .series("ŷ − y", fused.0, fused.1)
        .series("Jacobian, with ε", padded.0, padded.1)
        .dashed("Jacobian, without ε", plain.0, plain.1)
        .y_range(-1.1, 0.1)
}

/// Section 12: the loss of networks that go back through the diagonal.
pub fn diagonal(lab: &mut Lab, clusters: &BothWays, spirals: &BothWays) -> lab::Result<()> {
    let mut panels = Panels::new(2);
    for both in [clusters, spirals] {
        let epochs = || (1..=both.whole.loss.len()).map(|epoch| epoch as f64);
        let lines = Lines::new("epoch", "cross-entropy")
            .series("whole Jacobian", epochs(), both.whole.loss.iter().copied())
            .series("its diagonal", epochs(), both.diagonal.loss.iter().copied())
            .dashed("guessing, ln 3", epochs(), epochs().map(|_| 3f64.ln()))
            .y_range(0.0, 2.0);
        panels = panels.panel(both.task.name(), lines);
    }
    lab.figure(
        "diagonal",
        "Training loss of the same networks, going back through the whole Jacobian of softmax \
         and through its diagonal: three clusters with layers 2-3, three spirals with layers \
         2-32-3 and tanh; momentum, 300 samples, batches of 30.",
        "Left, on clusters both curves fall at once to the same low loss, and much later the \
         diagonal's creeps up a little. Right, on spirals the loss falls with the whole \
         Jacobian, while with the diagonal it falls for a few epochs, and then stays above that of \
         guessing.",
        &panels,
    )
}
