//! The memory that a training needs.

use std::path::Path;

use gradus::Model;
use lab::{Lab, Result, Table, text::thousands};

use crate::child;
use crate::cost::sizes;
use crate::task::{SAMPLES, Task};

/// Memory.
pub fn of_a_training(task: &Task, lab: &mut Lab) -> Result<()> {
    let answer = child::ask("memory", task.seed, Path::new("-"), &[]);
    lab.section("memory", "Memory")?;
    lab.section_machine();
    let [n, k, _, c, p] = sizes().map(|size| size as usize);
    let network = task.network(&task.start()?.cast::<f32>())?;
    let trace = network.trace(n);
    let of = |arrays: &[ndarray::Array2<f32>]| arrays.iter().map(|a| 4 * a.len()).sum::<usize>();
    // And the derivatives of the outputs, and a loss for each row.
    let layers = of(&trace.z) + of(&trace.a) + of(&trace.d_z) + 4 * n * (c + 1);
    let rows = [
        ("images, as bytes, and their labels", SAMPLES * (k + 1)),
        ("their order", SAMPLES * size_of::<usize>()),
        ("parameters", 4 * p),
        ("velocities", 4 * p),
        ("gradients, for each thread", 4 * p),
        ("a batch and its targets", 4 * n * (k + c)),
        ("what a pass leaves behind", layers),
    ];
    let all: usize = rows.iter().map(|(_, bytes)| bytes).sum();
    let mut table = Table::new(&["", "bytes"]);
    for (name, bytes) in rows {
        table.push(vec![name.into(), thousands(bytes)]);
    }
    table.push(vec!["in all".into(), thousands(all)]);
    table.push(vec!["the images as f32".into(), thousands(4 * SAMPLES * k)]);
    lab.table(&table);
    lab.exact("memory_bytes", all);
    lab.exact("memory_images", SAMPLES * (k + 1));
    lab.exact("memory_images_f32", 4 * SAMPLES * k);
    let figure = |name| answer.as_ref().and_then(|answer| answer.number(name));
    let mega = |bytes: f64| bytes / 1e6;
    match (figure("before"), figure("read"), figure("after"), figure("peak")) {
        (Some(before), Some(read), Some(after), Some(peak)) => {
            lab.say(format!(
                "\nA process that does nothing else had {:.0} MB with OpenBLAS loaded, {:.0} MB more when the\n\
                 images were read, {:.0} MB more after an epoch, and {:.0} MB more when it had most: while\n\
                 it unpacked the images.",
                mega(before),
                mega(read - before),
                mega(after - before),
                mega(peak - before),
            ));
            lab.machine("read_mb", mega(read - before), "MB");
            lab.machine("after_mb", mega(after - before), "MB");
            lab.machine("peak_mb", mega(peak - before), "MB");
        }
        _ => lab.say("\nOnly Linux tells how much memory a process has; this is another system."),
    }
    Ok(())
}
