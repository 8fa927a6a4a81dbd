//! Each measure in turn, from the plain step to the library's `fit`.

use gradus::Float;
use lab::{Lab, Result, Rows, Table};

use crate::ceilings::Ceilings;
use crate::child::{self, Answer, ROUNDS, SLOW_ROUNDS, TIMED, timed};
use crate::cost::{Recipe, predicted};
use crate::in_place::{InPlace, With};
use crate::measure::{Watch, median};
use crate::plain::{Floats, How, PLAIN, Plain, Route};
use crate::task::{Place, STEPS, Task};

/// How far the losses of two rungs may be apart: hundred steps in f32 carry their rounding so
/// far, and not further.
const ROUNDING: f64 = 2e-3;

/// A measure, and what it does to a step.
pub struct Rung {
    /// Its name among the results.
    key: &'static str,
    /// Its name on the page.
    name: &'static str,
    kind: Kind,
    recipe: Recipe,
    /// What was measured: seconds of a step, and the losses.
    seconds: Vec<f64>,
    losses: Vec<f64>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// In another process, with a slow kernel of OpenBLAS.
    Child,
    Plain64(How),
    Plain32(How),
    InPlace {
        bytes: bool,
        with: With,
    },
    Fit,
}

/// The rungs, from the bottom. `subnormal` is how many velocities are.
fn rungs(subnormal: f64) -> Vec<Rung> {
    let plain = Recipe {
        number: 8.0,
        route: Route::Jacobian,
        d_x: true,
        in_place: false,
        bytes: false,
        zeros: false,
        subnormal: 0.0,
        threads: 1.0,
    };
    let product = Recipe { route: Route::Product, ..plain };
    let fused = Recipe { route: Route::Fused, ..plain };
    let no_d_x = Recipe { d_x: false, ..fused };
    let single = Recipe { number: 4.0, subnormal, ..no_d_x };
    let flush = Recipe { subnormal: 0.0, ..single };
    let in_place = Recipe { in_place: true, ..flush };
    let bytes = Recipe { bytes: true, ..in_place };
    let zeros = Recipe { zeros: true, ..bytes };
    let threads = Recipe { threads: 2.0, ..zeros };
    let how = |route, d_x, flush| How { route, d_x, flush };
    let with = |zeros| With { zeros, flush: true };
    let rung = |key, name, kind, recipe| Rung {
        key,
        name,
        kind,
        recipe,
        seconds: Vec::new(),
        losses: Vec::new(),
    };
    vec![
        rung("slow", "plain, slow kernel", Kind::Child, plain),
        rung("plain", "a good kernel", Kind::Plain64(PLAIN), plain),
        rung("product", "no Jacobian", Kind::Plain64(how(Route::Product, true, false)), product),
        rung(
            "fused",
            "softmax and loss fused",
            Kind::Plain64(how(Route::Fused, true, false)),
            fused,
        ),
        rung("no_d_x", "no gradient of x", Kind::Plain64(how(Route::Fused, false, false)), no_d_x),
        rung("f32", "f32", Kind::Plain32(how(Route::Fused, false, false)), single),
        rung("flush", "subnormals flushed", Kind::Plain32(how(Route::Fused, false, true)), flush),
        rung("in_place", "in place", Kind::InPlace { bytes: false, with: with(false) }, in_place),
        rung(
            "bytes",
            "gathered from bytes",
            Kind::InPlace { bytes: true, with: with(false) },
            bytes,
        ),
        rung("zeros", "zeros skipped", Kind::InPlace { bytes: true, with: with(true) }, zeros),
        rung("fit", "the library's fit", Kind::Fit, zeros),
        rung("fit_2", "fit, two threads", Kind::Fit, threads),
    ]
}

/// What the ladder needs besides a machine: the images as floats, and where it begins.
struct Ground<'a> {
    task: &'a Task,
    order: Vec<usize>,
    double: (Place<f64>, Floats<f64>),
    single: (Place<f32>, gradus::Samples<f32>, Floats<f32>),
}

impl<'a> Ground<'a> {
    fn new(task: &'a Task, at: &Place<f32>) -> Result<Self> {
        let double = (at.cast(), Floats::of(&task.images.train));
        let floats = Floats::of(&task.images.train);
        let samples = gradus::Samples::new(floats.x.clone(), floats.y.clone())?;
        let single = (at.clone(), samples, floats);
        Ok(Self { task, order: task.orders(1).remove(0), double, single })
    }

    /// Climbs a rung once.
    fn measure(&self, rung: &Rung) -> Result<(f64, Vec<f64>)> {
        let Self { task, order, .. } = self;
        let watch = &mut Watch::start();
        Ok(match rung.kind {
            Kind::Child => return Err("another process does this".into()),
            Kind::Plain64(how) => {
                let (place, floats) = &self.double;
                let mut network = Plain::at(place, task);
                timed(order, |rows| network.step(floats, rows, how))
            }
            Kind::Plain32(how) => {
                let (place, _, floats) = &self.single;
                let mut network = Plain::at(place, task);
                timed(order, |rows| network.step(floats, rows, how))
            }
            Kind::InPlace { bytes, with } => {
                let (place, samples, _) = &self.single;
                let mut network = InPlace::at(place, task)?;
                let source: &dyn gradus::Source<f32> =
                    if bytes { &task.images.train } else { samples };
                timed(order, |rows| network.step(source, rows, with, watch))
            }
            Kind::Fit => {
                let threads = rung.recipe.threads as usize;
                task.fitted(&self.single.0, &task.images.train, threads, TIMED)?
            }
        })
    }
}

