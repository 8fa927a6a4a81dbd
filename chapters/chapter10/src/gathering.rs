//! What it takes to bring a batch together.

use gradus::Source;
use lab::{Lab, Result, Table};
use ndarray::{Array2, ArrayRef2};

use crate::ceilings::Ceilings;
use crate::measure::{median, seconds};
use crate::plain::Floats;
use crate::task::{BATCH, SAMPLES, Task};

/// How many batches are gathered for one time.
const BATCHES: usize = 100;

/// Microseconds of a batch, the median of some rounds: each round with batches that were not
/// touched for a while.
fn micro(order: &[usize], mut gather: impl FnMut(&[usize])) -> f64 {
    let rounds = order.chunks_exact(BATCH * BATCHES);
    let one = |round: &[usize]| seconds(|| round.chunks(BATCH).for_each(&mut gather));
    let times: Vec<f64> = rounds.map(one).collect();
    1e6 * median(&times) / BATCHES as f64
}

/// Gathering.
pub fn a_batch(task: &Task, ceilings: &Ceilings, lab: &mut Lab) -> Result<()> {
    let random = task.orders(1).remove(0);
    let in_order: Vec<usize> = (0..SAMPLES).collect();
    let train = &task.images.train;
    let (mut x, mut y) = (Array2::<f32>::zeros((BATCH, 784)), Array2::zeros((BATCH, 10)));
    let one_by_one = |rows: &[usize], x: &mut ArrayRef2<f32>| {
        for (mut x, &row) in x.rows_mut().into_iter().zip(rows) {
            x.zip_mut_with(&train.bytes().row(row), |x, &byte| *x = f32::from(byte) / 255.0);
        }
    };
    let mut rows: Vec<(&str, &str, [f64; 2])> = Vec::new();
    {
        let floats = Floats::<f64>::of(train);
        let (mut x, mut y) = (Array2::zeros((BATCH, 784)), Array2::zeros((BATCH, 10)));
        let samples = gradus::Samples::new(floats.x, floats.y)?;
        let times = [&random, &in_order].map(|o| micro(o, |r| samples.gather(r, &mut x, &mut y)));
        rows.push(("f64", "from f64", times));
    }
    {
        let floats = Floats::<f32>::of(train);
        let samples = gradus::Samples::new(floats.x, floats.y)?;
        let times = [&random, &in_order].map(|o| micro(o, |r| samples.gather(r, &mut x, &mut y)));
        rows.push(("floats", "from f32", times));
    }
    let times = [&random, &in_order].map(|o| micro(o, |r| one_by_one(r, &mut x)));
    rows.push(("one_by_one", "from bytes, one image after the other", times));
    let times = [&random, &in_order].map(|o| micro(o, |r| train.gather(r, &mut x, &mut y)));
    rows.push(("bytes", "from bytes, as the library does", times));

    lab.section("gather", "Bringing a batch together")?;
    lab.section_machine();
    let mut table = Table::new(&["µs a batch", "shuffled", "in order"]);
    for (key, name, [shuffled, ordered]) in &rows {
        table.push(vec![(*name).into(), format!("{shuffled:.1}"), format!("{ordered:.1}")]);
        lab.machine(&format!("gather_{key}_us"), *shuffled, "µs");
        lab.machine(&format!("gather_{key}_in_order_us"), *ordered, "µs");
    }
    lab.machine("gather_in_order_us", rows[3].2[1], "µs");
    lab.table(&table);
    let lines = (BATCH * 13) as f64; // 13 for each row, whichever it is
    let floor = 1e6 * 64.0 * lines / ceilings.read[3].1;
    lab.say(format!(
        "\nA batch of bytes lies in {lines:.0} lines of 64 bytes. If each were waited for alone,\n\
         that would be {:.0} microseconds; at the rate of reading from memory it is {floor:.1}.",
        1e6 * lines * ceilings.latency,
    ));
    lab.exact("gather_lines", lines as usize);
    lab.machine("gather_alone_us", 1e6 * lines * ceilings.latency, "µs");
    lab.machine("gather_floor_us", floor, "µs");
    Ok(())
}
