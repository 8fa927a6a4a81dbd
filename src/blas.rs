//! Matrix products, and a look at the OpenBLAS that computes them.
//!
//! A distribution's OpenBLAS may not know a newer processor and fall back to
//! its slowest kernel. This module can say so; only a program's `main` may act
//! on it, because OpenBLAS reads `OPENBLAS_CORETYPE` once, before `main`
//! begins.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayRef2, ArrayView2, ArrayViewMut2, Zip};

use crate::float::Float;

#[cfg(any(feature = "openblas", feature = "openblas-static"))]
use openblas_src as _;

/// C ← α A B + β C, written into place.
///
/// # Shapes
/// `a`: (n, k), `b`: (k, m), `c`: (n, m).
///
/// # Panics
/// If the shapes do not fit.
pub fn product<F: Float>(
    alpha: F,
    a: &ArrayRef2<F>,
    b: &ArrayRef2<F>,
    beta: F,
    c: &mut ArrayRef2<F>,
) {
    // ndarray hands products with a side above 7 to BLAS, and smaller ones to
    // code that allocates memory for each: those are as quickly done by hand.
    let small = 7;
    if a.nrows() <= small && a.ncols() <= small && b.ncols() <= small {
        assert_eq!(
            a.ncols(),
            b.nrows(),
            "the inner sizes of a product must agree"
        );
        assert_eq!(
            c.dim(),
            (a.nrows(), b.ncols()),
            "a product needs a place of its own shape"
        );
        Zip::indexed(c).for_each(|(i, j), c| {
            let sum = (0..a.ncols())
                .fold(F::zero(), |sum, k| sum + a[[i, k]] * b[[k, j]]);
            let old = if beta == F::zero() { F::zero() } else { beta * *c };
            *c = alpha * sum + old;
        });
    } else {
        let (a, b) = (with_strides(a), with_strides(b));
        // The same for the place of the result.
        let shape = c.raw_dim();
        match c
            .as_slice_mut()
            .map(|slice| ArrayViewMut2::from_shape(shape, slice))
        {
            Some(Ok(mut c)) => general_mat_mul(alpha, &a, &b, beta, &mut c),
            _ => general_mat_mul(alpha, &a, &b, beta, c),
        }
    }
}

/// The same matrix; one row or column gets back the strides that slicing it set
/// to zero, and without which ndarray does not hand it to BLAS.
fn with_strides<F: Float>(a: &ArrayRef2<F>) -> ArrayView2<'_, F> {
    let vector = a.nrows() == 1 || a.ncols() == 1;
    match a
        .as_slice()
        .filter(|_| vector)
        .map(|slice| ArrayView2::from_shape(a.raw_dim(), slice))
    {
        Some(Ok(view)) => view,
        _ => a.view(),
    }
}

/// What OpenBLAS says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenBlas {
    /// Its version and how it was built.
    pub config: String,
    /// The kernel it picked for this processor, such as `SkylakeX` or
    /// `Prescott`.
    pub kernel: String,
    /// How many threads it uses for a product.
    pub threads: usize,
}

/// The OpenBLAS in use, or `None` if the library was built without it.
pub fn openblas() -> Option<OpenBlas> {
    ffi::openblas()
}

/// Makes OpenBLAS compute on the calling thread, for the whole process.
///
/// [`train::run`](crate::train::run) calls this: the products of a training
/// step are too small to be split inside, so the samples of a batch are split
/// between threads instead.
pub fn use_one_thread() {
    ffi::set_threads(1);
}

/// The value for `OPENBLAS_CORETYPE` with which OpenBLAS would run faster here,
/// if it fell back to a kernel without fused multiply-add although the
/// processor has it.
///
/// `None` if the kernel is fine, if there is no OpenBLAS, or if
/// `OPENBLAS_CORETYPE` is set: the user's own choice stands.
pub fn better_kernel() -> Option<&'static str> {
    if std::env::var_os("OPENBLAS_CORETYPE").is_some() {
        return None;
    }
    better_than(&openblas()?.kernel, Processor::this())
}

/// The two kinds of vector instruction that decide how fast a product can be.
#[derive(Debug, Clone, Copy)]
struct Processor {
    avx2_fma: bool,
    avx512: bool,
}

impl Processor {
    #[cfg(target_arch = "x86_64")]
    fn this() -> Self {
        let avx2_fma =
            is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let avx512 = avx2_fma
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512cd")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        Self { avx2_fma, avx512 }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn this() -> Self {
        Self { avx2_fma: false, avx512: false }
    }
}

