//! The machine that a chapter runs on, in a few words.

use std::fs;
use std::process::Command;

use gradus::blas;

/// Such as "2 cores of an Intel Xeon Platinum 8481C, OpenBLAS kernel SkylakeX".
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = blas::openblas().map(|openblas| openblas.kernel);
    words(cores, &processor(), kernel.as_deref())
}

fn words(cores: usize, processor: &str, kernel: Option<&str>) -> String {
    let cores = if cores == 1 { "1 core".into() } else { format!("{cores} cores") };
    let article = if processor.starts_with(['A', 'E', 'I', 'O', 'U', 'a']) { "an" } else { "a" };
    let kernel = match kernel {
        Some(kernel) => format!("OpenBLAS kernel {kernel}"),
        None => "no OpenBLAS".into(),
    };
    format!("{cores} of {article} {processor}, {kernel}")
}

/// The name of the processor, or of its architecture where nobody says more.
fn processor() -> String {
    let name = if cfg!(target_os = "macos") {
        let sysctl = Command::new("sysctl").args(["-n", "machdep.cpu.brand_string"]).output();
        sysctl.ok().and_then(|output| String::from_utf8(output.stdout).ok())
    } else {
        fs::read_to_string("/proc/cpuinfo").ok().and_then(|info| model_name(&info))
    };
    let name = name.map(|name| plain(&name)).filter(|name| !name.is_empty());
    name.unwrap_or_else(|| format!("{} processor", std::env::consts::ARCH))
}

fn model_name(info: &str) -> Option<String> {
    let line = info.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.to_owned())
}

/// Without what lawyers and clocks add.
fn plain(name: &str) -> String {
    let name = name.replace("(R)", "").replace("(TM)", "").replace("(tm)", "");
    let name = name.split('@').next().unwrap_or_default();
    let words = name.split_whitespace().filter(|word| !["CPU", "Processor"].contains(word));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_a_few_words() {
        let info = "processor\t: 0\nmodel name\t: Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz\n";
        let name = plain(&model_name(info).unwrap());
        assert_eq!(
            words(2, &name, Some("SkylakeX")),
            "2 cores of an Intel Xeon Platinum 8481C, OpenBLAS kernel SkylakeX"
        );
        assert_eq!(words(1, "Neoverse-N1", None), "1 core of a Neoverse-N1, no OpenBLAS");
        assert_eq!(model_name("processor : 0\n"), None);
    }

    #[test]
    fn this_machine_has_a_name() {
        let machine = machine();
        assert!(machine.contains(" of a") && !machine.contains("  "), "{machine}");
    }
}
