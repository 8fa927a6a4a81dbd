//! An axis: where a number stands on it, and which numbers are written beside it.

use super::check_range;
use crate::Result;

/// A linear or logarithmic axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    pub label: String,
    lo: f64,
    hi: f64,
    log: bool,
    whole: bool,
}

impl Axis {
    /// An axis over this range.
    pub fn new(label: &str, (lo, hi): (f64, f64), log: bool) -> Result<Self> {
        check_range(label, (lo, hi))?;
        if log && lo <= 0.0 {
            return Err(format!("{label:?} is logarithmic, and cannot begin at {lo}").into());
        }
        Ok(Self { label: label.into(), lo, hi, log, whole: false })
    }

    /// An axis that holds these numbers, and `margin` of their range more on both sides.
    pub fn around(
        label: &str,
        numbers: impl Iterator<Item = f64>,
        margin: f64,
        log: bool,
    ) -> Result<Self> {
        let (lo, hi) =
            numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| (lo.min(v), hi.max(v)));
        if lo > hi {
            return Err(format!("there is nothing to draw along {label:?}").into());
        }
        if log {
            let (a, b) = (lo.log10(), hi.log10());
            let more = if b - a < 1e-6 { 0.3 } else { margin * (b - a) };
            // Rounding must not leave the first and the last point outside.
            let (least, most) = (10_f64.powf(a - more).min(lo), 10_f64.powf(b + more).max(hi));
            return Self::new(label, (least, most), true);
        }
        let size = lo.abs().max(hi.abs());
        let more = match hi - lo {
            _ if size == 0.0 => 1.0,
            width if width < 1e-9 * size => 0.1 * size,
            width => margin * width,
        };
        Self::new(label, (lo - more, hi + more), false)
    }

    /// The same axis, with no numbers between the whole ones if only those have a meaning.
    pub fn whole(mut self, whole: bool) -> Self {
        self.whole = whole && !self.log && self.hi - self.lo >= 1.0;
        self
    }

    /// Where a number stands: 0 at the beginning, 1 at the end.
    pub fn position(&self, value: f64) -> f64 {
        let position = if self.log {
            (value / self.lo).log10() / (self.hi / self.lo).log10()
        } else {
            (value - self.lo) / (self.hi - self.lo)
        };
        position.clamp(-1e4, 1e4)
    }

    /// Whether a number stands on the axis.
    pub fn holds(&self, value: f64) -> bool {
        (self.lo..=self.hi).contains(&value)
    }

    /// At most about `wanted` round numbers on the axis, and how they are written.
    pub fn ticks(&self, wanted: usize) -> Vec<(f64, String)> {
        let wanted = wanted.max(2);
        if !self.log {
            return linear_ticks(self.lo, self.hi, wanted, self.whole);
        }
        let decades =
            (self.lo.log10() - 1e-9).ceil() as i32..=(self.hi.log10() + 1e-9).floor() as i32;
        let count = decades.clone().count();
        if count < 2 {
            let ticks: Vec<_> = (self.lo.log10().floor() as i32..=*decades.end())
                .flat_map(|e| [1.0, 2.0, 5.0].map(|m| m * 10_f64.powi(e)))
                .filter(|&value| self.holds(value))
                .map(|value| (value, plain(value)))
                .collect();
            return if ticks.len() > 1 {
                ticks
            } else {
                linear_ticks(self.lo, self.hi, wanted, false)
            };
        }
        let short = *decades.start() >= -3 && *decades.end() <= 4;
        let write = |e: i32| if short { plain(10_f64.powi(e)) } else { power(e) };
        let stride = count.div_ceil(wanted);
        decades
            .filter(|e| e.rem_euclid(stride as i32) == 0)
            .map(|e| (10_f64.powi(e), write(e)))
            .collect()
    }
}

