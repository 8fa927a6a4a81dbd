//! A bowl in two parameters, and its eigenvectors.

use lab::Result;
use ndarray::{Array1, Array2, array};
use ndarray_linalg::{Eigh, Solve, UPLO};

/// f(θ) = ½ θᵀAθ − bᵀθ with A symmetric and positive definite.
pub struct Bowl {
    a: Array2<f64>,
    b: Array1<f64>,
    /// θ*, where Aθ* = b.
    pub minimum: Array1<f64>,
    /// The eigenvalues of A, the smallest first.
    pub lambda: Array1<f64>,
    /// The eigenvectors of A, in columns.
    pub q: Array2<f64>,
}

impl Bowl {
    /// The bowl of this A and b.
    pub fn new(a: Array2<f64>, b: Array1<f64>) -> Result<Self> {
        let (lambda, mut q) = a.eigh(UPLO::Lower)?;
        for mut q in q.columns_mut() {
            // An eigenvector may have either sign: let it point to the right.
            let sign = if q[0] < 0.0 { -1.0 } else { 1.0 };
            q *= sign;
        }
        let minimum = a.solve(&b)?;
        Ok(Self { a, b, minimum, lambda, q })
    }

    /// A bowl with eigenvalues 1 and κ, turned by 20 degrees, with its minimum at (1, −0.5).
    pub fn turned(condition: f64) -> Result<Self> {
        let (sin, cos) = 20f64.to_radians().sin_cos();
        let q = array![[cos, -sin], [sin, cos]];
        let a = (&q * &array![1.0, condition]).dot(&q.t());
        let b = a.dot(&array![1.0, -0.5]);
        Self::new(a, b)
    }

    /// The same bowl with its minimum at 0, where rounding leaves the error alone however
    /// small it becomes.
    pub fn at_origin(&self) -> Result<Self> {
        Self::new(self.a.clone(), Array1::zeros(2))
    }

    /// The matrix A.
    pub fn a(&self) -> &Array2<f64> {
        &self.a
    }

    /// The height above the lowest point: f(θ) − f(θ*) = ½ (θ − θ*)ᵀA(θ − θ*).
    pub fn height(&self, theta: &Array1<f64>) -> f64 {
        let e = theta - &self.minimum;
        e.dot(&self.a.dot(&e)) / 2.0
    }

    /// ∇f(θ) = Aθ − b.
    pub fn gradient(&self, theta: &Array1<f64>) -> Array1<f64> {
        self.a.dot(theta) - &self.b
    }

    /// ‖θ − θ*‖.
    pub fn distance(&self, theta: &Array1<f64>) -> f64 {
        let e = theta - &self.minimum;
        e.dot(&e).sqrt()
    }

    /// The error along eigenvector i: qᵢᵀ(θ − θ*).
    pub fn along(&self, i: usize, theta: &Array1<f64>) -> f64 {
        self.q.column(i).dot(&(theta - &self.minimum))
    }

    /// The point with these errors along the flattest and the steepest direction.
    pub fn at(&self, flat: f64, steep: f64) -> Array1<f64> {
        &self.minimum + &self.q.dot(&array![flat, steep])
    }

    /// The smallest eigenvalue.
    pub fn flattest(&self) -> f64 {
        self.lambda[0]
    }

    /// The largest eigenvalue.
    pub fn steepest(&self) -> f64 {
        self.lambda[1]
    }

    /// κ, the ratio of the two.
    pub fn condition(&self) -> f64 {
        self.steepest() / self.flattest()
    }

    /// 2/λₘₐₓ: from here on gradient descent diverges.
    pub fn limit(&self) -> f64 {
        2.0 / self.steepest()
    }

    /// The best learning rate of gradient descent, and the rate it reaches.
    pub fn best_rate(&self) -> (f64, f64) {
        let kappa = self.condition();
        (2.0 / (self.flattest() + self.steepest()), (kappa - 1.0) / (kappa + 1.0))
    }

    /// The best learning rate and momentum of the heavy ball, and the rate they reach.
    pub fn best_pair(&self) -> (f64, f64, f64) {
        let root = self.condition().sqrt();
        let rate = (root - 1.0) / (root + 1.0);
        let eta = 4.0 / (self.steepest().sqrt() + self.flattest().sqrt()).powi(2);
        (eta, rate * rate, rate)
    }

    /// The usual learning rate and momentum of Nesterov's method, and the rate they reach.
    pub fn usual_pair(&self) -> (f64, f64, f64) {
        let root = self.condition().sqrt();
        (1.0 / self.steepest(), (root - 1.0) / (root + 1.0), 1.0 - 1.0 / root)
    }
}
