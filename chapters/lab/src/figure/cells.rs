//! Grids of cells, drawn as few rectangles.

use std::collections::BTreeMap;
use std::ops::Range;

use ndarray::{Array2, ArrayRef2};

/// A rectangle of equal cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub rows: Range<usize>,
    pub columns: Range<usize>,
}

/// Rectangles that together cover all cells, by what the cells hold.
pub fn blocks<K: Copy + Ord>(cells: &ArrayRef2<K>) -> BTreeMap<K, Vec<Block>> {
    let mut blocks: BTreeMap<K, Vec<Block>> = BTreeMap::new();
    let mut covered = Array2::from_elem(cells.dim(), false);
    for ((row, column), &key) in cells.indexed_iter() {
        if covered[[row, column]] {
            continue;
        }
        let free =
            |covered: &Array2<bool>, i: usize, j: usize| cells[[i, j]] == key && !covered[[i, j]];
        let right = (column..cells.ncols()).find(|&j| !free(&covered, row, j));
        let columns = column..right.unwrap_or(cells.ncols());
        let below = (row..cells.nrows())
            .find(|&i| columns.clone().any(|j| !free(&covered, i, j)))
            .unwrap_or(cells.nrows());
        for i in row..below {
            for j in columns.clone() {
                covered[[i, j]] = true;
            }
        }
        blocks.entry(key).or_default().push(Block { rows: row..below, columns });
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn blocks_cover_every_cell_once() {
        let cells = array![[1, 1, 2], [1, 1, 1], [3, 1, 1]];
        let mut painted = Array2::zeros(cells.dim());
        for (key, blocks) in blocks(&cells) {
            for Block { rows, columns } in blocks {
                for (i, j) in rows.flat_map(|i| columns.clone().map(move |j| (i, j))) {
                    assert_eq!(painted[[i, j]], 0, "painted twice");
                    painted[[i, j]] = key;
                }
            }
        }
        assert_eq!(painted, cells);
        assert_eq!(blocks(&cells)[&1].len(), 3);
    }
}
