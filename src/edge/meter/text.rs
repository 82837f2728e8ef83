//! The numbers as Prometheus reads them: its text format, version 0.0.4.

use std::fmt::Write as _;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use super::number::{BOUNDS, Counter, Family, Gauge, Histogram};
use super::{ALL, BUILD_INFO};

/// Something that stands in the text.
pub(super) trait Described: Sync {
    /// Appends its lines.
    fn write(&self, out: &mut String);
}

/// Every number at this moment.
pub fn render() -> String {
    BUILD_INFO.with(&[env!("CARGO_PKG_VERSION")]).set(1.0);
    let mut out = String::with_capacity(16 * 1024);
    for family in ALL {
        family.write(&mut out);
    }
    process(&mut out);
    out
}

impl Described for Family<Counter> {
    fn write(&self, out: &mut String) {
        head(out, (self.name, self.help, "counter"));
        self.each(|values, number| line(out, self.name, &labels(self.labels, values, None), &number.get().to_string()));
    }
}

impl Described for Family<Gauge> {
    fn write(&self, out: &mut String) {
        head(out, (self.name, self.help, "gauge"));
        self.each(|values, number| line(out, self.name, &labels(self.labels, values, None), &number.get().to_string()));
    }
}

impl Described for Family<Histogram> {
    fn write(&self, out: &mut String) {
        head(out, (self.name, self.help, "histogram"));
        let bounds = || BOUNDS.iter().map(f64::to_string).chain(std::iter::once("+Inf".to_owned()));
        self.each(|values, number| {
            let mut count = 0;
            let bucket = format!("{}_bucket", self.name);
            for (bound, up_to) in bounds().zip(number.cumulative()) {
                count = up_to;
                line(out, &bucket, &labels(self.labels, values, Some(&bound)), &up_to.to_string());
            }
            let plain = labels(self.labels, values, None);
            line(out, &format!("{}_sum", self.name), &plain, &number.sum().as_secs_f64().to_string());
            line(out, &format!("{}_count", self.name), &plain, &count.to_string());
        });
    }
}

fn head(out: &mut String, (name, help, kind): (&str, &str, &str)) {
    // Writing to a String does not fail.
    let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
}

fn line(out: &mut String, name: &str, labels: &str, value: &str) {
    let _ = writeln!(out, "{name}{labels} {value}");
}

fn labels(names: &[&str], values: &[Box<str>], bound: Option<&str>) -> String {
    let own = names.iter().zip(values).map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
    let all: Vec<String> = own.chain(bound.map(|bound| format!("le=\"{bound}\""))).collect();
    if all.is_empty() { String::new() } else { format!("{{{}}}", all.join(",")) }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Seconds since 1970 on the clock of the machine.
#[expect(
    clippy::disallowed_methods,
    reason = "Prometheus compares it with its own clock, not with the clock of a story"
)]
pub(super) fn unix_seconds() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// The process itself, under the names that every program uses.
fn process(out: &mut String) {
    static STARTED: OnceLock<f64> = OnceLock::new();
    let read = |file: &str| std::fs::read_to_string(format!("/proc/self/{file}")).unwrap_or_default();
    let status = read("status");
    let field = |name: &str| -> Option<f64> {
        status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
    };
    let limits = read("limits");
    let open_files =
        std::fs::read_dir("/proc/self/fd").ok().map(|files| u32::try_from(files.count()).unwrap_or(u32::MAX));
    let limit = limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next());
    let values = [
        ("process_cpu_seconds_total", "Time on a processor.", "counter", cpu_seconds(&read("stat"))),
        ("process_resident_memory_bytes", "Memory in use.", "gauge", field("VmRSS:").map(|kib| kib * 1024.0)),
        ("process_threads", "Threads.", "gauge", field("Threads:")),
        ("process_open_fds", "Open files and connections.", "gauge", open_files.map(f64::from)),
        ("process_max_fds", "The most of them.", "gauge", limit.and_then(|limit| limit.parse().ok())),
        ("process_start_time_seconds", "When it started.", "gauge", Some(*STARTED.get_or_init(unix_seconds))),
    ];
    for (name, help, kind, value) in values {
        if let Some(value) = value {
            head(out, (name, help, kind));
            line(out, name, "", &value.to_string());
        }
    }
}

/// Fields 14 and 15 of `/proc/self/stat`, in hundredths of a second; the second field may hold spaces within its brackets.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11).map(str::parse::<f64>);
    Some((fields.next()?.ok()? + fields.next()?.ok()?) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_written_as_prometheus_reads_them() {
        static COUNTS: Family<Counter> = Family::new("c_total", "Counts.", &["a"]);
        static TIMES: Family<Histogram> = Family::new("t_seconds", "Times.", &[]);
        COUNTS.with(&["x\"\\\n"]).add(2);
        TIMES.with(&[]).observe(std::time::Duration::from_millis(250));
        let mut out = String::new();
        COUNTS.write(&mut out);
        assert_eq!(out, "# HELP c_total Counts.\n# TYPE c_total counter\nc_total{a=\"x\\\"\\\\\\n\"} 2\n");
        out.clear();
        TIMES.write(&mut out);
        assert!(out.contains("t_seconds_bucket{le=\"0.1\"} 0\nt_seconds_bucket{le=\"0.25\"} 1\n"), "{out}");
        assert!(out.ends_with("t_seconds_bucket{le=\"+Inf\"} 1\nt_seconds_sum 0.25\nt_seconds_count 1\n"), "{out}");
    }

    #[test]
    fn the_time_on_a_processor_is_read() {
        let stat = "42 (a b) c) S 1 42 42 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 5 0 100";
        assert_eq!(cpu_seconds(stat), Some(2.0));
        assert_eq!(cpu_seconds(""), None);
    }
}
