//! The convolution as the formula says it, and the library's layer beside it.

use std::time::Instant;

use gradus::check::Verdict;
use gradus::{AveragePool, Convolution, Init, Layer, MaxPool, Shape};
use lab::{Lab, Result, Table};
use ndarray::{Array1, Array2, Array3, Array4, ArrayRef2, s};

use crate::alone::{Alone, normal_rows};

// ANCHOR: six_loops
/// One image through a convolution: for every place and every output channel,
/// a sum over the window and the input channels.
///
/// # Shapes
/// `x`: (height, width, inputs), `w`: (kernel, kernel, inputs, outputs),
/// `bias`: (outputs)
pub fn six_loops(
    x: &Array3<f64>,
    w: &Array4<f64>,
    bias: &Array1<f64>,
    stride: usize,
    padding: usize,
) -> Array3<f64> {
    let (height, width, inputs) = x.dim();
    let (kernel, outputs) = (w.dim().0, w.dim().3);
    let places = |side| (side + 2 * padding - kernel) / stride + 1;
    // Which pixel the window sees; outside the image there is none.
    let pixel = |i: usize, r: usize, side: usize| {
        (i * stride + r).checked_sub(padding).filter(|&at| at < side)
    };
    let mut y = Array3::zeros((places(height), places(width), outputs));
    for i in 0..places(height) {
        for j in 0..places(width) {
            for o in 0..outputs {
                let mut sum = bias[o];
                for r in 0..kernel {
                    let Some(row) = pixel(i, r, height) else { continue };
                    for t in 0..kernel {
                        let Some(column) = pixel(j, t, width) else { continue };
                        for c in 0..inputs {
                            sum += x[[row, column, c]] * w[[r, t, c, o]];
                        }
                    }
                }
                y[[i, j, o]] = sum;
            }
        }
    }
    y
}
// ANCHOR_END: six_loops

/// A convolution to be compared.
struct Case {
    name: &'static str,
    input: (usize, usize, usize),
    channels: usize,
    size: usize,
    stride: usize,
    padding: usize,
}

impl Case {
    fn input(&self) -> Shape {
        let (height, width, channels) = self.input;
        Shape::image(height, width, channels)
    }

    fn alone(&self, seed: u64) -> Result<Alone<f64, Convolution>> {
        let layer = Convolution::new(self.channels, self.size, Init::He)?;
        Alone::new(layer.stride(self.stride)?.padding(self.padding)?, self.input(), seed)
    }

    /// All images of a batch through the six loops.
    fn loops(&self, params: &Array1<f64>, x: &ArrayRef2<f64>) -> Result<Array2<f64>> {
        let (weights, size) = (self.size * self.size * self.input.2 * self.channels, self.size);
        let w = params.slice(s![..weights]).to_owned();
        let w = w.into_shape_with_order((size, size, self.input.2, self.channels))?;
        let b = params.slice(s![weights..]).to_owned();
        let mut rows = Vec::new();
        for x in x.rows() {
            let x = x.to_owned().into_shape_with_order(self.input)?;
            rows.push(six_loops(&x, &w, &b, self.stride, self.padding).into_flat());
        }
        let columns = rows.first().map_or(0, Array1::len);
        let all = rows.iter().flatten().copied().collect();
        Ok(Array2::from_shape_vec((rows.len(), columns), all)?)
    }
}

const CASES: [Case; 5] = [
    Case { name: "3×3, 1 → 1", input: (7, 6, 1), channels: 1, size: 3, stride: 1, padding: 0 },
    Case { name: "3×3, 2 → 4", input: (7, 6, 2), channels: 4, size: 3, stride: 1, padding: 0 },
    Case {
        name: "the same, padding 1",
        input: (7, 6, 2),
        channels: 4,
        size: 3,
        stride: 1,
        padding: 1,
    },
    Case {
        name: "the same, stride 2",
        input: (7, 6, 2),
        channels: 4,
        size: 3,
        stride: 2,
        padding: 1,
    },
    Case {
        name: "5×5, 3 → 2, stride 3, padding 2",
        input: (11, 9, 3),
        channels: 2,
        size: 5,
        stride: 3,
        padding: 2,
    },
];

