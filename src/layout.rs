//! Where each weight and bias lies in the one vector that holds all parameters.
//!
//! A network of sizes [s₀, s₁, …, s_D] has D layers; layer i has weights (sᵢ,
//! sᵢ₊₁) and biases (sᵢ₊₁). The vector holds all weights, layer by layer and
//! row by row, then all biases.
//!
//! [`flatten`] and [`restore`] copy between the two forms. [`Layout`] makes
//! them unnecessary: its matrices are views into the vector.

use std::ops::Range;

use ndarray::{
    Array1, Array2, ArrayRef1, ArrayView1, ArrayView2, ArrayViewMut1,
    ArrayViewMut2, s,
};

use crate::error::{Error, Result, setting, shape};
use crate::float::Float;

// ANCHOR: flatten
/// All weights, then all biases, as one vector.
///
/// # Shapes
/// `weights`: D arrays (sᵢ, sᵢ₊₁), `biases`: D arrays (sᵢ₊₁) → (p)
pub fn flatten<F: Float>(
    weights: &[Array2<F>],
    biases: &[Array1<F>],
) -> Array1<F> {
    let weights = weights.iter().flat_map(|w| w.iter());
    let biases = biases.iter().flat_map(|b| b.iter());
    weights.chain(biases).copied().collect()
}
// ANCHOR_END: flatten

/// The weights and the biases of all layers.
pub type WeightsAndBiases<F> = (Vec<Array2<F>>, Vec<Array1<F>>);

// ANCHOR: restore
/// The weights and biases that [`flatten`] laid out.
///
/// # Shapes
/// (p) → D arrays (sᵢ, sᵢ₊₁) and D arrays (sᵢ₊₁)
///
/// # Errors
/// If the vector does not have as many entries as a network of these sizes has
/// parameters.
pub fn restore<F: Float>(
    vector: &ArrayRef1<F>,
    sizes: &[usize],
) -> Result<WeightsAndBiases<F>> {
    let layout = Layout::new(sizes)?;
    shape("the parameter vector", &[layout.parameter_count()], vector.shape())?;
    // Views need a vector in one piece: a copy, unless it is.
    let vector = vector.as_standard_layout();
    let layers = 0..layout.layers();
    let weights =
        layers.clone().map(|i| layout.weights(&vector, i).to_owned()).collect();
    let biases = layers.map(|i| layout.biases(&vector, i).to_owned()).collect();
    Ok((weights, biases))
}
// ANCHOR_END: restore

/// Which part of the parameter vector belongs to which layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    sizes: Vec<usize>,
    weights: Vec<Range<usize>>,
    biases: Vec<Range<usize>>,
}

impl Layout {
    /// The layout of a network with these layer sizes, input and output
    /// included.
    ///
    /// # Errors
    /// If there are fewer than two sizes, one is 0, or the parameters do not
    /// fit in memory.
    pub fn new(sizes: &[usize]) -> Result<Self> {
        let count = sizes.len();
        setting(
            "the number of layer sizes",
            "be at least 2",
            count as f64,
            count >= 2,
        )?;
        for &size in sizes {
            setting("each layer size", "be at least 1", size as f64, size > 0)?;
        }
        let mut end = 0_usize;
        let mut place = |size: Option<usize>| {
            let start = end;
            end = start
                .checked_add(size?)
                .filter(|&end| end <= isize::MAX as usize / 16)?;
            Some(start..end)
        };
        let pairs = || sizes.iter().zip(&sizes[1..]);
        let weights = pairs()
            .map(|(&a, &b)| place(a.checked_mul(b)))
            .collect::<Option<_>>();
        let biases =
            pairs().map(|(_, &b)| place(Some(b))).collect::<Option<_>>();
        match (weights, biases) {
            (Some(weights), Some(biases)) => {
                Ok(Self { sizes: sizes.to_vec(), weights, biases })
            }
            _ => Err(Error::Setting {
                name: "the largest layer size",
                range: "leave the parameters room in memory",
                value: sizes.iter().copied().max().unwrap_or(0) as f64,
            }),
        }
    }

    /// The layer sizes, input and output included.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// How many layers there are: one less than sizes.
    pub fn layers(&self) -> usize {
        self.weights.len()
    }

    /// How many parameters there are.
    pub fn parameter_count(&self) -> usize {
        self.biases.last().map_or(0, |range| range.end)
    }

    // ANCHOR: views
    /// The weights of layer i, as a view of the parameter vector.
    ///
    /// # Shapes
    /// (p) → (sᵢ, sᵢ₊₁)
    ///
    /// # Panics
    /// If there is no layer i, or the vector is too short or not in one piece.
    pub fn weights<'a, F: Float>(
        &self,
        vector: &'a ArrayRef1<F>,
        i: usize,
    ) -> ArrayView2<'a, F> {
        let part = vector.slice(s![self.weights[i].clone()]);
        part.into_shape_with_order(self.weight_shape(i)).expect(CONTIGUOUS)
    }

    /// The biases of layer i, as a view of the parameter vector.
    ///
    /// # Shapes
    /// (p) → (sᵢ₊₁)
    ///
    /// # Panics
    /// If there is no layer i, or the vector is too short.
    pub fn biases<'a, F: Float>(
        &self,
        vector: &'a ArrayRef1<F>,
        i: usize,
    ) -> ArrayView1<'a, F> {
        vector.slice(s![self.biases[i].clone()])
    }
    // ANCHOR_END: views

    /// The weights of layer i, to be written.
    ///
    /// # Shapes
    /// (p) → (sᵢ, sᵢ₊₁)
    ///
    /// # Panics
    /// If there is no layer i, or the vector is too short or not in one piece.
    pub fn weights_mut<'a, F: Float>(
        &self,
        vector: &'a mut ArrayRef1<F>,
        i: usize,
    ) -> ArrayViewMut2<'a, F> {
        let part = vector.slice_mut(s![self.weights[i].clone()]);
        part.into_shape_with_order(self.weight_shape(i)).expect(CONTIGUOUS)
    }

    /// The biases of layer i, to be written.
    ///
    /// # Shapes
    /// (p) → (sᵢ₊₁)
    ///
    /// # Panics
    /// If there is no layer i, or the vector is too short.
    pub fn biases_mut<'a, F: Float>(
        &self,
        vector: &'a mut ArrayRef1<F>,
        i: usize,
    ) -> ArrayViewMut1<'a, F> {
        vector.slice_mut(s![self.biases[i].clone()])
    }

    fn weight_shape(&self, i: usize) -> (usize, usize) {
        (self.sizes[i], self.sizes[i + 1])
    }
}

const CONTIGUOUS: &str = "the parameter vector lies in one piece";
