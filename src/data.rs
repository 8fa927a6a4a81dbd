//! Samples to learn from: where they come from, and how a batch is gathered.
//!
//! Rows are samples. Training asks a [`Source`] for the rows of one batch at a
//! time, so the samples may be arrays ([`Samples`]), bytes that become floats
//! on the way ([`Bytes`]), or anything that implements the trait.

use std::hint;

use multiversion::multiversion;
use ndarray::{Array2, ArrayRef2, ArrayView1, ArrayViewMut1, Zip, s};

use crate::error::{Error, Result, setting, shape};
use crate::float::Float;

// ANCHOR: Source
/// Samples with their targets, by number.
pub trait Source<F: Float>: Sync {
    /// How many samples there are.
    fn len(&self) -> usize;

    /// How many columns a batch of inputs has.
    fn input_columns(&self) -> usize;

    /// How many columns a batch of targets has.
    fn target_columns(&self) -> usize;

    /// Writes the samples with these numbers, one in each row. A training may
    /// ask for some in advance that it does not need in the end.
    ///
    /// # Shapes
    /// `rows`: b numbers below [`len`](Self::len); `x`: (b, input columns),
    /// `y`: (b, target columns).
    fn gather(
        &self,
        rows: &[usize],
        x: &mut ArrayRef2<F>,
        y: &mut ArrayRef2<F>,
    );

    /// Whether there is no sample.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
// ANCHOR_END: Source

/// Inputs and targets as two arrays.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples<F: Float> {
    x: Array2<F>,
    y: Array2<F>,
}

impl<F: Float> Samples<F> {
    /// Samples from their inputs and targets.
    ///
    /// # Shapes
    /// `x`: (n, inputs), `y`: (n, targets)
    ///
    /// # Errors
    /// If the numbers of rows differ.
    pub fn new(x: Array2<F>, y: Array2<F>) -> Result<Self> {
        shape("the targets", &[x.nrows(), y.ncols()], y.shape())?;
        // Rows are copied one by one: let each lie in one piece.
        Ok(Self { x: by_rows(x), y: by_rows(y) })
    }

    /// The inputs.
    ///
    /// # Shapes
    /// (n, inputs)
    pub fn x(&self) -> &Array2<F> {
        &self.x
    }

    /// The targets.
    ///
    /// # Shapes
    /// (n, targets)
    pub fn y(&self) -> &Array2<F> {
        &self.y
    }
}

impl<F: Float> Source<F> for Samples<F> {
    fn len(&self) -> usize {
        self.x.nrows()
    }

    fn input_columns(&self) -> usize {
        self.x.ncols()
    }

    fn target_columns(&self) -> usize {
        self.y.ncols()
    }

    fn gather(
        &self,
        rows: &[usize],
        x: &mut ArrayRef2<F>,
        y: &mut ArrayRef2<F>,
    ) {
        for (i, &row) in rows.iter().enumerate() {
            x.row_mut(i).assign(&self.x.row(row));
            y.row_mut(i).assign(&self.y.row(row));
        }
    }
}

/// The same matrix, lying row after row; it is copied only if it does not yet.
fn by_rows<A: Clone>(x: Array2<A>) -> Array2<A> {
    if x.is_standard_layout() {
        return x;
    }
    x.as_standard_layout().into_owned()
}

/// Images or other bytes with a class label each: a byte b becomes the float
/// `scale · b` only when its batch is gathered, and a label becomes a one-hot
/// row or stays a number.
#[derive(Debug, Clone, PartialEq)]
pub struct Bytes {
    bytes: Array2<u8>,
    labels: Vec<u8>,
    scale: f64,
    classes: usize,
    sparse: bool,
}

impl Bytes {
    /// Labelled bytes, with one-hot targets.
    ///
    /// # Shapes
    /// `bytes`: (n, inputs); `labels`: n numbers below `classes`
    ///
    /// # Errors
    /// If the numbers of rows differ, the scale is not finite, there are no
    /// classes or more than a byte can name, or a label is not below `classes`.
    pub fn new(
        bytes: Array2<u8>,
        labels: Vec<u8>,
        scale: f64,
        classes: usize,
    ) -> Result<Self> {
        shape("the labels", &[bytes.nrows()], &[labels.len()])?;
        setting("the scale", "be finite", scale, scale.is_finite())?;
        let ok = (1..=256).contains(&classes);
        setting(
            "the number of classes",
            "lie in 1 to 256",
            classes as f64,
            ok,
        )?;
        if let Some(row) =
            labels.iter().position(|&label| usize::from(label) >= classes)
        {
            return Err(Error::Label {
                row,
                value: f64::from(labels[row]),
                classes,
            });
        }
        Ok(Self {
            bytes: by_rows(bytes),
            labels,
            scale,
            classes,
            sparse: false,
        })
    }

