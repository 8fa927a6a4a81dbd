use super::*;
use clap::Parser;

fn parsed(line: &str) -> std::result::Result<Args, clap::Error> {
    Args::try_parse_from(["chapter10"].into_iter().chain(line.split_whitespace()))
}

fn choice(line: &str) -> std::result::Result<Choice, String> {
    let args = parsed(line).map_err(|error| error.to_string())?;
    args.training.choice(args.common.seed).map_err(|error| error.to_string())
}

#[test]
fn nothing_chosen_is_the_whole_chapter_and_a_seed_is_no_choice() {
    assert!(!parsed("").unwrap().training.is_chosen());
    assert!(!parsed("--seed 3").unwrap().training.is_chosen());
    assert!(parsed("--epochs 10").unwrap().training.is_chosen());
    assert!(parsed("--precision f64").unwrap().training.is_chosen());
}

#[test]
fn what_is_not_chosen_is_the_tutorials() {
    let choice = choice("").unwrap();
    assert_eq!((choice.activation, choice.optimizer), (Hidden::Sigmoid, Rule::MovingAverage));
    assert_eq!((choice.learning_rate, choice.beta, choice.hidden), (4.0, 0.9, vec![64]));
    assert_eq!((choice.fit.batch_size, choice.fit.epochs, choice.fit.threads), (128, 10, 1));
    assert_eq!(choice.precision, Precision::F32);
}

#[test]
fn every_option_is_taken_at_its_word() {
    let choice = choice(
        "--activation tanh --optimizer adam --learning-rate 0.002 --beta 0.8 --epochs 3 \
         --hidden 64,32 --threads 2 --precision f64 --batch-size 50 --seed 7",
    )
    .unwrap();
    assert_eq!((choice.activation, choice.optimizer), (Hidden::Tanh, Rule::Adam));
    assert_eq!((choice.learning_rate, choice.beta), (0.002, 0.8));
    assert_eq!((choice.hidden.clone(), choice.precision), (vec![64, 32], Precision::F64));
    let fit = Fit { batch_size: 50, epochs: 3, threads: 2, seed: 7, patience: None };
    assert_eq!(choice.fit, fit);
    let network = choice.network::<f64>().unwrap();
    assert_eq!(network.sizes(), [784, 64, 32, 10]);
    let state = network.optimizer().state();
    assert_eq!((state.numbers["learning_rate"], state.numbers["beta1"]), (0.002, 0.8));
}

#[test]
fn each_optimizer_and_each_activation_is_its_own() {
    let mut names = Vec::new();
    for rule in Rule::value_variants() {
        let name = rule.to_possible_value().unwrap().get_name().to_owned();
        let choice = choice(&format!("--optimizer {name}")).unwrap();
        names.push(choice.network::<f32>().unwrap().optimizer().name().to_owned());
    }
    let expected = ["gradient_descent", "momentum", "moving_average", "nesterov", "adam"];
    assert_eq!(names, expected);
    let x = ndarray::Array2::from_elem((1, 784), 1.0);
    let first = |name: &str| {
        let choice = choice(&format!("--activation {name}")).unwrap();
        choice.network::<f64>().unwrap().forward(&x).unwrap().a[0].clone()
    };
    let (relu, sigmoid, tanh) = (first("relu"), first("sigmoid"), first("tanh"));
    assert!(relu.iter().all(|&a| a >= 0.0) && relu.iter().any(|&a| a == 0.0));
    assert!(sigmoid.iter().all(|&a| a > 0.0 && a < 1.0));
    assert!(tanh.iter().any(|&a| a < 0.0) && tanh.iter().all(|&a| a.abs() < 1.0));
}

#[test]
fn the_tutorials_own_spelling_is_understood() {
    let theirs = choice("--batch_size 64 --l_rate 0.25 --optimizer sgd").unwrap();
    let ours = choice("--batch-size 64 --learning-rate 0.25 --optimizer gradient-descent").unwrap();
    assert_eq!(theirs, ours);
    assert_eq!(theirs.optimizer, Rule::GradientDescent);
}

#[test]
fn an_error_names_the_value_and_what_would_do() {
    let all = [
        ("--learning-rate -1", "--learning-rate must be positive and finite, but is -1: try 4"),
        ("--learning-rate NaN", "but is NaN"),
        ("--optimizer adam --learning-rate 0", "but is 0: try 0.001"),
        ("--beta 1", "--beta must lie in [0, 1), but is 1: try 0.9"),
        ("--optimizer sgd --beta 0.5", "--beta 0.5 has no meaning for gradient-descent"),
        ("--hidden 64,0", "--hidden must have 1 to 4096 units in each layer, but is 0"),
        ("--hidden 5000", "but is 5000"),
        ("--batch-size 0", "--batch-size must be at least 1, but is 0: try 128"),
        ("--epochs 0", "--epochs must be at least 1, but is 0: try 10"),
        ("--threads 65", "--threads must lie in 1 to 64, but is 65"),
        ("--threads 0", "--threads must lie in 1 to 64, but is 0"),
    ];
    for (line, expected) in all {
        let error = choice(line).unwrap_err();
        assert!(error.contains(expected), "{line}: {error}");
    }
    let unknown = choice("--activation swish").unwrap_err();
    assert!(unknown.contains("swish") && unknown.contains("relu, sigmoid, tanh"), "{unknown}");
    let unknown = choice("--precision f16").unwrap_err();
    assert!(unknown.contains("f32, f64"), "{unknown}");
}
