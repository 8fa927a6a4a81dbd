//! From signatures to everything that depends on them.

/// The functions of a chapter, from their signatures: the struct `Functions`, whose fields are
/// pointers to functions with these signatures, and in the module `call` a constructor of calls
/// for each.
#[macro_export]
macro_rules! signatures {
    ($(
        fn $name:ident($($argument:ident: $type:ty),* $(,)?) -> $result:ty;
    )*) => {
        /// The functions of this chapter, as the student writes them.
        #[derive(Clone, Copy)]
        #[allow(clippy::type_complexity)] // Signatures are shown in full.
        pub struct Functions {
            $(
                #[doc = concat!("The student's `", stringify!($name), "`.")]
                pub $name: fn($($type),*) -> $result,
            )*
        }

        impl Functions {
            /// Their names, in the order of the exercises.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];

            /// Calls the function that `call` names.
            ///
            /// # Errors
            /// If there is none, or an argument is missing or of another type.
            pub fn answer(&self, call: &$crate::Call) -> Result<$crate::Value, $crate::Misfit> {
                use $crate::{Argument, Exchange, Misfit};
                let mut given = call.arguments.iter();
                match call.function.as_str() {
                    $(stringify!($name) => {
                        $(
                            let value = given.next().map(|(_, value)| value);
                            let $argument = value
                                .and_then(<<$type as Argument>::Owned as Exchange>::from_value)
                                .ok_or(Misfit::Argument {
                                    function: stringify!($name),
                                    argument: stringify!($argument),
                                })?;
                        )*
                        let result = (self.$name)($(<$type>::from_owned(&$argument)),*);
                        Ok(result.to_value())
                    })*
                    other => Err(Misfit::Function(other.to_owned())),
                }
            }
        }

        impl From<Functions> for Box<$crate::Functions> {
            fn from(functions: Functions) -> Self {
                Box::new(move |call| functions.answer(call))
            }
        }

        /// Calls of the functions of this chapter.
        pub mod call {
            use super::*;
            use $crate::{Argument, TypedCall};

            $(
                /// A call of the function of this name.
                #[allow(clippy::too_many_arguments)]
                pub fn $name($($argument: $type),*) -> TypedCall<$result> {
                    let arguments = vec![
                        $((stringify!($argument).to_owned(), $argument.into_value())),*
                    ];
                    TypedCall::new(stringify!($name), arguments)
                }
            )*
        }
    };
}

#[cfg(test)]
mod tests {
    use crate::{Call, Misfit, Reply, Value, reply_to};
    use ndarray::{Array1, array};

    signatures! {
        fn scaled(x: &Array1<f64>, factor: f64) -> Array1<f64>;
        fn longest(rows: &[Array1<f64>], at_most: usize) -> Option<usize>;
    }

    const FUNCTIONS: Functions = Functions {
        scaled: |x, factor| x * factor,
        longest: |rows, at_most| rows.iter().map(Array1::len).filter(|&len| len <= at_most).max(),
    };

    #[test]
    fn calls_arrive() {
        assert_eq!(Functions::NAMES, ["scaled", "longest"]);
        let call = call::scaled(&array![1.0, -2.0], 0.5).call;
        let right = Value::Array { shape: vec![2], by_columns: false, numbers: vec![0.5, -1.0] };
        assert_eq!(reply_to(|| FUNCTIONS.answer(&call)), Reply::Returned(right));
        let call = call::longest(&[array![1.0], array![1.0, 2.0], Array1::zeros(5)], 4).call;
        assert_eq!(call.arguments[1], ("at_most".to_owned(), Value::Whole(4)));
        let right = Value::Something(Box::new(Value::Whole(2)));
        assert_eq!(FUNCTIONS.answer(&call), Ok(right));
    }

    #[test]
    fn a_call_that_does_not_fit_is_refused() {
        let stranger = Call { function: "other".to_owned(), arguments: Vec::new() };
        assert_eq!(FUNCTIONS.answer(&stranger), Err(Misfit::Function("other".to_owned())));
        let misfit = Misfit::Argument { function: "scaled", argument: "factor" };
        let mut call = call::scaled(&array![1.0], 0.5).call;
        call.arguments[1].1 = Value::Whole(1);
        assert_eq!(FUNCTIONS.answer(&call), Err(misfit.clone()));
        call.arguments.pop();
        assert_eq!(FUNCTIONS.answer(&call), Err(misfit));
    }
}
