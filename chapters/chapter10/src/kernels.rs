//! A kernel of OpenBLAS that is older than the processor.

use gradus::blas;
use lab::{Lab, Result, Table};

use crate::ceilings::Ceilings;
use crate::child::{Answer, first_layer};

/// The kernel.
pub fn old_and_new(ceilings: &Ceilings, slow: Option<&Answer>, lab: &mut Lab) -> Result<()> {
    lab.section("kernel", "The kernel that OpenBLAS chooses")?;
    lab.section_machine();
    let Some((slow, _)) = slow.zip(blas::openblas()) else {
        lab.say("This OpenBLAS has no slow kernel for x86 processors, or there is no OpenBLAS.");
        return Ok(());
    };
    let mut table =
        Table::new(&["kernel", "first layer, µs", "best product, f32", "best product, f64"]);
    let number = |name| slow.number(name).unwrap_or_default();
    let rows = [
        ("the oldest", 1e6 * number("first_layer"), [number("product_f32"), number("product_f64")]),
        ("the one in use", 1e6 * first_layer(), ceilings.product),
    ];
    for (name, micro, rates) in rows {
        let [single, double] = rates.map(|rate| format!("{:.1}", rate / 1e9));
        table.push(vec![name.into(), format!("{micro:.0}"), single, double]);
    }
    lab.table(&table);
    let ratio = rows[0].1 / rows[1].1;
    lab.say(format!(
        "\nBest products in billions of operations a second. The oldest kernel takes {ratio:.1} times as long\n\
         for the first layer's product."
    ));
    lab.machine("kernel_slow_us", rows[0].1, "µs");
    lab.machine("kernel_fast_us", rows[1].1, "µs");
    lab.machine("kernel_slow_over_fast", ratio, "");
    lab.machine("peak_slow", number("product_f64") / 1e9, "GFLOP/s");
    Ok(())
}
