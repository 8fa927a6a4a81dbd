//! What can be chosen on the command line.

use clap::ValueEnum;
use gradus::{
    Activation, Adam, CategoricalCrossEntropy, Fit, Float, GradientDescent, Init, Momentum,
    MovingAverage, Nesterov, NeuralNetwork, Optimizer, Relu, Sigmoid, Softmax, Tanh, mnist,
};
use lab::Result;

/// Chapter 10: where the time of a training goes
///
/// Without options, the whole chapter. With any of the options that choose a training, only that
/// training, epoch by epoch; what is not chosen is as in the tutorial that this command line
/// comes from.
#[derive(clap::Parser)]
pub struct Args {
    #[command(flatten)]
    pub common: lab::Common,

    #[command(flatten)]
    pub training: Training,

    /// Chooses recipes for 98.0 % and 98.5 % anew on a validation split, trains them with ten
    /// fresh seeds, and stores what it finds in chapters/chapter10/race.csv; then runs the chapter
    #[arg(long)]
    pub race: bool,

    /// Measures how the time of an epoch grows with width, batch, depth and samples, and stores
    /// it in chapters/chapter10/scale.csv; then runs the chapter
    #[arg(long)]
    pub scale: bool,
}

impl lab::Arguments for Args {
    fn common(&self) -> &lab::Common {
        &self.common
    }
}

/// The options of a training.
#[derive(clap::Args, Debug, Clone, Default, PartialEq)]
pub struct Training {
    /// What hidden units compute [default: sigmoid]
    #[arg(long, value_name = "NAME")]
    pub activation: Option<Hidden>,

    /// How a gradient becomes a step [default: moving-average]
    #[arg(long, value_name = "NAME")]
    pub optimizer: Option<Rule>,

    /// Images for each step [default: 128]
    #[arg(long, alias = "batch_size", value_name = "N")]
    pub batch_size: Option<usize>,

    /// How far each step goes [default: by optimizer and activation]
    #[arg(long, alias = "learning_rate", alias = "l_rate", value_name = "X")]
    #[arg(allow_negative_numbers = true)]
    pub learning_rate: Option<f64>,

    /// How much of the last step, or of the average, is kept: 0 or more, below 1 [default: 0.9]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub beta: Option<f64>,

    /// How often every image is seen [default: 10]
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,

    /// Units of each hidden layer, such as 64 or 64,32 [default: 64]
    #[arg(long, value_name = "N,N", value_delimiter = ',')]
    pub hidden: Option<Vec<usize>>,

    /// Threads that share a batch [default: 1]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,

    /// f32 or f64 [default: f32]
    #[arg(long, value_name = "NAME")]
    pub precision: Option<Precision>,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hidden {
    Relu,
    Sigmoid,
    Tanh,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    #[value(alias = "sgd")]
    GradientDescent,
    Momentum,
    MovingAverage,
    Nesterov,
    Adam,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    F32,
    F64,
}

/// The largest hidden layer: beyond it, an epoch takes minutes.
const LARGEST: usize = 4096;

/// A training, every setting of it decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    pub activation: Hidden,
    pub optimizer: Rule,
    pub learning_rate: f64,
    pub beta: f64,
    pub hidden: Vec<usize>,
    pub precision: Precision,
    pub fit: Fit,
}

impl Training {
    /// Whether a training is chosen at all.
    pub fn is_chosen(&self) -> bool {
        *self != Self::default()
    }

    /// The training, with the tutorial's settings where there is no other.
    ///
    /// # Errors
    /// If a setting is out of its range: which, its value, and what would do.
    pub fn choice(&self, seed: u64) -> Result<Choice> {
        let activation = self.activation.unwrap_or(Hidden::Sigmoid);
        let optimizer = self.optimizer.unwrap_or(Rule::MovingAverage);
        let usual = usual_rate(optimizer, activation);
        let learning_rate = self.learning_rate.unwrap_or(usual);
        let fix = format!("try {usual}");
        let ok = learning_rate > 0.0 && learning_rate.is_finite();
        range("learning-rate", "be positive and finite", learning_rate, ok, &fix)?;
        if let (Rule::GradientDescent, Some(beta)) = (optimizer, self.beta) {
            return Err(format!(
                "--beta {beta} has no meaning for gradient-descent, which keeps nothing: leave it \
                 out, or choose --optimizer momentum"
            )
            .into());
        }
        let beta = self.beta.unwrap_or(0.9);
        range("beta", "lie in [0, 1)", beta, (0.0..1.0).contains(&beta), "try 0.9")?;
        let hidden = self.hidden.clone().unwrap_or_else(|| vec![64]);
        for &units in &hidden {
            let what = format!("have 1 to {LARGEST} units in each layer");
            let ok = (1..=LARGEST).contains(&units);
            range("hidden", &what, units, ok, "try --hidden 64, or 64,32")?;
        }
        let batch_size = self.batch_size.unwrap_or(128);
        range("batch-size", "be at least 1", batch_size, batch_size > 0, "try 128")?;
        let epochs = self.epochs.unwrap_or(10);
        range("epochs", "be at least 1", epochs, epochs > 0, "try 10")?;
        let threads = self.threads.unwrap_or(1);
        let ok = (1..=64).contains(&threads);
        range("threads", "lie in 1 to 64", threads, ok, "try as many as there are cores")?;
        let precision = self.precision.unwrap_or(Precision::F32);
        let fit = Fit { batch_size, epochs, threads, seed, patience: None };
        Ok(Choice { activation, optimizer, learning_rate, beta, hidden, precision, fit })
    }
}

