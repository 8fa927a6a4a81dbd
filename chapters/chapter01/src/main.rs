//! Chapter 1: activations and their derivatives.
//!
//! Shows a softmax that prints NaN, and why; seven activations with their slopes; what a
//! floating-point number is, and which formulas lose its digits; softmax and its Jacobian;
//! how small the step of a difference should be; a gradient check of everything; and two
//! bugs of a published tutorial, with what finds them and what they cost.

mod arguments;
mod checking;
mod differences;
mod figures;
mod measure;
mod naive;
mod published;
mod text;

use std::process::ExitCode;

use arguments::Args;
use clap::Parser;
use gradus::{
    Activation, Gelu, Identity, LeakyRelu, OutputActivation, Relu, Sigmoid, Softmax, Softplus, Tanh,
};
use lab::text::number;
use lab::{Lab, Result, Table};
use measure::{generator, largest_difference};
use ndarray::{Array1, Array2, Axis, array};
use text::{list, size};

fn main() -> ExitCode {
    let args = Args::parse();
    if args.naive {
        naive::softmax(&args.z).iter().for_each(|s| println!("{s}"));
        return ExitCode::SUCCESS;
    }
    lab::main(env!("CARGO_PKG_NAME"), chapter)
}

fn chapter(args: &Args, lab: &mut Lab) -> Result<()> {
    three_ordinary_numbers(args, lab)?;
    seven_functions(lab)?;
    floating_point(lab)?;
    formulas_that_forget(lab)?;
    a_function_of_a_row(args, lab)?;
    checking::the_step_of_a_difference(args, lab)?;
    checking::every_derivative(args, lab)?;
    checking::the_corner(lab)?;
    checking::a_slope_of_one(args, lab)?;
    checking::one_maximum_for_all(lab)
}

/// A program that misbehaves.
fn three_ordinary_numbers(args: &Args, lab: &mut Lab) -> Result<()> {
    lab.section("naive", "Three ordinary numbers")?;
    let naive = naive::softmax(&args.z);
    let stable = Softmax.apply(&Array2::from_shape_vec((1, naive.len()), args.z.clone())?);
    let mut table = Table::new(&["z", "eᶻ", "eᶻ / sum", "the library's softmax"]);
    for (k, &z) in args.z.iter().enumerate() {
        table.push(vec![z.to_string(), number(z.exp()), number(naive[k]), number(stable[[0, k]])]);
        lab.near(&format!("softmax_{}", k + 1), stable[[0, k]], 1e-12);
    }
    lab.say("Softmax divides each exponential by the sum of all of them.\n");
    lab.table(&table);
    // eᶻ is 10 to the power of z / ln 10.
    let digits = |z: f64| (z / std::f64::consts::LN_10).floor() + 1.0;
    lab.exact("digits_of_the_first_exponential", digits(args.z[0]) as i64);
    lab.exact("digits_of_the_largest_f64", digits(f64::MAX.ln()) as i64);
    if let Some(z) = args.z.iter().find(|z| z.exp().is_infinite()) {
        lab.say(format!(
            "\ne^{z} has {} digits, and an f64 ends at {}. What is larger becomes infinity, and\n\
             infinity divided by infinity is not a number. The library takes the largest z away\n\
             from all of them first: then no exponential exceeds 1, and the result is the same.",
            digits(*z),
            digits(f64::MAX.ln()),
        ));
    } else if naive.iter().any(|s| s.is_nan()) {
        lab.say("\nEvery exponential is too small for an f64 and becomes 0, and so does the sum.");
    }
    Ok(())
}