    /// The same samples, with the label itself as the only target column: for
    /// [`SparseCategoricalCrossEntropy`](crate::loss::SparseCategoricalCrossEntropy).
    #[must_use]
    pub fn sparse(mut self) -> Self {
        self.sparse = true;
        self
    }

    /// The bytes as they are.
    ///
    /// # Shapes
    /// (n, inputs)
    pub fn bytes(&self) -> &Array2<u8> {
        &self.bytes
    }

    /// The label of each sample.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// All inputs as floats.
    ///
    /// # Shapes
    /// (n, inputs)
    pub fn inputs<F: Float>(&self) -> Array2<F> {
        let scale = F::cast(self.scale);
        self.bytes.mapv(|byte| scale * F::cast(f64::from(byte)))
    }
}

impl<F: Float> Source<F> for Bytes {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn input_columns(&self) -> usize {
        self.bytes.ncols()
    }

    fn target_columns(&self) -> usize {
        if self.sparse { 1 } else { self.classes }
    }

    // ANCHOR: Bytes_gather
    fn gather(
        &self,
        rows: &[usize],
        x: &mut ArrayRef2<F>,
        y: &mut ArrayRef2<F>,
    ) {
        self.call(rows);
        let scale = F::cast(self.scale);
        y.fill(F::zero());
        for (i, &row) in rows.iter().enumerate() {
            to_floats(self.bytes.row(row), scale, x.row_mut(i));
            let label = self.labels[row];
            if self.sparse {
                y[[i, 0]] = F::cast(f64::from(label));
            } else {
                y[[i, usize::from(label)]] = F::one();
            }
        }
    }
    // ANCHOR_END: Bytes_gather
}

impl Bytes {
    // ANCHOR: call
    /// Reads one byte in 64 of these rows and forgets them.
    ///
    /// The rows of a batch lie far apart. A memory that is asked for one after
    /// the other lets the processor wait for each; asked for all at once, it
    /// brings many of them in the time of one.
    fn call(&self, rows: &[usize]) {
        let mut sum = 0_u8;
        for &row in rows {
            let bytes = self.bytes.row(row);
            for &byte in bytes.iter().step_by(64) {
                sum = sum.wrapping_add(byte);
            }
        }
        hint::black_box(sum);
    }
    // ANCHOR_END: call
}

/// x ← scale · bytes.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn to_floats<F: Float>(bytes: ArrayView1<u8>, scale: F, x: ArrayViewMut1<F>) {
    Zip::from(x).and(bytes).for_each(|x, &byte| {
        let byte: F = byte.into();
        *x = scale * byte;
    });
}

/// Some of the samples of another source, by number: a validation split, or the
/// first thousand.
pub struct Subset<'a, F: Float> {
    source: &'a dyn Source<F>,
    rows: Vec<usize>,
}

impl<'a, F: Float> Subset<'a, F> {
    /// The samples of `source` with these numbers, in this order.
    ///
    /// # Errors
    /// If a number is not below the number of samples.
    pub fn new(
        source: &'a dyn Source<F>,
        rows: impl IntoIterator<Item = usize>,
    ) -> Result<Self> {
        let samples = source.len();
        let check = |number| {
            if number < samples {
                Ok(number)
            } else {
                Err(Error::NoSuchSample { number, samples })
            }
        };
        let rows = rows.into_iter().map(check).collect::<Result<_>>()?;
        Ok(Self { source, rows })
    }
}

impl<F: Float> Source<F> for Subset<'_, F> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn input_columns(&self) -> usize {
        self.source.input_columns()
    }

    fn target_columns(&self) -> usize {
        self.source.target_columns()
    }

    fn gather(
        &self,
        rows: &[usize],
        x: &mut ArrayRef2<F>,
        y: &mut ArrayRef2<F>,
    ) {
        // One at a time, so that nothing is allocated.
        for (i, &row) in rows.iter().enumerate() {
            let mut x = x.slice_mut(s![i..=i, ..]);
            let mut y = y.slice_mut(s![i..=i, ..]);
            self.source.gather(&self.rows[row..=row], &mut x, &mut y);
        }
    }
}