/// The rule of [`better_kernel`], as a function of what was found.
fn better_than(kernel: &str, processor: Processor) -> Option<&'static str> {
    // OpenBLAS's kernels for processors without fused multiply-add (Bulldozer
    // and its successors have another form of it, and are left alone).
    const SLOW: [&str; 11] = [
        "prescott",
        "katmai",
        "coppermine",
        "northwood",
        "banias",
        "core2",
        "penryn",
        "dunnington",
        "nehalem",
        "atom",
        "sandybridge",
    ];
    let slow = SLOW.contains(&kernel.to_lowercase().as_str());
    match processor {
        _ if !slow => None,
        Processor { avx512: true, .. } => Some("SKYLAKEX"),
        Processor { avx2_fma: true, .. } => Some("HASWELL"),
        _ => None,
    }
}

#[cfg(any(feature = "openblas", feature = "openblas-static"))]
mod ffi {
    #![allow(unsafe_code)]

    use std::ffi::{CStr, c_char, c_int};

    unsafe extern "C" {
        fn openblas_get_config() -> *const c_char;
        fn openblas_get_corename() -> *const c_char;
        fn openblas_get_num_threads() -> c_int;
        fn openblas_set_num_threads(threads: c_int);
    }

    pub fn openblas() -> Option<super::OpenBlas> {
        // SAFETY: both functions return a pointer to a text that ends in zero
        // and lives as long as the program; the third takes and returns plain
        // numbers.
        let (config, kernel, threads) = unsafe {
            (
                CStr::from_ptr(openblas_get_config()),
                CStr::from_ptr(openblas_get_corename()),
                openblas_get_num_threads(),
            )
        };
        let text = |s: &CStr| s.to_string_lossy().trim().to_owned();
        let threads = usize::try_from(threads).unwrap_or(1);
        Some(super::OpenBlas {
            config: text(config),
            kernel: text(kernel),
            threads,
        })
    }

    pub fn set_threads(threads: c_int) {
        // SAFETY: the function takes a plain number and may be called at any
        // time.
        unsafe { openblas_set_num_threads(threads) }
    }
}

#[cfg(not(any(feature = "openblas", feature = "openblas-static")))]
mod ffi {
    pub fn openblas() -> Option<super::OpenBlas> {
        None
    }

    pub fn set_threads(_: i32) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    #[test]
    fn a_slow_kernel_is_replaced_by_one_that_the_processor_has() {
        let none = Processor { avx2_fma: false, avx512: false };
        let avx2 = Processor { avx2_fma: true, avx512: false };
        let avx512 = Processor { avx2_fma: true, avx512: true };
        assert_eq!(better_than("Prescott", none), None);
        assert_eq!(better_than("Prescott", avx2), Some("HASWELL"));
        assert_eq!(better_than("Prescott", avx512), Some("SKYLAKEX"));
        assert_eq!(better_than("Haswell", avx512), None);
        assert_eq!(better_than("Zen", avx512), None);
        assert_eq!(better_than("neoversen1", none), None);
    }

    #[test]
    fn small_and_large_products_agree_with_their_definition() {
        for (n, k, m) in
            [(2, 3, 4), (7, 7, 7), (8, 3, 2), (1, 9, 1), (5, 1, 20)]
        {
            let a = Array2::from_shape_fn((n, k), |(i, j)| {
                (1 + i) as f64 - 0.3 * j as f64
            });
            let b = Array2::from_shape_fn((k, m), |(i, j)| {
                0.7 * i as f64 - j as f64 + 0.1
            });
            let mut c = Array2::from_elem((n, m), 2.0);
            product(3.0, &a, &b, 0.5, &mut c);
            for ((i, j), &c) in c.indexed_iter() {
                let sum: f64 = (0..k).map(|l| a[[i, l]] * b[[l, j]]).sum();
                assert!(
                    (c - (3.0 * sum + 1.0)).abs() < 1e-12,
                    "{n} {k} {m}: {c}"
                );
            }
        }
    }

    #[test]
    fn a_product_with_beta_zero_overwrites_even_nan() {
        let mut c = array![[f64::NAN]];
        product(1.0, &array![[2.0]], &array![[3.0]], 0.0, &mut c);
        assert_eq!(c[[0, 0]], 6.0);
    }
}
