//! Numbers as text, the same way in every chapter.

/// Four decimals for ordinary sizes, an exponent for all others.
pub fn number(x: f64) -> String {
    match x.abs() {
        _ if !x.is_finite() => x.to_string(),
        0.0 => "0".into(),
        1e-3..1e4 => format!("{x:.4}"),
        _ => format!("{x:.2e}"),
    }
}

/// A whole number with commas between its thousands: "50,890".
pub fn thousands(n: usize) -> String {
    if n < 1000 { n.to_string() } else { format!("{},{:03}", thousands(n / 1000), n % 1000) }
}

/// What a check found: "passed" or "FAILED".
pub fn passed(passed: bool) -> &'static str {
    if passed { "passed" } else { "FAILED" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!([0, 999, 1000, 50_890, 1_002_003].map(thousands).join(" "), {
            "0 999 1,000 50,890 1,002,003"
        });
    }

    #[test]
    fn very_small_and_very_large_numbers_have_an_exponent() {
        assert_eq!([0.0, -0.5, 9999.0, 1e4, 0.0009].map(number).join(" "), {
            "0 -0.5000 9999.0000 1.00e4 9.00e-4"
        });
        assert_eq!(number(f64::NAN), "NaN");
    }
}
