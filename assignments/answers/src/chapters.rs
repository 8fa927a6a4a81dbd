//! The student's functions, as the grader asks for them. If one of them does not have the signature
//! that the book gives, this is where the compiler says so.

use signatures::{Call, Misfit, Value};

/// For each chapter that is built in: its name, and those of its functions.
macro_rules! chapters {
    ($($feature:literal $chapter:ident: $($function:ident)*;)*) => {
        /// Makes a call to whichever chapter has the function.
        pub fn answer(call: &Call) -> Result<Value, Misfit> {
            $(
                #[cfg(feature = $feature)]
                if signatures::$chapter::Functions::NAMES.contains(&call.function.as_str()) {
                    use student::$chapter::*;
                    let functions = signatures::$chapter::Functions { $($function),* };
                    return functions.answer(call);
                }
            )*
            Err(Misfit::Function(call.function.clone()))
        }
    };
}

chapters! {
    "chapter01" chapter01:
        softmax_rows softmax_jacobian_stack softmax_vjp sigmoid_stable relu_slope relative_error;
    "chapter02" chapter02:
        squared_error_rows cross_entropy_rows rows_through_jacobians stable_log_sum
        softmax_loss_from_logits coins_from_logits;
    "chapter03" chapter03:
        bowl_step momentum_step moving_average_step nesterov_step heavy_ball_radius best_pair;
    "chapter04" chapter04:
        affine_backward flatten_parameters restore_parameters one_hot_labels weight_deviations
        forward_pass;
    "chapter05" chapter05:
        scale_pixels place_in_epoch header_length float_from_bytes read_tensor resumed_step;
    "chapter06" chapter06:
        tanh_layer_backward dense_layer_step parameter_places layer_by_layer_order jacobian_costs
        shared_answer stack_loss_and_gradient;
    "chapter07" chapter07:
        output_size convolve_image im2col col2im kernel_gradient max_pool max_pool_backward;
    "chapter08" chapter08:
        adagrad_step rmsprop_step adam_step adamw_step clip_by_norm cosine_rate one_cycle_rate;
    "chapter09" chapter09:
        l2_cost_and_gradient dropout_forward batch_norm_forward batch_norm_backward
        running_statistics standardise decide_classes;
    "chapter10" chapter10:
        step_operations product_floor nonzero_product unit_rows_vjp steps_until_tiny batch_shares
        speed_up_with sum_in_order;
}
