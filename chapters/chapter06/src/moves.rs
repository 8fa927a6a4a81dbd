//! A gradient check that moves what it checks.

use gradus::Sequential;
use gradus::check::Check;
use lab::text::number;
use lab::{Lab, Lines, Result, Table};
use ndarray::{Array1, Array2, array};

use crate::args::Args;
use crate::loops::{Start, tanh_network};
use crate::published::{LearningLayer, LearningNetwork};
use crate::tools::{norm, short};

/// The layer of a published tutorial, asked twice, checked, and given a batch.
pub fn moves(args: &Args, lab: &mut Lab) -> Result<()> {
    lab.section("moves", "A check that moves what it checks")?;
    the_same_question(lab);
    read_off(args, lab)?;
    one_after_the_other(args, lab)
}

/// What the layer answers when it is asked three times.
fn the_same_question(lab: &mut Lab) {
    let weights = array![[1.0, -2.0], [0.5, 1.0], [-1.0, 0.0]];
    let mut layer = LearningLayer::new(weights, array![0.1, -0.2]);
    let (x, d_y) = (array![[1.0, 2.0, -1.0]], array![[1.0, -0.5]]);
    let mut table = Table::new(&["asked", "∂L/∂x₁", "∂L/∂x₂", "∂L/∂x₃"]);
    for (i, name) in ["once", "twice", "a third time"].into_iter().enumerate() {
        layer.forward(&x);
        let d_x = layer.backward(&d_y, 0.1);
        let cells = d_x.iter().map(|d| format!("{d:.3}"));
        table.push(std::iter::once(name.to_owned()).chain(cells).collect());
        lab.near(&format!("moves_answer_{}", i + 1), d_x[[0, 0]], 1e-12);
    }
    lab.say(
        "A dense layer as published: its backward returns ∂L/∂x and takes a step, here with rate 0.1.\n\
         The same question, the same x and ∂L/∂y, three times:\n",
    );
    lab.table(&table);
}

/// Two networks with the same parameters: one of the tutorial's layers, one of the library's.
fn pair(seed: u64) -> Result<(LearningNetwork, Sequential<f64>)> {
    let sequential = tanh_network::<f64>(&[2, 3, 1], 0.1, Start::Uniform, seed)?;
    let shape =
        |(inputs, units)| LearningLayer::new(Array2::zeros((inputs, units)), Array1::zeros(units));
    let mut published = LearningNetwork::new([(2, 3), (3, 1)].map(shape).to_vec());
    published.set_params(sequential.params());
    Ok((published, sequential))
}

/// The gradient, read off from the step, against differences where the layer then stands.
fn read_off(args: &Args, lab: &mut Lab) -> Result<()> {
    let (published, sequential) = pair(args.common.seed)?;
    let before = published.params();
    let (x, y) = (array![[0.0, 1.0]], array![[1.0]]);
    let mut table =
        Table::new(&["rate η", "relative error", "η ‖H g‖ / ‖g‖", "verdict of the check"]);
    let gradient = sequential.loss_and_gradient(&x, &y)?.1;
    let curvature = norm(&hessian_times(&sequential, &x, &y, &gradient)?) / norm(&gradient);
    let grain = f64::EPSILON / 2.0 * norm(&before) / norm(&gradient);
    let (mut rates, mut errors, mut passed) = (Vec::new(), Vec::new(), 0);
    for exponent in 0..=12 {
        let rate = 10_f64.powi(-exponent);
        let mut network = published.clone();
        network.learn(&x, &y, rate);
        let after = network.params();
        let read = (&before - &after) / rate;
        // The check asks for the loss here and there; the network stands at θ′ now.
        let mut probe = network.clone();
        let verdict = Check::default().gradient(
            |at| {
                probe.set_params(at);
                probe.loss(&x, &y)
            },
            &after,
            &read,
        )?;
        let there = {
            let mut other = pair(args.common.seed)?.1;
            other.set_params(&after)?;
            other.loss_and_gradient(&x, &y)?.1
        };
        let error = norm(&(&read - &there)) / norm(&there);
        rates.push(rate);
        errors.push(error);
        passed += usize::from(verdict.passed);
        table.push(vec![
            format!("1e-{exponent}"),
            format!("{error:.1e}"),
            format!("{:.1e}", rate * curvature),
            lab::text::passed(verdict.passed).into(),
        ]);
        match exponent {
            0..=6 => lab.near(&format!("moves_error_{exponent}"), error, 1e-4),
            _ => lab.near(&format!("moves_error_{exponent}"), error, 0.1),
        }
    }
    lab.near("moves_curvature", curvature, 1e-6);
    let (best, least) = least(&rates, &errors);
    lab.near("moves_best_rate_exponent", best.log10().round(), 1.0);
    lab.near("moves_least_error", least, 3e-9);
    lab.say(
        "\nAll the layer lets us see of its gradient is the step: (θ − θ′)/η. Compared with the gradient\n\
         where the network stands when the check looks, at θ′, for one case of exclusive or and 13\n\
         parameters:\n",
    );
    lab.table(&table);
    lab.say(format!(
        "\nA large rate has moved the point; a small one leaves a step that the rounding of θ swallows.\n\
         The check passes at {passed} of {} rates, and no layer here computes a wrong gradient.",
        rates.len(),
    ));
    lab.near("moves_passed", passed as f64, 0.5);
    let ends = || [rates[0], rates[12]];
    let slope = |factor: f64, power: i32| ends().map(|rate| factor * rate.powi(power));
    lab.figure(
        "read_off",
        "Relative error of a gradient that is read off from a step of rate η, against the gradient \
         where the step has led. Dashed, what the derivation says: η ‖Hg‖/‖g‖ from the curvature \
         on the way, ½ε ‖θ‖/(η‖g‖) from the rounding of θ.",
        "On two logarithmic axes a V. From a rate of 0.1 down to 1e-8 the points fall along a dashed \
         line of slope 1, to an error near 1e-8; the point at rate 1 stands far above that line. At \
         smaller rates they rise again, just below a dashed line of slope −1.",
        &Lines::new("rate η", "relative error")
            .points("read off from the step", rates.clone(), errors.clone())
            .dashed("curvature: η ‖Hg‖ / ‖g‖", ends(), slope(curvature, 1))
            .dashed("rounding: ε ‖θ‖ / (2η ‖g‖)", ends(), slope(grain, -1))
            .log_x()
            .log_y()
            .y_range(1e-10, 1e6),
    )
}