fn linear_ticks(lo: f64, hi: f64, wanted: usize, whole: bool) -> Vec<(f64, String)> {
    let rough = (hi - lo) / wanted as f64;
    let magnitude = 10_f64.powf(rough.log10().floor());
    let first = |step: f64| (lo / step - 1e-9).ceil();
    let last = |step: f64| (hi / step + 1e-9).floor();
    // Rather some more than too few to tell how the axis runs.
    let unfit = |step: &f64| {
        let count = last(*step) - first(*step) + 1.0;
        let more = count - wanted as f64;
        if count < 2.0 { f64::INFINITY } else { more.max(-2.0 * more) }
    };
    let steps = [1.0, 2.0, 5.0, 10.0].map(|m| m * magnitude);
    let steps = steps.map(|step| if whole { step.max(1.0) } else { step });
    let step = steps.into_iter().min_by(|a, b| unfit(a).total_cmp(&unfit(b))).unwrap_or(rough);
    let (first, last) = (first(step), last(step));
    let exponent = lo.abs().max(hi.abs()).log10().floor() as i32;
    let decimals = (-(step.log10() + 1e-9).floor()).max(0.0) as usize;
    let write = |value: f64| {
        if value == 0.0 {
            "0".to_owned()
        } else if !(-3..5).contains(&exponent) {
            let digits = (f64::from(exponent) - (step.log10() + 1e-9).floor()).max(0.0) as usize;
            let mantissa = format!("{:.digits$}", value / 10_f64.powi(exponent));
            format!("{mantissa}·{}", power(exponent)).replace('-', "−")
        } else {
            format!("{value:.decimals$}").replace('-', "−")
        }
    };
    (0..=(last - first) as usize)
        .map(|k| (first + k as f64) * step)
        .map(|value| (value, write(value)))
        .collect()
}

/// A number in as few digits as it has, with a true minus sign.
pub fn plain(value: f64) -> String {
    // Multiples of powers of ten carry rounding errors that nobody wants to read.
    let value: f64 = format!("{value:.12e}").parse().unwrap_or(value);
    if value != 0.0 && !(1e-4..1e6).contains(&value.abs()) {
        let exponent = value.abs().log10().floor() as i32;
        let mantissa = plain(value / 10_f64.powi(exponent));
        return if mantissa == "1" {
            power(exponent)
        } else {
            format!("{mantissa}·{}", power(exponent))
        };
    }
    format!("{value}").replace('-', "−")
}

/// A power of ten.
fn power(exponent: i32) -> String {
    let raised = |c: char| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        _ => char::from_u32('⁰' as u32 + c.to_digit(10).unwrap_or(0)).unwrap_or('⁰'),
    };
    format!("10{}", exponent.to_string().chars().map(raised).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logarithmic_axis_holds_the_numbers_it_is_made_for() {
        for lo in 1..200 {
            let (lo, hi) = (f64::from(lo), 1700.0 / f64::from(lo));
            let axis = Axis::around("x", [lo, hi].into_iter(), 0.0, true).unwrap();
            assert!(axis.holds(lo) && axis.holds(hi), "{lo} {hi}");
        }
    }

    fn labels(range: (f64, f64), log: bool) -> String {
        let axis = Axis::new("x", range, log).unwrap();
        let labels: Vec<_> = axis.ticks(5).into_iter().map(|(_, label)| label).collect();
        labels.join(" ")
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(labels((-6.0, 6.0), false), "−6 −4 −2 0 2 4 6");
        let epochs = Axis::new("epoch", (1.0, 3.0), false).unwrap().whole(true).ticks(5);
        assert_eq!(epochs.iter().map(|tick| tick.1.as_str()).collect::<String>(), "123");
        assert_eq!(labels((0.0, 1.0), false), "0 0.2 0.4 0.6 0.8 1.0");
        assert_eq!(labels((0.0, 60000.0), false), "0 10000 20000 30000 40000 50000 60000");
        assert_eq!(labels((0.0, 2.5e6), false), "0 0.5·10⁶ 1.0·10⁶ 1.5·10⁶ 2.0·10⁶ 2.5·10⁶");
        assert_eq!(labels((1e-3, 10.0), true), "0.001 0.01 0.1 1 10");
        assert_eq!(labels((1e-12, 1.0), true), "10⁻¹² 10⁻⁹ 10⁻⁶ 10⁻³ 10⁰");
        assert_eq!(labels((0.15, 3.0), true), "0.2 0.5 1 2");
    }

    #[test]
    fn numbers_stand_where_they_should() {
        let axis = Axis::new("x", (1.0, 100.0), true).unwrap();
        assert!((axis.position(10.0) - 0.5).abs() < 1e-12);
        let axis = Axis::around("x", [3.0, 3.0].into_iter(), 0.0, false).unwrap();
        assert!((axis.position(3.0) - 0.5).abs() < 1e-12);
        assert!(Axis::new("x", (0.0, 1.0), true).is_err());
        assert!(Axis::new("x", (1.0, 1.0), false).is_err());
        assert!(Axis::new("x", (-f64::MAX, f64::MAX), false).is_err());
        assert!(Axis::around("x", [].into_iter(), 0.0, false).is_err());
    }
}
