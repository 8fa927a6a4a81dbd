//! The arguments.

/// What the reader may choose.
#[derive(clap::Parser)]
#[command(about = "Chapter 2: losses, and the way back through the output")]
pub struct Args {
    /// What every chapter takes.
    #[command(flatten)]
    pub common: lab::Common,

    /// How many logits the wrong class is ahead of the true one at the start, 10 to 500
    #[arg(long, value_name = "Z", default_value_t = 50.0, value_parser = margin)]
    pub margin: f64,

    /// Samples whose Jacobians are built to take the time, 1 to 200: each takes 4 MB at 1000
    /// outputs
    #[arg(
        long,
        value_name = "N",
        default_value_t = 128,
        value_parser = clap::value_parser!(u16).range(1..=200),
    )]
    pub samples: u16,

    /// Classes of the softmax whose Jacobian is taken apart, 2 to 8
    #[arg(
        long,
        value_name = "M",
        default_value_t = 6,
        value_parser = clap::value_parser!(u16).range(2..=8),
    )]
    pub classes: u16,
}

impl lab::Arguments for Args {
    fn common(&self) -> &lab::Common {
        &self.common
    }
}

fn margin(text: &str) -> Result<f64, String> {
    let margin: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if (10.0..=500.0).contains(&margin) {
        Ok(margin)
    } else {
        Err(format!("{margin} is not in 10..=500"))
    }
}
