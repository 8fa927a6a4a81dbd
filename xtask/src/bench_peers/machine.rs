//! The machine that everything was measured on.

use std::fs;
use std::process::Command;
use std::thread;

/// What decides how fast a program can be.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The processor, as it calls itself.
    pub processor: String,
    /// How many cores we may use.
    pub cores: usize,
    /// Operating system and kind of processor.
    pub system: String,
    /// The widest vectors the processor has.
    pub vectors: &'static str,
}

impl Machine {
    /// This machine.
    pub fn look() -> Self {
        let processor = linux().or_else(mac).unwrap_or_else(|| "a processor without a name".into());
        Self {
            processor,
            cores: thread::available_parallelism().map_or(1, usize::from),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            vectors: vectors(),
        }
    }
}

fn linux() -> Option<String> {
    name_in(&fs::read_to_string("/proc/cpuinfo").ok()?)
}

/// The processor's name, in what Linux says of processors.
fn name_in(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    let name = line.split_once(':')?.1;
    Some(name.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn mac() -> Option<String> {
    let output = Command::new("sysctl").args(["-n", "machdep.cpu.brand_string"]).output().ok()?;
    let name = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !name.is_empty()).then_some(name)
}

#[cfg(target_arch = "x86_64")]
fn vectors() -> &'static str {
    if is_x86_feature_detected!("avx512f") {
        "AVX-512"
    } else if is_x86_feature_detected!("avx2") {
        "AVX2"
    } else {
        "SSE2"
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn vectors() -> &'static str {
    if cfg!(target_arch = "aarch64") { "NEON" } else { "unknown vectors" }
}

#[cfg(test)]
mod tests {
    use super::name_in;

    #[test]
    fn a_processor_is_named_once() {
        let text = "processor\t: 0\nmodel name\t: Some  CPU @ 3 GHz \nprocessor\t: 1\n\
                    model name\t: Other\n";
        assert_eq!(name_in(text).as_deref(), Some("Some CPU @ 3 GHz"));
        assert_eq!(name_in("processor : 0"), None);
    }
}
