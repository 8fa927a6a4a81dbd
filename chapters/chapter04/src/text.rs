//! Numbers as the tables print them.

/// Two digits, with an exponent if it is small: for errors, whose size is all that matters.
pub fn size(x: f64) -> String {
    match x.abs() {
        _ if !x.is_finite() => x.to_string(),
        0.0 => "0".into(),
        0.1.. => format!("{x:.1}"),
        _ => format!("{x:.1e}"),
    }
}

/// A share as a percentage.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// The shape of an array: "(32, 16)".
pub fn shape(shape: &[usize]) -> String {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("({})", sizes.join(", "))
}

/// The sizes of a network: "2-16-16-1".
pub fn sizes(sizes: &[usize]) -> String {
    let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
    sizes.join("-")
}