/// The elementwise activations and their derivatives.
fn seven_functions(lab: &mut Lab) -> Result<()> {
    lab.section("activations", "Seven functions of one number")?;
    let seven = seven()?;
    let mut table =
        Table::new(&["", "f(−2)", "f(2)", "f′(−2)", "f′(2)", "largest f′ in [−8, 8]", "f′(−10)"]);
    for (name, f) in &seven {
        let (least, largest) = measure::extremes(&**f);
        let far = f.derivative(-10.0);
        let (left, right) = (f.derivative(-2.0), f.derivative(2.0));
        let cells = [f.value(-2.0), f.value(2.0), left, right, largest, far].map(number);
        table.push([&[(*name).to_owned()], &cells[..]].concat());
        lab.near(&format!("least_slope_{}", f.name()), least, 1e-9);
        lab.near(&format!("largest_slope_{}", f.name()), largest, 1e-9);
        lab.near(&format!("slope_at_minus_10_{}", f.name()), far, 1e-12 * far.abs());
    }
    lab.table(&table);
    lab.say(
        "\nOn its way back through a network, a gradient is multiplied by f′ in every layer. The\n\
         sigmoid leaves at most a quarter of it. ReLU leaves all or nothing. The slope of GELU is\n\
         a little above 1 in one place and negative in another. At −10 only the identity and the\n\
         leaky ReLU let a gradient through that deserves the name.",
    );
    figures::curves(lab, &seven)
}

