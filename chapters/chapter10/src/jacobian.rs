//! A matrix for each sample, or none.

use gradus::{OutputActivation, Softmax, chain_rule};
use lab::{Lab, Lines, Result, Table};
use ndarray::{Array2, Axis};

use crate::ceilings::Ceilings;
use crate::measure::median_of;
use crate::task::BATCH;

/// How many classes.
const CLASSES: [usize; 8] = [10, 20, 50, 100, 200, 350, 500, 1000];

/// No Jacobian takes more room than this.
const ROOM: usize = 64_000_000;

/// Bytes of the Jacobians of a batch, in f32.
fn bytes(classes: usize) -> usize {
    4 * BATCH * classes * classes
}

/// Microseconds of both routes.
fn both(m: usize) -> Result<(Option<f64>, f64)> {
    let z = Array2::from_shape_fn((BATCH, m), |(i, j)| ((i * 7 + j * 3) % 11) as f32 / 10.0);
    let d = Array2::from_shape_fn((BATCH, m), |(i, j)| ((i * 5 + j * 2) % 13) as f32 / 10.0 - 0.6);
    let y_hat = Softmax.apply(&z);
    let mut d_z = Array2::zeros((BATCH, m));
    let product = median_of(9, || Softmax.backward_into(&z, &y_hat, &d, &mut d_z));
    if bytes(m) > ROOM {
        return Ok((None, 1e6 * product));
    }
    let rows = d.clone().insert_axis(Axis(1));
    let mut long = Array2::zeros((BATCH, m));
    let jacobian = median_of(5, || {
        let jacobian = Softmax.jacobian(&z);
        long.assign(&chain_rule(&rows, &jacobian).index_axis(Axis(1), 0));
    });
    let apart = (&long - &d_z).fold(0.0_f32, |a, &b| a.max(b.abs()));
    if apart > 1e-6 {
        return Err(format!("two routes through {m} classes differ by {apart}").into());
    }
    Ok((Some(1e6 * jacobian), 1e6 * product))
}

/// Jacobians.
pub fn or_product(ceilings: &Ceilings, lab: &mut Lab) -> Result<()> {
    lab.section("jacobian", "A matrix for each sample, or none")?;
    lab.section_machine();
    let mut table = Table::new(&["classes", "Jacobians, MB", "built, µs", "product, µs", "ratio"]);
    let (mut long, mut short) = (Vec::new(), Vec::new());
    for m in CLASSES {
        let (jacobian, product) = both(m)?;
        short.push((m as f64, product));
        lab.machine(&format!("vjp_us_{m}"), product, "µs");
        let cell = |x: Option<f64>| x.map_or("–".into(), |x| format!("{x:.1}"));
        table.push(vec![
            m.to_string(),
            format!("{:.2}", bytes(m) as f64 / 1e6),
            cell(jacobian),
            format!("{product:.1}"),
            cell(jacobian.map(|jacobian| jacobian / product)),
        ]);
        if let Some(jacobian) = jacobian {
            lab.machine(&format!("jacobian_us_{m}"), jacobian, "µs");
            lab.machine(&format!("jacobian_over_vjp_{m}"), jacobian / product, "");
            long.push((m as f64, jacobian));
        }
    }
    lab.table(&table);
    lab.say(format!(
        "\nThe Jacobians are built as long as they fit in {} MB: {BATCH} of 1000 classes would take {}.",
        ROOM / 1_000_000,
        bytes(1000) / 1_000_000,
    ));
    lab.exact("jacobian_mb_1000", bytes(1000) / 1_000_000);
    // Written once and read once; the product reads two rows, writes one, and takes exponentials
    // of none.
    let floor = |m: usize, arrays: f64, each: f64| {
        let of = arrays * each;
        (m as f64, 1e6 * 2.0 * of / ceilings.bandwidth(of))
    };
    let matrices = CLASSES.map(|m| floor(m, 1.0, bytes(m) as f64));
    let rows = CLASSES.map(|m| floor(m, 2.0, (4 * BATCH * m) as f64));
    let points = |points: &[(f64, f64)]| points.iter().copied().unzip::<_, _, Vec<_>, Vec<_>>();
    let mut figure = Lines::new("classes m", "µs for a batch").log_x().log_y();
    for (name, found) in [("Jacobians built", &long), ("vector–Jacobian product", &short)] {
        let (xs, ys) = points(found);
        figure = figure.series(name, xs.clone(), ys.clone()).points(name, xs, ys);
    }
    for (name, found) in [("their bytes alone", matrices), ("its bytes alone", rows)] {
        let (xs, ys) = points(&found);
        figure = figure.dashed(name, xs, ys);
    }
    lab.figure(
        "jacobian",
        "The way back through softmax for 128 rows against the number of classes, on logarithmic \
         axes, f32: with a Jacobian for each row, and without. Dashed: what it takes to write and \
         read the bytes of each route once. Beyond 64 MB no Jacobian is built.",
        "Two rising curves. That of the Jacobians is much steeper than the other, and ends before \
         it does, far above it. Below each lies its dashed line.",
        &figure,
    )
}