/// The smallest error and its rate.
fn least(rates: &[f64], errors: &[f64]) -> (f64, f64) {
    let pairs = rates.iter().copied().zip(errors.iter().copied());
    pairs.fold((f64::NAN, f64::INFINITY), |best, pair| if pair.1 < best.1 { pair } else { best })
}

/// The Hessian of the loss times a vector, from two gradients.
fn hessian_times(
    network: &Sequential<f64>,
    x: &Array2<f64>,
    y: &Array2<f64>,
    v: &Array1<f64>,
) -> Result<Array1<f64>> {
    let mut probe = tanh_network::<f64>(&[2, 3, 1], 0.1, Start::Glorot, 0)?;
    let h = 1e-5 / norm(v);
    let mut at = |sign: f64| -> Result<Array1<f64>> {
        probe.set_params(&(network.params() + &(v * (sign * h))))?;
        Ok(probe.loss_and_gradient(x, y)?.1)
    };
    Ok((at(1.0)? - at(-1.0)?) / (2.0 * h))
}

/// A batch of two, sample after sample, with a step in between.
fn one_after_the_other(args: &Args, lab: &mut Lab) -> Result<()> {
    let (published, sequential) = pair(args.common.seed)?;
    let samples = [(array![[0.0, 1.0]], array![[1.0]]), (array![[1.0, 1.0]], array![[0.0]])];
    let gradient = |i: usize| sequential.loss_and_gradient(&samples[i].0, &samples[i].1);
    let (first, second) = (gradient(0)?.1, gradient(1)?.1);
    let crossed = hessian_times(&sequential, &samples[1].0, &samples[1].1, &first)?;
    let mut table = Table::new(&["rate η", "distance", "distance / η²"]);
    for exponent in 0..=4 {
        let rate = 10_f64.powi(-exponent);
        let mut network = published.clone();
        for (x, y) in &samples {
            network.learn(x, y, rate);
        }
        let together = published.params() - (&first + &second) * rate;
        let distance = norm(&(network.params() - together));
        let scaled = distance / rate.powi(2);
        table.push(vec![format!("1e-{exponent}"), short(distance), number(scaled)]);
        lab.near(&format!("moves_apart_{exponent}"), scaled, 1e-4);
    }
    lab.near("moves_apart_derived", norm(&crossed), 1e-6);
    lab.say(
        "\nTwo samples, one after the other, against one step along the sum of their two gradients: how\n\
         far apart the parameters end.\n",
    );
    lab.table(&table);
    lab.say(format!(
        "\nThe second sample sees what the first has left: the distance is η² ‖H₂ g₁‖, and ‖H₂ g₁‖\n\
         is {}.",
        number(norm(&crossed))
    ));
    Ok(())
}
