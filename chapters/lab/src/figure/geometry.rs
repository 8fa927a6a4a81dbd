//! Lines cut, thinned and dashed.

/// A point of a drawing, or of what is drawn.
pub type Point = (f64, f64);

/// The pieces of a line that lie in the rectangle from (0, 0) to `size`, moved by `corner`.
pub fn clipped(points: &[Point], corner: Point, size: Point) -> Vec<Vec<Point>> {
    let mut pieces: Vec<Vec<Point>> = Vec::new();
    for pair in points.windows(2) {
        let Some((from, to)) = clipped_segment(pair[0], pair[1], corner, size) else { continue };
        match pieces.last_mut() {
            Some(piece) if piece.last() == Some(&from) => piece.push(to),
            _ => pieces.push(vec![from, to]),
        }
    }
    pieces
}

/// The part of a segment that lies in a rectangle (Liang and Barsky, 1984).
fn clipped_segment(a: Point, b: Point, corner: Point, size: Point) -> Option<(Point, Point)> {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    for (direction, distance) in [
        (-dx, a.0 - corner.0),
        (dx, corner.0 + size.0 - a.0),
        (-dy, a.1 - corner.1),
        (dy, corner.1 + size.1 - a.1),
    ] {
        if direction == 0.0 {
            if distance < 0.0 {
                return None;
            }
        } else if direction < 0.0 {
            enter = enter.max(distance / direction);
        } else {
            leave = leave.min(distance / direction);
        }
    }
    let at = |t: f64| match t {
        0.0 => a,
        1.0 => b,
        _ => (a.0 + t * dx, a.1 + t * dy),
    };
    (enter <= leave).then(|| (at(enter), at(leave)))
}

/// The same line with fewer points: of those that fall into one column of pixels one after
/// another, the first, the lowest, the highest and the last remain.
pub fn thinned(points: &[Point]) -> Vec<Point> {
    let mut thin: Vec<Point> = Vec::new();
    for column in points.chunk_by(|a, b| a.0.floor() == b.0.floor()) {
        if column.len() <= 4 {
            thin.extend(column);
            continue;
        }
        let height = |i: &usize| column[*i].1;
        let by_height = |a: &usize, b: &usize| height(a).total_cmp(&height(b));
        let low = (0..column.len()).min_by(by_height).unwrap_or(0);
        let high = (0..column.len()).max_by(by_height).unwrap_or(0);
        let mut kept = [0, low.min(high), low.max(high), column.len() - 1].to_vec();
        kept.dedup();
        thin.extend(kept.into_iter().map(|i| column[i]));
    }
    thin.dedup();
    thin
}

/// A line as dashes of length `on`, with gaps of length `off`.
pub fn dashes(points: &[Point], on: f64, off: f64) -> Vec<Vec<Point>> {
    let mut dashes = Vec::new();
    let Some(&first) = points.first() else { return dashes };
    let mut dash = vec![first];
    let mut left = on;
    let mut drawing = true;
    for pair in points.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        let length = (b.0 - a.0).hypot(b.1 - a.1);
        let mut walked = 0.0;
        while length - walked > left {
            walked += left;
            let t = walked / length;
            let turn = (a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1));
            if drawing {
                dash.push(turn);
                dashes.push(std::mem::take(&mut dash));
            } else {
                dash = vec![turn];
            }
            drawing = !drawing;
            left = if drawing { on } else { off };
        }
        left -= length - walked;
        if drawing {
            dash.push(b);
        }
    }
    if drawing && dash.len() > 1 {
        dashes.push(dash);
    }
    dashes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_where_it_leaves_and_where_it_comes_back() {
        let points = [(-5.0, 5.0), (5.0, 5.0), (5.0, 20.0), (8.0, 20.0), (8.0, 2.0)];
        let pieces = clipped(&points, (0.0, 0.0), (10.0, 10.0));
        let expected =
            vec![vec![(0.0, 5.0), (5.0, 5.0), (5.0, 10.0)], vec![(8.0, 10.0), (8.0, 2.0)]];
        assert_eq!(pieces, expected);
        assert!(clipped(&[(-1.0, -1.0), (-1.0, 11.0)], (0.0, 0.0), (10.0, 10.0)).is_empty());
    }

    #[test]
    fn dashes_keep_their_lengths_around_corners() {
        let dashes = dashes(&[(0.0, 0.0), (3.0, 0.0), (3.0, 4.0)], 4.0, 2.0);
        assert_eq!(
            dashes,
            [vec![(0.0, 0.0), (3.0, 0.0), (3.0, 1.0)], vec![(3.0, 3.0), (3.0, 4.0)]]
        );
    }

    #[test]
    fn thinning_keeps_the_extremes() {
        let noise: Vec<Point> =
            (0..1000).map(|i| (0.001 * f64::from(i), f64::from((i * 7 + 5) % 13))).collect();
        let thin = thinned(&noise);
        assert_eq!(thin.len(), 4);
        assert_eq!((thin[0], thin[3]), (noise[0], noise[999]));
        assert!(thin.iter().any(|p| p.1 == 0.0) && thin.iter().any(|p| p.1 == 12.0));
    }
}
