//! Prints the `OPENBLAS_CORETYPE` with which OpenBLAS would run faster on this machine, and
//! nothing if its own choice is fine.

fn main() {
    if let Some(kernel) = gradus::blas::better_kernel() {
        println!("{kernel}");
    }
}
