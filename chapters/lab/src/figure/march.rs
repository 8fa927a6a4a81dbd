//! Level lines by marching squares (Lorensen and Cline, 1987, in two dimensions).

use std::collections::BTreeMap;

use ndarray::ArrayRef2;

use super::geometry::Point;

/// An edge of the grid: from node (row, column) to the next column, or else to the next row.
type Edge = (usize, usize, bool);

/// The lines on which a function has the value `level`, of which `grid` holds the values at
/// the nodes. `crossing` finds the point on an edge, given its two nodes.
pub fn level_lines(
    grid: &ArrayRef2<f64>,
    level: f64,
    crossing: impl Fn((usize, usize), (usize, usize)) -> Point,
) -> Vec<Vec<Point>> {
    let mut links: BTreeMap<Edge, Vec<Edge>> = BTreeMap::new();
    for row in 0..grid.nrows().saturating_sub(1) {
        for column in 0..grid.ncols().saturating_sub(1) {
            for (a, b) in segments(grid, level, row, column) {
                links.entry(a).or_default().push(b);
                links.entry(b).or_default().push(a);
            }
        }
    }
    let place = |&(row, column, along): &Edge| {
        let next = if along { (row, column + 1) } else { (row + 1, column) };
        crossing((row, column), next)
    };
    // Lines that end at the border begin at an edge with one link; what is left are loops.
    let ends = links.iter().filter(|(_, to)| to.len() == 1).map(|(&edge, _)| edge);
    let starts: Vec<Edge> = ends.chain(links.keys().copied()).collect();
    let mut lines = Vec::new();
    for start in starts {
        let line = walk(&mut links, start);
        if line.len() > 1 {
            lines.push(line.iter().map(place).collect());
        }
    }
    lines
}

/// Follows the links from an edge to the next, and takes them away.
fn walk(links: &mut BTreeMap<Edge, Vec<Edge>>, start: Edge) -> Vec<Edge> {
    let mut line = vec![start];
    let mut here = start;
    while let Some(next) = links.get_mut(&here).and_then(Vec::pop) {
        if let Some(back) = links.get_mut(&next)
            && let Some(index) = back.iter().position(|edge| *edge == here)
        {
            back.swap_remove(index);
        }
        line.push(next);
        here = next;
    }
    line
}

/// The segments of a level line in one square of the grid, as pairs of edges.
fn segments(grid: &ArrayRef2<f64>, level: f64, row: usize, column: usize) -> Vec<(Edge, Edge)> {
    let corners = [(0, 0), (0, 1), (1, 1), (1, 0)].map(|(i, j)| grid[[row + i, column + j]]);
    let inside = corners.map(|value| value >= level);
    let edges: [Edge; 4] = [
        (row, column, true),
        (row, column + 1, false),
        (row + 1, column, true),
        (row, column, false),
    ];
    let crossed: Vec<Edge> =
        (0..4).filter(|&k| inside[k] != inside[(k + 1) % 4]).map(|k| edges[k]).collect();
    match crossed[..] {
        [a, b] => vec![(a, b)],
        // A saddle: the value in the middle says which two corners belong together.
        [a, b, c, d] => {
            let middle = corners.iter().sum::<f64>() / 4.0 >= level;
            if middle == inside[0] { vec![(a, b), (c, d)] } else { vec![(a, d), (b, c)] }
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn lines(grid: &ndarray::Array2<f64>) -> Vec<Vec<Point>> {
        level_lines(grid, 0.5, |(i, j), (k, l)| ((j + l) as f64 / 2.0, (i + k) as f64 / 2.0))
    }

    #[test]
    fn a_peak_has_a_closed_line_and_a_slope_an_open_one() {
        let peak = lines(&array![[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]);
        assert_eq!(peak.len(), 1);
        assert_eq!(peak[0].len(), 5);
        assert_eq!(peak[0].first(), peak[0].last());
        let slope = lines(&array![[0.0, 1.0], [0.0, 1.0], [0.0, 1.0]]);
        assert_eq!(slope, [[(0.5, 0.0), (0.5, 1.0), (0.5, 2.0)]]);
        assert!(lines(&array![[1.0, 1.0], [1.0, 1.0]]).is_empty());
    }

    #[test]
    fn at_a_saddle_the_middle_decides() {
        // Two high corners with a low middle are cut off, one line around each.
        let low = lines(&array![[0.6, 0.0], [0.0, 0.6]]);
        let near = |line: &Vec<Point>, corner: Point| {
            line.iter().all(|p| (p.0 - corner.0).abs() + (p.1 - corner.1).abs() < 0.6)
        };
        assert_eq!(low.len(), 2);
        assert!([(0.0, 0.0), (1.0, 1.0)].iter().all(|&c| low.iter().any(|line| near(line, c))));
        // With a high middle, the low corners are cut off.
        let high = lines(&array![[9.0, 0.0], [0.0, 9.0]]);
        assert!([(1.0, 0.0), (0.0, 1.0)].iter().all(|&c| high.iter().any(|line| near(line, c))));
    }
}
