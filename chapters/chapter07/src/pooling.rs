//! Max-pooling on an image small enough to print.

use gradus::{AveragePool, Layer, MaxPool, Shape};
use lab::{Lab, Result};
use ndarray::{Array2, ArrayRef2, array};

use crate::alone::Alone;

/// What goes through a layer, and what comes back.
struct There {
    y: Array2<f64>,
    d_x: Array2<f64>,
}

/// An image through a layer, and a gradient back.
fn there_and_back(
    layer: impl Layer<f64>,
    x: &ArrayRef2<f64>,
    d_y: &ArrayRef2<f64>,
) -> Result<There> {
    let alone = Alone::new(layer, Shape::image(x.nrows(), x.ncols(), 1), 1)?;
    let row = |matrix: &ArrayRef2<f64>| matrix.to_owned().into_shape_with_order((1, matrix.len()));
    let x_row = row(x)?;
    let y = alone.forward(&x_row).into_shape_with_order(d_y.dim())?;
    let d_x = alone.backward(&x_row, &row(d_y)?).d_x.into_shape_with_order(x.dim())?;
    Ok(There { y, d_x })
}

/// Matrices side by side, each below its name.
fn side_by_side(matrices: &[(&str, &ArrayRef2<f64>)]) -> String {
    let block = |name: &str, matrix: &ArrayRef2<f64>| -> Vec<String> {
        let cells = matrix
            .rows()
            .into_iter()
            .map(|row| row.iter().map(|v| format!("{v:>5}")).collect::<String>());
        std::iter::once(name.to_owned()).chain(cells).collect()
    };
    let blocks: Vec<Vec<String>> = matrices.iter().map(|(name, m)| block(name, m)).collect();
    let width = |block: &[String]| block.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let height = blocks.iter().map(Vec::len).max().unwrap_or(0);
    let line = |i: usize| {
        let pieces = blocks.iter().map(|block| {
            let piece = block.get(i).map_or("", String::as_str);
            format!("{piece}{}", " ".repeat(width(block) + 4 - piece.chars().count()))
        });
        format!("    {}", pieces.collect::<String>().trim_end())
    };
    (0..height).map(line).collect::<Vec<_>>().join("\n")
}

/// Where the gradient goes.
pub fn routing(lab: &mut Lab) -> Result<()> {
    let x = array![
        [1.0, 3.0, 2.0, 2.0],
        [4.0, 0.0, 1.0, 2.0],
        [0.0, -1.0, 5.0, 6.0],
        [-2.0, -3.0, 8.0, 7.0],
    ];
    let d_y = array![[10.0, 20.0], [30.0, 40.0]];
    let max = there_and_back(MaxPool::new(2)?, &x, &d_y)?;
    let mean = there_and_back(AveragePool::new(2)?, &x, &d_y)?;
    lab.section("pooling", "Where the gradient goes")?;
    lab.say("Max-pooling with windows of 2 × 2, forward and back:\n");
    let matrices = [("x", &*x), ("y", &*max.y), ("∂L/∂y", &*d_y), ("∂L/∂x", &*max.d_x)];
    lab.say(side_by_side(&matrices));
    lab.say(
        "\nEach window sends its whole gradient to its largest number. The window on the upper right\n\
         has a tie of three; the first of them takes all. Average pooling divides it by four:\n",
    );
    lab.say(side_by_side(&[("y", &mean.y), ("∂L/∂x", &mean.d_x)]));

    let x = array![[1.0, 2.0, 3.0], [4.0, 9.0, 5.0], [6.0, 7.0, 8.0]];
    let d_y = array![[10.0, 20.0], [30.0, 40.0]];
    let overlap = there_and_back(MaxPool::new(2)?.stride(1)?, &x, &d_y)?;
    lab.say("\nWhere windows overlap, as with a stride of 1, a number gets the sum of what they send:\n");
    let matrices = [("x", &*x), ("y", &*overlap.y), ("∂L/∂y", &*d_y), ("∂L/∂x", &*overlap.d_x)];
    lab.say(side_by_side(&matrices));
    let (sent, arrived) = (d_y.sum(), overlap.d_x.sum());
    if sent != arrived || max.d_x.sum() != 100.0 || mean.d_x.sum() != 100.0 {
        return Err("pooling must pass the whole gradient on".into());
    }
    Ok(())
}