/// The six loops against the layer, and the layer against central differences.
pub fn against_the_layer(seed: u64, lab: &mut Lab) -> Result<()> {
    lab.section("loops", "Six loops, and one matrix product")?;
    lab.say(
        "Three random images through a convolution: written as six loops, and as the library's layer.\n\
         Then the layer check: the gradients of Σ r y with random r against central differences.\n",
    );
    let header = ["convolution", "outputs", "largest difference", "parameters", "inputs"];
    let mut table = Table::new(&header);
    let mut most: f64 = 0.0;
    for case in &CASES {
        let alone = case.alone(seed)?;
        let x = normal_rows((3, case.input().len()), seed, 2)?;
        let y = alone.forward(&x);
        let apart = (&y - &case.loops(&alone.params, &x)?).mapv(f64::abs);
        let apart = apart.iter().copied().fold(0.0, f64::max);
        // The sums have up to 75 terms of size 1.
        if apart.is_nan() || apart >= 1e-12 {
            return Err(format!("the layer and the six loops differ by {apart}").into());
        }
        most = most.max(apart);
        let (params, inputs) = alone.check(&x, seed)?;
        table.push(vec![
            case.name.into(),
            shape(alone.output),
            if apart == 0.0 { "0".into() } else { "< 1e-12".into() },
            params.map_or("none".into(), |verdict| told(&verdict)),
            told(&inputs),
        ]);
    }
    pools(seed, &mut table)?;
    lab.table(&table);
    lab.machine("loops_difference", most, "");
    times(seed, lab)
}

/// The pooling layers, which have no parameters.
fn pools(seed: u64, table: &mut Table) -> Result<()> {
    let input = Shape::image(6, 6, 2);
    let max =
        |stride| -> Result<Box<dyn Layer<f64>>> { Ok(Box::new(MaxPool::new(2)?.stride(stride)?)) };
    let layers: [(_, Box<dyn Layer<f64>>); 3] = [
        ("max-pooling 2×2", max(2)?),
        ("the same, stride 1", max(1)?),
        ("average pooling 2×2", Box::new(AveragePool::new(2)?)),
    ];
    for (name, layer) in layers {
        let alone = Alone::new(layer, input, seed)?;
        let (_, inputs) = alone.check(&normal_rows((3, input.len()), seed, 3)?, seed)?;
        let none = || "–".to_owned();
        table.push(vec![name.into(), shape(alone.output), none(), none(), told(&inputs)]);
    }
    Ok(())
}

fn told(verdict: &Verdict) -> String {
    if verdict.passed { "passed".into() } else { format!("FAILED: {:.0e}", verdict.error) }
}

fn shape(shape: Shape) -> String {
    shape.to_string().trim_start_matches("an image of ").to_owned()
}

/// How long both take for the second convolution of the chapter's network.
fn times(seed: u64, lab: &mut Lab) -> Result<()> {
    let case = Case { name: "", input: (12, 12, 8), channels: 16, size: 5, stride: 1, padding: 0 };
    let (alone, images) = (case.alone(seed)?, 32);
    let x = normal_rows((images, case.input().len()), seed, 4)?;
    let best_of = |run: &dyn Fn() -> Result<()>| -> Result<f64> {
        let mut best = f64::INFINITY;
        for _ in 0..5 {
            let start = Instant::now();
            run()?;
            best = best.min(start.elapsed().as_secs_f64() / images as f64);
        }
        Ok(1e6 * best)
    };
    let loops = best_of(&|| case.loops(&alone.params, &x).map(drop))?;
    let layer = best_of(&|| {
        std::hint::black_box(alone.forward(&x));
        Ok(())
    })?;
    lab.section("loops_time", "What the matrix product is for")?;
    lab.section_machine();
    lab.say(format!(
        "5×5 from 8 to 16 channels on 12×12 pixels, in f64: the six loops take {loops:.0} µs for an\n\
         image, the layer {layer:.0} µs. Both add the same {} products.",
        lab::text::thousands(8 * 8 * 16 * 200),
    ));
    lab.machine("loops_microseconds", loops, "µs");
    lab.machine("layer_microseconds", layer, "µs");
    lab.machine("loops_ratio", loops / layer, "");
    Ok(())
}
