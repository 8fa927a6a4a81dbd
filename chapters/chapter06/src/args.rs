//! The command line, and what follows from it.

use std::path::{Path, PathBuf};

use gradus::{Mnist, Samples, Source};
use lab::Result;
use ndarray::Array2;

/// What can be chosen.
#[derive(clap::Parser)]
#[command(about = "Chapter 6: a network of layers, and what two published runs really do")]
pub struct Args {
    #[command(flatten)]
    pub common: lab::Common,

    /// Folder with the four IDX files of MNIST or a set like it, plain or gzipped
    /// [default: data/mnist]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// From how many seeds exclusive or is learned, from 10 to 1000
    #[arg(long, value_name = "N", default_value_t = 200)]
    #[arg(value_parser = clap::value_parser!(u64).range(10..=1000))]
    pub seeds: u64,

    /// After how many epochs we give up on exclusive or, from 1000 to 1000000
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1000..=1_000_000))]
    pub patience: u64,
}

impl lab::Arguments for Args {
    fn common(&self) -> &lab::Common {
        &self.common
    }
}

impl Args {
    /// Reads the images.
    pub fn images(&self) -> Result<Mnist> {
        let default = || {
            let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
            workspace.unwrap_or(Path::new("")).join("data/mnist")
        };
        let hint = "--data needs a folder with four IDX files like those in data/mnist";
        Mnist::read(self.data.clone().unwrap_or_else(default))
            .map_err(|error| format!("{error}\n{hint}").into())
    }
}

/// The first samples of a source, as arrays.
pub fn first(source: &dyn Source<f32>, n: usize) -> Result<Samples<f32>> {
    let rows: Vec<usize> = (0..n).collect();
    let mut x = Array2::zeros((n, source.input_columns()));
    let mut y = Array2::zeros((n, source.target_columns()));
    source.gather(&rows, &mut x, &mut y);
    Ok(Samples::new(x, y)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn settings_out_of_range_are_refused_with_their_value() {
        let refused = |args: &[&str]| {
            let args = ["chapter06"].iter().chain(args);
            Args::try_parse_from(args).map(|_| ()).unwrap_err().to_string()
        };
        assert!(refused(&["--seeds", "9"]).contains("9 is not in 10..=1000"));
        assert!(refused(&["--patience", "1"]).contains("1 is not in 1000..=1000000"));
        let nowhere = Args::try_parse_from(["chapter06", "--data", "nowhere"]).unwrap();
        let error = nowhere.images().unwrap_err().to_string();
        assert!(error.contains("nowhere") && error.contains("--data needs a folder"), "{error}");
    }
}
