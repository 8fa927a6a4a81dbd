//! What can be asked of this chapter on the command line.

use clap::Parser;

/// Chapter 1: activations and their derivatives
#[derive(Parser)]
pub struct Args {
    #[command(flatten)]
    pub common: lab::Common,

    /// Print the softmax of --z by the formula as it stands on paper, and nothing else
    #[arg(long)]
    pub naive: bool,

    /// The inputs of that softmax, with commas between them
    #[arg(
        long,
        value_name = "NUMBERS",
        value_delimiter = ',',
        allow_hyphen_values = true,
        default_value = "1000,1001,1002",
        value_parser = finite
    )]
    pub z: Vec<f64>,

    /// Where the sigmoid is differentiated by differences, from 0.1 to 1
    #[arg(long, value_name = "Z", default_value_t = 0.5, value_parser = between_inflections)]
    pub at: f64,
}

impl lab::Arguments for Args {
    fn common(&self) -> &lab::Common {
        &self.common
    }
}

fn finite(text: &str) -> Result<f64, String> {
    match text.trim().parse() {
        Ok(z) if f64::is_finite(z) => Ok(z),
        Ok(z) => Err(format!("the inputs must be finite, but one is {z}")),
        Err(_) => Err("the inputs must be numbers, with commas between them".into()),
    }
}

/// The second derivative of the sigmoid vanishes at 0, the third at 1.32: between them the
/// error of a difference is what the formula says it is.
fn between_inflections(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(z) if (0.1..=1.0).contains(&z) => Ok(z),
        Ok(z) => Err(format!("the point must lie in [0.1, 1], but is {z}")),
        Err(_) => Err("the point must be a number".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_range_are_refused_with_their_value() {
        let refused = |args: &[&str]| {
            let args = ["chapter01"].iter().chain(args);
            Args::try_parse_from(args).map(|_| ()).unwrap_err().to_string()
        };
        assert!(refused(&["--z", "1,NaN"]).contains("must be finite, but one is NaN"));
        assert!(refused(&["--z", ""]).contains("must be numbers"));
        assert!(refused(&["--at", "3"]).contains("must lie in [0.1, 1], but is 3"));
        assert!(Args::try_parse_from(["chapter01", "--z", "-1,-2.5"]).is_ok());
    }
}
