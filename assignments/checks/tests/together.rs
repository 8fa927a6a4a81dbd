//! The check of all functions together, which trains a network for every answer it is given. That
//! takes a minute, so that it is asked for: `cargo test -p assignments --test together -- --ignored`.

use assignments::{CHAPTERS, Outcome, Reason, Variant, grade_together, reference};
use signatures::{Call, Misfit, Value};

/// The functions that the training needs.
const NEEDED: [&str; 10] = [
    "softmax_loss_from_logits",
    "momentum_step",
    "affine_backward",
    "flatten_parameters",
    "restore_parameters",
    "one_hot_labels",
    "weight_deviations",
    "forward_pass",
    "scale_pixels",
    "place_in_epoch",
];

/// The library's functions, with this variant in place of one of them.
fn with<'a>(variant: &'a Variant) -> impl Fn(&Call) -> Result<Value, Misfit> + 'a {
    move |call| {
        if call.function == variant.function {
            return (variant.answer)(call);
        }
        reference(call)
    }
}

fn outcome(variant: &Variant) -> Outcome {
    grade_together(1, &mut with(variant)).expect("the images").0
}

fn variants(function: &str, wrong: bool) -> impl Iterator<Item = Variant> {
    let all = CHAPTERS.iter().flat_map(|chapter| (chapter.variants)());
    all.filter(move |variant| variant.function == function && variant.wrong == wrong)
}

#[test]
#[ignore = "trains a network for each mistake"]
fn a_mistake_in_any_of_the_functions_is_noticed() {
    for function in NEEDED {
        let caught = variants(function, true).take(5).find(|variant| {
            matches!(outcome(variant), Outcome::Failed(failure) if !matches!(failure.reason, Reason::Ended(_)))
        });
        assert!(caught.is_some(), "nothing wrong is noticed about {function}");
    }
}

#[test]
#[ignore = "trains a network for each of the answers"]
fn other_right_answers_train_as_well() {
    for function in NEEDED {
        if let Some(variant) = variants(function, false).next() {
            assert_eq!(outcome(&variant), Outcome::Passed, "{function}: {}", variant.name);
        }
    }
}