fn range(
    option: &str,
    must: &str,
    value: impl std::fmt::Display,
    ok: bool,
    fix: &str,
) -> Result<()> {
    if ok { Ok(()) } else { Err(format!("--{option} must {must}, but is {value}: {fix}").into()) }
}

/// A rate at which the training works. The tutorial's is 4, for a moving average and the sigmoid.
fn usual_rate(optimizer: Rule, activation: Hidden) -> f64 {
    match (optimizer, activation) {
        (Rule::MovingAverage, Hidden::Sigmoid) => 4.0,
        (Rule::MovingAverage, _) => 1.0,
        (Rule::GradientDescent, Hidden::Sigmoid) => 4.0,
        (Rule::GradientDescent, _) => 0.5,
        (Rule::Momentum | Rule::Nesterov, Hidden::Sigmoid) => 0.4,
        (Rule::Momentum | Rule::Nesterov, _) => 0.1,
        (Rule::Adam, _) => 0.001,
    }
}

impl Choice {
    /// A fresh network.
    pub fn network<F: Float>(&self) -> gradus::Result<NeuralNetwork<F>> {
        match self.activation {
            Hidden::Relu => self.network_of(Relu),
            Hidden::Sigmoid => self.network_of(Sigmoid),
            Hidden::Tanh => self.network_of(Tanh),
        }
    }

    fn network_of<F: Float>(
        &self,
        hidden: impl Activation<F> + 'static,
    ) -> gradus::Result<NeuralNetwork<F>> {
        let ends = [mnist::SIDE * mnist::SIDE, mnist::CLASSES];
        let sizes = [&ends[..1], &self.hidden, &ends[1..]].concat();
        let (loss, seed) = (CategoricalCrossEntropy, self.fit.seed);
        let optimizer = self.optimizer()?;
        NeuralNetwork::new(&sizes, hidden, Softmax, loss, optimizer, Init::LeCun, seed)
    }

    fn optimizer<F: Float>(&self) -> gradus::Result<Box<dyn Optimizer<F>>> {
        let (rate, beta) = (self.learning_rate, self.beta);
        Ok(match self.optimizer {
            Rule::GradientDescent => Box::new(GradientDescent::new(rate)?),
            Rule::Momentum => Box::new(Momentum::new(rate, beta)?),
            Rule::MovingAverage => Box::new(MovingAverage::new(rate, beta)?),
            Rule::Nesterov => Box::new(Nesterov::new(rate, beta)?),
            Rule::Adam => Box::new(Adam::new(rate)?.with_betas(beta, 0.999)?),
        })
    }

    /// The choice in words.
    pub fn words(&self) -> String {
        let hidden: Vec<String> = self.hidden.iter().map(usize::to_string).collect();
        let name = |value: Option<clap::builder::PossibleValue>| {
            value.map_or_else(String::new, |value| value.get_name().to_owned())
        };
        let beta = match self.optimizer {
            Rule::GradientDescent => String::new(),
            _ => format!(", beta {}", self.beta),
        };
        let threads = match self.fit.threads {
            1 => "one thread".into(),
            threads => format!("{threads} threads"),
        };
        format!(
            "784-{}-10, {}, {}, rate {}{beta}, batches of {}, {} on {threads}",
            hidden.join("-"),
            name(self.activation.to_possible_value()),
            name(self.optimizer.to_possible_value()),
            self.learning_rate,
            self.fit.batch_size,
            name(self.precision.to_possible_value()),
        )
    }
}

#[cfg(test)]
mod tests;
