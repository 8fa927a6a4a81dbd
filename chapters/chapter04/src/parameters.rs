//! All parameters as one vector.

use std::hint::black_box;
use std::time::Instant;

use gradus::layout::{Layout, flatten, restore};
use gradus::random::Random;
use gradus::{Momentum, Optimizer};
use lab::{Lab, Result, Table};
use ndarray::Array1;

use crate::arguments::{Args, normal};
use crate::text::sizes;
use lab::text::thousands;

/// Flatten and restore, as functions that copy.
pub fn one_vector(args: &Args, lab: &mut Lab) -> Result<()> {
    lab.section("flatten", "One vector for all parameters")?;
    let network = [2, 3, 1];
    let layout = Layout::new(&network)?;
    let p = layout.parameter_count();
    let theta = normal((1, p), &mut Random::new(args.seed(), 8).generator()).row(0).to_owned();
    let (weights, biases) = restore(&theta, &network)?;

    let mut table = Table::new(&["parameter", "place in θ", "value"]);
    let mut row = |name: String, place: usize, value: f64| {
        table.push(vec![name, place.to_string(), format!("{value:.4}")]);
    };
    let mut place = 0;
    for (i, w) in weights.iter().enumerate() {
        for ((k, j), &value) in w.indexed_iter() {
            row(format!("W{i}[{k}, {j}]"), place, value);
            place += 1;
        }
    }
    for (i, b) in biases.iter().enumerate() {
        for (j, &value) in b.indexed_iter() {
            row(format!("b{i}[{j}]"), place, value);
            place += 1;
        }
    }
    lab.say(format!(
        "A network of sizes {} has 2·3 + 3 + 3·1 + 1 = {p} parameters: all weights, row by row,\n\
         then all biases.",
        sizes(&network)
    ));
    lab.table(&table);
    let there_and_back = flatten(&weights, &biases) == theta;
    lab.say(format!("flatten(restore(θ)) is θ again, bit for bit: {there_and_back}."));
    lab.exact("flatten_parameters", p);
    lab.exact("flatten_round_trip", u8::from(there_and_back));
    Ok(())
}

/// The same as views, which copy nothing.
pub fn nothing_to_copy(args: &Args, lab: &mut Lab) -> Result<()> {
    lab.section("views", "Nothing to copy")?;
    lab.section_machine();
    let layout = Layout::new(&[2, 3, 1])?;
    let mut theta = Array1::<f64>::zeros(layout.parameter_count());
    layout.weights_mut(&mut theta, 0)[[1, 2]] = 7.0;
    let place = theta.iter().position(|&x| x == 7.0).ok_or("a view must write through")?;
    lab.say(format!(
        "Seen as a view, W0 is a piece of θ. After W0[1, 2] ← 7, place {place} of θ holds {}.",
        theta[place]
    ));
    lab.exact("views_place", place);

    // An optimizer's step on the vector, without and with the copies around it.
    let mnist = [784, 64, 10];
    let layout = Layout::new(&mnist)?;
    let p = layout.parameter_count();
    let mut rng = Random::new(args.seed(), 9).generator();
    let gradient = normal((1, p), &mut rng).row(0).to_owned();
    let mut theta = normal((1, p), &mut rng).row(0).to_owned();
    let (mut weights, mut biases) = restore(&theta, &mnist)?;
    let mut optimizer = Momentum::new(0.1, 0.9)?;
    let in_place = median_time(|| optimizer.step(&mut theta, &gradient));
    let copied = median_time(|| {
        let mut theta = flatten(&weights, &biases);
        optimizer.step(&mut theta, &gradient);
        (weights, biases) = black_box(restore(&theta, &mnist).expect("the sizes fit"));
    });
    let (in_place, copied) = (1e6 * in_place, 1e6 * copied);
    let (count, network) = (thousands(p), sizes(&mnist));
    lab.say(format!(
        "One step of momentum for {network}, {count} parameters: {in_place:.0} µs on the vector, and\n\
         {copied:.0} µs where it is flattened before and restored after (times of this machine)."
    ));
    lab.exact("views_parameters", p);
    lab.machine("views_step_in_place", in_place, "µs");
    lab.machine("views_step_copied", copied, "µs");
    Ok(())
}

/// The median time of one call, in seconds.
fn median_time(mut f: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..101)
        .map(|_| {
            let start = Instant::now();
            f();
            start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[50]
}
