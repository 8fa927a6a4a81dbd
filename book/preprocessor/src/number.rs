//! Numbers as text.

use crate::results::{Kind, Value};

/// What to write instead.
const FORMATS: &str = "say fixed=2, digits=3, percent=1 or scientific=1";

/// A number as a page prints it: `fixed=2`, `digits=3`, `percent=1`, `scientific=1`, or, for a
/// whole number, nothing.
///
/// # Errors
/// If the format is none of these, or prints digits that another run need not find.
pub fn format(value: &Value, format: &str) -> Result<String, String> {
    let x = value.value.as_f64().unwrap_or(f64::NAN);
    if format.is_empty() {
        return match (value.value.as_i64(), value.kind) {
            (Some(whole), Kind::Exact) => Ok(thousands(&whole.to_string())),
            _ if x == x.trunc() && x.abs() < 1e15 && value.kind != Kind::Machine => {
                guard(value, 1.0)?;
                Ok(thousands(&format!("{x:.0}")))
            }
            _ => Err(format!("{x} is not a whole number: {FORMATS}")),
        };
    }
    let (kind, count) = format
        .split_once('=')
        .and_then(|(kind, count)| Some((kind, count.parse::<usize>().ok()?)))
        .filter(|(_, count)| *count <= 16)
        .ok_or_else(|| format!("`{format}` is no format: {FORMATS}"))?;
    let unit = |places: i32| 10f64.powi(-places);
    match kind {
        "fixed" => {
            guard(value, unit(count as i32))?;
            Ok(thousands(&format!("{x:.count$}")))
        }
        "percent" => {
            guard(value, unit(count as i32 + 2))?;
            Ok(format!("{}\u{a0}%", thousands(&format!("{:.count$}", 100.0 * x))))
        }
        "scientific" => {
            guard(value, unit(count as i32 - exponent(x, count)))?;
            Ok(scientific(x, count))
        }
        "digits" if count > 0 => {
            let e = exponent(x, count - 1);
            guard(value, unit(count as i32 - 1 - e))?;
            if x != 0.0 && !(-4..7).contains(&e) {
                return Ok(scientific(x, count - 1));
            }
            let places = (count as i32 - 1 - e).max(0) as usize;
            // Left of the point, digits beyond those asked for become zeros.
            let step = unit((count as i32 - 1 - e).min(0));
            let kept = if step > 1.0 { (x / step).round() * step } else { x };
            Ok(thousands(&format!("{kept:.places$}")))
        }
        _ => Err(format!("`{format}` is no format: {FORMATS}")),
    }
}

/// Refuses to print digits finer than the number is known.
fn guard(value: &Value, unit: f64) -> Result<(), String> {
    let x = value.value.as_f64().unwrap_or(f64::NAN);
    let known = value.tolerance.unwrap_or(0.0) * x.abs().max(1.0);
    if value.kind == Kind::Near && known > unit * 1.0001 {
        return Err(format!(
            "another run may find {x} ± {known:.1e}, so its last digit, worth {unit:.0e}, says nothing: print fewer"
        ));
    }
    Ok(())
}

/// The power of ten of the first digit, once rounded to so many places.
fn exponent(x: f64, places: usize) -> i32 {
    let text = format!("{x:.places$e}");
    text.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0)
}

fn scientific(x: f64, places: usize) -> String {
    let text = format!("{x:.places$e}");
    match text.split_once('e') {
        Some((mantissa, "0")) => minus(mantissa),
        Some((mantissa, e)) => format!("{}\u{a0}×\u{a0}10<sup>{}</sup>", minus(mantissa), minus(e)),
        None => minus(&text),
    }
}

/// With a comma after every third digit from the point, from five digits on.
fn thousands(number: &str) -> String {
    let (sign, rest) = match number.strip_prefix('-') {
        Some(rest) => ("−", rest),
        None => ("", number),
    };
    let (whole, fraction) = match rest.split_once('.') {
        Some((whole, fraction)) => (whole, format!(".{fraction}")),
        None => (rest, String::new()),
    };
    let mut grouped = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && whole.len() > 4 && (whole.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    // A zero has no sign.
    let zero = !rest.contains(|c: char| ('1'..='9').contains(&c));
    format!("{}{grouped}{fraction}", if zero { "" } else { sign })
}

fn minus(number: &str) -> String {
    number.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(x: f64, kind: Kind, tolerance: Option<f64>) -> Value {
        Value { value: serde_json::Number::from_f64(x).unwrap(), kind, tolerance }
    }

    fn text(x: f64, how: &str) -> String {
        format(&value(x, Kind::Exact, None), how).unwrap()
    }

    #[test]
    fn numbers_are_printed_as_asked() {
        assert_eq!(text(60000.0, ""), "60,000");
        assert_eq!(text(-1000.0, ""), "−1000");
        assert_eq!(text(0.97786, "percent=1"), "97.8\u{a0}%");
        assert_eq!(text(-0.3349, "fixed=2"), "−0.33");
        assert_eq!(text(-0.001, "fixed=2"), "0.00");
        assert_eq!(text(2.220446e-16, "scientific=1"), "2.2\u{a0}×\u{a0}10<sup>−16</sup>");
        assert_eq!(text(2.220446e-16, "digits=2"), "2.2\u{a0}×\u{a0}10<sup>−16</sup>");
        assert_eq!(text(1234.5, "digits=3"), "1230");
        assert_eq!(text(101_770.0, "digits=3"), "102,000");
        assert_eq!(text(0.0012345, "digits=3"), "0.00123");
        assert_eq!(text(9.996, "digits=3"), "10.0");
        assert_eq!(text(0.0, "digits=2"), "0.0");
    }

    #[test]
    fn formats_that_do_not_fit_are_refused() {
        let half = value(0.5, Kind::Exact, None);
        for how in ["", "fixed", "fixed=x", "round=2", "digits=0", "fixed=99"] {
            assert!(format(&half, how).is_err(), "{how}");
        }
    }

    #[test]
    fn digits_that_another_run_need_not_find_are_refused() {
        let near = value(97.79, Kind::Near, Some(1e-3)); // ± 0.098
        assert!(format(&near, "fixed=1").is_ok());
        assert!(format(&near, "fixed=2").is_err());
        assert!(format(&near, "digits=3").is_ok());
        assert!(format(&near, "digits=4").is_err());
        assert!(format(&near, "scientific=3").is_err());
        assert!(format(&value(0.9779, Kind::Near, Some(1e-3)), "percent=1").is_ok());
        assert!(format(&value(0.9779, Kind::Near, Some(1e-3)), "percent=2").is_err());
        assert!(format(&value(25.0, Kind::Near, Some(1.0)), "").is_err());
    }
}
