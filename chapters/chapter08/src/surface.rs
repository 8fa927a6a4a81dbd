//! Surfaces over two parameters.

use gradus::Optimizer;
use lab::Contours;
use ndarray::{Array1, array};

/// A function of two parameters to go down on, and what counts as down.
#[derive(Clone, Copy)]
pub struct Surface {
    pub name: &'static str,
    pub height: fn(f64, f64) -> f64,
    pub slope: fn(f64, f64) -> (f64, f64),
    pub start: (f64, f64),
    /// The height to be reached.
    pub goal: f64,
    /// How many steps there are for it.
    pub steps: usize,
    pub x_range: (f64, f64),
    pub y_range: (f64, f64),
    pub levels: &'static [f64],
    pub minima: &'static [(f64, f64)],
}

/// How much steeper the ravines are across than along.
pub const KAPPA: f64 = 100.0;

/// A ravine along the axis of θ₁.
pub const RAVINE: Surface = Surface {
    name: "ravine",
    height: |x, y| 0.5 * (x * x + KAPPA * y * y),
    slope: |x, y| (x, KAPPA * y),
    start: (-4.0, 0.8),
    goal: 1e-2,
    steps: 2000,
    x_range: (-4.4, 1.4),
    y_range: (-1.1, 1.1),
    levels: &[0.5, 2.0, 5.0, 10.0, 20.0, 35.0],
    minima: &[(0.0, 0.0)],
};

/// The same ravine, turned by 45 degrees.
pub const TURNED: Surface = Surface {
    name: "turned ravine",
    height: |x, y| 0.25 * ((x + y) * (x + y) + KAPPA * (x - y) * (x - y)),
    slope: |x, y| {
        let (along, across) = (0.5 * (x + y), 0.5 * KAPPA * (x - y));
        (along + across, along - across)
    },
    // The start of the ravine, turned with it.
    start: (-2.262_741_699_796_952, -3.394_112_549_695_428),
    goal: 1e-2,
    steps: 2000,
    x_range: (-4.0, 1.0),
    y_range: (-4.0, 1.0),
    levels: &[0.5, 2.0, 5.0, 10.0, 20.0, 35.0],
    minima: &[(0.0, 0.0)],
};

/// A saddle at the origin, between two valleys.
pub const SADDLE: Surface = Surface {
    name: "saddle",
    height: |x, y| 0.5 * x * x + 0.25 * y.powi(4) - 0.5 * y * y,
    slope: |x, y| (x, y.powi(3) - y),
    start: (-1.7, 0.001),
    goal: -0.24,
    steps: 2000,
    x_range: (-2.0, 1.2),
    y_range: (-0.6, 1.8),
    levels: &[-0.2, -0.1, 0.0, 0.1, 0.3, 0.6, 1.0, 1.5],
    minima: &[(0.0, 1.0)],
};

/// Rosenbrock's valley.
pub const ROSENBROCK: Surface = Surface {
    name: "Rosenbrock",
    height: |x, y| (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2),
    slope: |x, y| {
        let across = 200.0 * (y - x * x);
        (-2.0 * (1.0 - x) - 2.0 * x * across, across)
    },
    start: (-1.2, 1.0),
    goal: 0.1,
    steps: 20_000,
    x_range: (-1.8, 1.6),
    y_range: (-0.5, 2.2),
    levels: &[0.5, 2.0, 8.0, 30.0, 100.0, 300.0],
    minima: &[(1.0, 1.0)],
};

impl Surface {
    /// The height at a point.
    pub fn height(&self, theta: &Array1<f64>) -> f64 {
        (self.height)(theta[0], theta[1])
    }

    /// The gradient at a point.
    pub fn gradient(&self, theta: &Array1<f64>) -> Array1<f64> {
        let (x, y) = (self.slope)(theta[0], theta[1]);
        array![x, y]
    }

    /// The points that an optimizer visits on its way, the start included.
    pub fn path(&self, mut optimizer: impl Optimizer<f64>, steps: usize) -> Vec<(f64, f64)> {
        let mut theta = array![self.start.0, self.start.1];
        let mut points = vec![self.start];
        for _ in 0..steps {
            let gradient = self.gradient(&theta);
            optimizer.step(&mut theta, &gradient);
            points.push((theta[0], theta[1]));
        }
        points
    }

    // ANCHOR: steps_to
    /// After how many steps an optimizer is below the goal for good: `None` if
    /// it is not below at the end, or was above a ceiling on its way.
    pub fn steps_to<O>(&self, mut optimizer: O, ceiling: f64) -> Option<usize>
    where
        O: Optimizer<f64>,
    {
        let mut theta = array![self.start.0, self.start.1];
        let mut above = 0;
        for step in 1..=self.steps {
            let gradient = self.gradient(&theta);
            optimizer.step(&mut theta, &gradient);
            let height = self.height(&theta);
            if height.is_nan() || height > ceiling {
                return None;
            }
            if height > self.goal {
                above = step;
            }
        }
        (above < self.steps).then_some(above + 1)
    }
    // ANCHOR_END: steps_to

    /// The height at the start.
    pub fn start_height(&self) -> f64 {
        (self.height)(self.start.0, self.start.1)
    }

    /// The surface from above.
    pub fn view(&self) -> Contours {
        let Self { x_range, y_range, height, levels, .. } = *self;
        let view = Contours::new("θ₁", "θ₂", x_range, y_range, height, levels);
        self.minima.iter().fold(view, |view, &(x, y)| view.mark("minimum", x, y))
    }
}