/// How many of these velocities are subnormal.
pub fn subnormal<F: Float>(at: &Place<F>) -> usize {
    at.velocity.iter().filter(|v| **v != F::zero() && v.abs() < F::min_positive_value()).count()
}

/// The ladder, from a place that trainings come to after some epochs.
pub fn climb(
    task: &Task,
    at: &Place<f32>,
    density: f64,
    (ceilings, slow): (&Ceilings, Option<&Answer>),
    lab: &mut Lab,
) -> Result<()> {
    let mut rungs = rungs(subnormal(at) as f64);
    let ground = Ground::new(task, at)?;
    for _ in 0..ROUNDS {
        for rung in rungs.iter_mut().filter(|rung| rung.kind != Kind::Child) {
            let (seconds, losses) = ground.measure(rung)?;
            rung.seconds.push(seconds);
            rung.losses = losses;
        }
    }
    if let Some(answer) = slow {
        rungs[0].seconds = answer.numbers("seconds");
        rungs[0].losses = answer.numbers("losses");
    } else {
        rungs.remove(0);
    }
    let apart = farthest(&rungs)?;
    tell(&rungs, apart, density, ceilings, lab)
}

/// How far the losses of any rung are from those of the last, relatively.
fn farthest(rungs: &[Rung]) -> Result<f64> {
    let last = &rungs[rungs.len() - 1].losses;
    let mut most = 0.0_f64;
    for rung in rungs {
        if rung.losses.len() != last.len() {
            return Err(format!("the rung {:?} lost some of its losses", rung.name).into());
        }
        for (a, b) in rung.losses.iter().zip(last) {
            most = most.max((a - b).abs() / b.abs().max(0.01));
        }
        if most.is_nan() || most > ROUNDING {
            let (name, apart) = (rung.name, 100.0 * most);
            return Err(format!(
                "the rung {name:?} computes something else: a loss that is {apart:.2} % away"
            )
            .into());
        }
    }
    Ok(most)
}

fn tell(
    rungs: &[Rung],
    apart: f64,
    density: f64,
    ceilings: &Ceilings,
    lab: &mut Lab,
) -> Result<()> {
    lab.section("ladder", "The ladder")?;
    lab.section_machine();
    if rungs[0].kind != Kind::Child {
        lab.say("The slow kernel is left out: this OpenBLAS has none, or there is no OpenBLAS.\n");
    }
    let mut table = Table::new(&["", "ms an epoch", "predicted", "faster by", "in all"]);
    let (mut measured, mut expected) = (Vec::new(), Vec::new());
    let epoch = |seconds: f64| 1e3 * seconds * STEPS as f64;
    for rung in rungs {
        let rate = match rung.kind {
            Kind::Child => ceilings.slow_product.unwrap_or(ceilings.product[1]),
            _ if rung.recipe.number == 8.0 => ceilings.product[1],
            _ => ceilings.product[0],
        };
        let (now, floor) =
            (epoch(median(&rung.seconds)), epoch(predicted(&rung.recipe, density, rate, ceilings)));
        let first = *measured.first().unwrap_or(&now);
        let before = *measured.last().unwrap_or(&now);
        table.push(vec![
            rung.name.into(),
            format!("{now:.1}"),
            format!("{floor:.1}"),
            format!("{:.2}", before / now),
            format!("{:.1}", first / now),
        ]);
        lab.machine(&format!("ladder_{}_ms", rung.key), now, "ms");
        lab.machine(&format!("predicted_{}_ms", rung.key), floor, "ms");
        lab.machine(&format!("ladder_{}_factor", rung.key), before / now, "");
        measured.push(now);
        expected.push(floor);
    }
    let factor = measured[0] / measured[measured.len() - 1];
    lab.table(&table);
    lab.say(format!(
        "\nEvery rung takes the same {TIMED} steps, {ROUNDS} times in turn, from the place that a\n\
         training comes to after {} epochs; an epoch has {STEPS}. All losses agree to {:.0e}.",
        crate::denormals::WARM,
        10_f64.powf(apart.max(1e-16).log10().ceil()),
    ));
    if rungs[0].kind == Kind::Child {
        lab.say(format!(
            "The slow kernel's {SLOW_ROUNDS} times were in a process of its own, before the others."
        ));
    }
    lab.machine("ladder_factor", factor, "");
    lab.machine("ladder_apart", apart, "");
    let names: Vec<&str> = rungs.iter().map(|rung| rung.name).collect();
    lab.figure(
        "ladder",
        "The time of an epoch, each measure added to those above it, on a logarithmic axis: \
         784-64-10, batches of 128, momentum, one thread but for the last row. Predicted is the \
         least time that the counted operations and bytes take at the measured ceilings.",
        "Twelve named rows with two points each. From top to bottom the measured times wander to \
         the left, by more than a power of ten in all. The predicted points lie to the left of \
         the measured ones.",
        &Rows::new("ms for an epoch", &names)
            .points("measured", measured)
            .points("predicted", expected)
            .log(),
    )
}

/// The plain step with the slow kernel, measured by another process.
pub fn slow(task: &Task, at: &Place<f32>) -> Result<Option<Answer>> {
    let file = tempfile::NamedTempFile::new()?;
    child::write_place(&at.cast(), file.path())?;
    let answer =
        child::ask("kernel", task.seed, file.path(), &[("OPENBLAS_CORETYPE", child::SLOW)]);
    Ok(answer.filter(|answer| {
        answer.words("kernel").is_some_and(|kernel| kernel.eq_ignore_ascii_case(child::SLOW))
    }))
}
