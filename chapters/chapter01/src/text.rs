//! Numbers as the tables print them.

use gradus::check::Verdict;

/// Two digits and an exponent: for errors, whose size is all that matters.
pub fn size(x: f64) -> String {
    match x.abs() {
        0.01..100.0 => format!("{x:.2}"),
        size if size == 0.0 || !size.is_finite() => x.to_string(),
        _ => format!("{x:.1e}"),
    }
}

/// Numbers with commas between them.
pub fn list<'a>(numbers: impl IntoIterator<Item = &'a f64>, decimals: usize) -> String {
    let texts: Vec<String> = numbers.into_iter().map(|x| format!("{x:6.decimals$}")).collect();
    texts.join(", ")
}

/// What a gradient check found, as the cells of a table: the worst coordinate as derived and
/// as measured, the relative error there, and whether it passed.
pub fn verdict(verdict: &Verdict) -> [String; 4] {
    let Verdict { derived, measured, error, .. } = *verdict;
    [
        format!("{derived:.7}"),
        format!("{measured:.7}"),
        size(error),
        lab::text::passed(verdict.passed).into(),
    ]
}