/// An activation, with its name as one would say it.
type Named = (&'static str, Box<dyn Activation<f64>>);

fn seven() -> Result<[Named; 7]> {
    Ok([
        ("sigmoid", Box::new(Sigmoid)),
        ("tanh", Box::new(Tanh)),
        ("softplus", Box::new(Softplus)),
        ("GELU", Box::new(Gelu)),
        ("identity", Box::new(Identity)),
        ("ReLU", Box::new(Relu)),
        ("leaky ReLU", Box::new(LeakyRelu::new(0.1)?)),
    ])
}

/// Machine epsilon against the smallest positive number.
fn floating_point(lab: &mut Lab) -> Result<()> {
    lab.section("floating_point", "What a computer takes for a number")?;
    let rows = [
        ("epsilon", "the gap behind 1: machine epsilon", f32::EPSILON, f64::EPSILON),
        ("tiniest", "the gap behind 0: the smallest number", f32::from_bits(1), f64::from_bits(1)),
        ("normal", "the smallest with all its digits", f32::MIN_POSITIVE, f64::MIN_POSITIVE),
        ("largest", "the largest number", f32::MAX, f64::MAX),
    ];
    let mut table = Table::new(&["", "f32", "f64"]);
    for (name, meaning, single, double) in rows {
        table = table.row([meaning.into(), format!("{single:.1e}"), format!("{double:.1e}")]);
        lab.exact(&format!("{name}_f32"), f64::from(single));
        lab.exact(&format!("{name}_f64"), double);
    }
    let above = [measure::largest_exponent::<f32>(), measure::largest_exponent::<f64>()];
    let below = [measure::smallest_exponent::<f32>(), measure::smallest_exponent::<f64>()];
    for (name, meaning, z) in
        [("overflow", "eᶻ is infinite above z =", above), ("underflow", "eᶻ is 0 below z =", below)]
    {
        table = table.row([meaning.into(), format!("{:.1}", z[0]), format!("{:.1}", z[1])]);
        lab.near(&format!("{name}_f32"), z[0], 1e-4);
        lab.near(&format!("{name}_f64"), z[1], 1e-4);
    }
    lab.table(&table);
    let exceeds = |x: f64, y: f64| x > y;
    lab.say(format!(
        "\nThe two gaps are not the same thing. 1 + 2.2e-16 > 1 is {}, and 1 + 1.1e-16 > 1 is {}:\n\
         epsilon says how finely numbers near 1 are told apart. But 2.2e-16 is far from being\n\
         the smallest number: 4.9e-324 > 0 is {}, and 4.9e-324 / 2 > 0 is {}.",
        exceeds(1.0 + 2.2e-16, 1.0),
        exceeds(1.0 + 1.1e-16, 1.0),
        exceeds(4.9e-324, 0.0),
        exceeds(4.9e-324 / 2.0, 0.0),
    ));
    Ok(())
}

/// Formulas that are right on paper and lose their digits, or everything.
fn formulas_that_forget(lab: &mut Lab) -> Result<()> {
    lab.section("cancellation", "Formulas that forget")?;
    let rows = [
        ("eᶻ / (1 + eᶻ)", 800.0, naive::sigmoid(800.0), Sigmoid.value(800.0)),
        ("(eᶻ − e⁻ᶻ) / (eᶻ + e⁻ᶻ)", 800.0, naive::tanh(800.0), Tanh.value(800.0)),
        ("ln(1 + eᶻ)", 800.0, naive::softplus(800.0), Softplus.value(800.0)),
        ("ln(1 + eᶻ)", -40.0, naive::softplus(-40.0), Softplus.value(-40.0)),
        ("σ(z) (1 − σ(z))", 40.0, naive::sigmoid_derivative(40.0), Sigmoid.derivative(40.0)),
        ("1 − tanh² z", 20.0, naive::tanh_derivative(20.0), Tanh.derivative(20.0)),
    ];
    let mut table = Table::new(&["as on paper", "z", "comes to", "the library says"]);
    for (formula, z, naive, stable) in rows {
        table = table.row([formula.into(), z.to_string(), number(naive), number(stable)]);
    }
    lab.table(&table);
    let [single, double] = [measure::last_slope::<f32>(), measure::last_slope::<f64>()];
    lab.say(format!(
        "\nThe first three overflow. The other three add something small to 1, or take two numbers\n\
         near 1 from each other: what they lose grows as ε e^|z| or faster, until nothing is left.\n\
         The slope σ (1 − σ) comes to exactly 0 above z = {double:.1} in f64, and above z = {single:.1} in\n\
         f32, in which networks train. Written with e^−|z| it keeps its digits.",
    ));
    lab.near("sigmoid_slope_vanishes_f32", single, 1e-4);
    lab.near("sigmoid_slope_vanishes_f64", double, 1e-4);
    lab.near("sigmoid_slope_at_40", Sigmoid.derivative(40.0), 1e-30);
    figures::cancellation(lab)
}

/// Softmax: shifts, sums, and the Jacobian.
fn a_function_of_a_row(args: &Args, lab: &mut Lab) -> Result<()> {
    lab.section("softmax", "A function of a whole row")?;
    let z = array![[2.0, 1.5, 0.0, -0.5, -1.0]];
    let s = Softmax.apply(&z);
    let shifted = Softmax.apply(&(&z + 500.0));
    lab.say(format!("z               {}", list(&z, 1)));
    lab.say(format!("softmax         {}    sum {:.15}", list(&s, 3), s.sum()));
    lab.say(format!("of z + 500      {}", list(&shifted, 3)));
    lab.near("softmax_sum", s.sum(), 1e-14);

    let jacobian = Softmax.jacobian(&z).index_axis_move(Axis(0), 0);
    let largest = |sums: Array1<f64>| largest_difference(&sums, &Array1::zeros(sums.len()));
    let (rows, columns) =
        (largest(jacobian.sum_axis(Axis(1))), largest(jacobian.sum_axis(Axis(0))));
    let d = measure::off_the_corner(z.len(), 1.0, &mut generator(args.common.seed, 1));
    let (through, mut direct) = (d.dot(&jacobian), Array2::zeros(z.raw_dim()));
    Softmax.backward_into(&z, &s, &d.view().insert_axis(Axis(0)), &mut direct);
    let apart = largest_difference(&through, &direct.row(0));
    lab.say(format!(
        "\nIts derivative is a matrix: each output depends on every input. No row and no column of\n\
         the Jacobian sums to more than {} (tested to 1e-14). A random row vector times this\n\
         matrix, and s (d − ⟨d, s⟩) without it, are {} apart (tested to 1e-14).",
        size(rows.max(columns)),
        size(apart),
    ));
    for (name, value) in [("row", rows), ("column", columns), ("product", apart)] {
        lab.near(&format!("jacobian_{name}_error"), value, 1e-14);
    }
    for (k, &s) in s.iter().enumerate() {
        lab.near(&format!("example_softmax_{}", k + 1), s, 1e-12);
    }
    figures::one_input_grows(lab)?;
    figures::jacobian(lab, &z.row(0), &s.row(0), &jacobian)
}
