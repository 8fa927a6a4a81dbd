//! Iris: 150 flowers of three species, four measurements each.
//!
//! Edgar Anderson measured the flowers; Ronald A. Fisher published the numbers in
//! *The use of multiple measurements in taxonomic problems* (1936). This is the
//! copy of scikit-learn 1.9.1 (BSD 3-Clause, see `src/LICENSE-iris`), which has
//! all of them as Fisher does. The copy in the UCI repository has two flowers
//! wrong: the 35th and the 38th.

use ndarray::Array2;

use crate::data::Samples;
use crate::float::Float;
use crate::target::one_hot;

/// The species, in the order of their labels: the first is label 0.
pub const SPECIES: [&str; 3] = ["setosa", "versicolor", "virginica"];

/// What was measured, in the order of the columns; all in centimetres.
pub const FEATURES: [&str; 4] =
    ["sepal length", "sepal width", "petal length", "petal width"];

/// A line about the file, then a flower in each line: four measurements and a
/// label.
const FILE: &str = include_str!("iris.csv");

// ANCHOR: iris
/// All flowers, species by species; the targets are one-hot.
///
/// ```
/// use gradus::iris;
///
/// let flowers = iris::load::<f64>();
/// assert_eq!(flowers.x().row(0).to_vec(), [5.1, 3.5, 1.4, 0.2]);
/// assert_eq!(iris::labels()[149], 2);
/// assert_eq!(iris::SPECIES[2], "virginica");
/// ```
///
/// # Shapes
/// x: (150, 4), y: (150, 3)
pub fn load<F: Float>() -> Samples<F> {
    let cells: Vec<F> = rows()
        .flat_map(|row| row.split(',').take(FEATURES.len()))
        .map(|cell| F::cast(cell.parse().expect("a measurement")))
        .collect();
    let shape = (cells.len() / FEATURES.len(), FEATURES.len());
    let x = Array2::from_shape_vec(shape, cells).expect("four for each flower");
    let y = one_hot(&labels(), SPECIES.len()).expect("three species");
    Samples::new(x, y).expect("every flower has a label")
}
// ANCHOR_END: iris

/// The label of each flower: 0, 1 or 2.
pub fn labels() -> Vec<usize> {
    let label = |row: &str| row.rsplit(',').next()?.parse().ok();
    rows().map(|row| label(row).expect("a label")).collect()
}

fn rows() -> impl Iterator<Item = &'static str> {
    FILE.lines().skip(1)
}
