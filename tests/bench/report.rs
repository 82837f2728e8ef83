//! The result as a table for people and as JSON for programs.

use std::fmt::Write as _;

use serde::Serialize;

use crate::bound::{Aim, Costs, Needs, Verdict};
use crate::load::Measured;

/// Everything one run found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// When, in UTC.
    pub(crate) date: String,
    /// On what.
    pub(crate) machine: String,
    /// How the two sides were pinned.
    pub(crate) pinning: String,
    /// Seconds for each scenario.
    pub(crate) seconds: u64,
    /// How many rounds, of which the one with the middle p99 counts.
    pub(crate) rounds: usize,
    /// Keep-alive connections.
    pub(crate) connections: u32,
    /// What the parts cost, in µs.
    pub(crate) costs: Costs,
    /// The bare axum server under the same load.
    pub(crate) bare_axum: Measured,
    /// What one code flow gives.
    pub(crate) code_flow: String,
    /// The scenarios.
    pub(crate) rows: Vec<Row>,
    /// Start and memory.
    pub(crate) process: Vec<Limit>,
}

/// One scenario.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// As `--only` names it.
    pub(crate) name: String,
    /// What the bound counts.
    pub(crate) needs: Needs,
    /// Operations per second at best; `None` when a cost is unknown.
    pub(crate) bound: Option<f64>,
    /// What is asked.
    pub(crate) aim: Aim,
    /// What was seen.
    pub(crate) measured: Measured,
}

impl Row {
    /// See [`Needs::slowness`].
    fn slowness(&self) -> f64 {
        self.needs.slowness(self.bound)
    }

    /// What is asked of this machine.
    fn aim(&self) -> Aim {
        self.aim.slower(self.slowness())
    }

    fn verdict(&self) -> Option<Verdict> {
        self.aim().verdict(self.measured.rate, self.bound)
    }

    /// p99 in ms that no request should exceed at 64 connections.
    fn most(&self) -> f64 {
        P99 * self.slowness()
    }
}

/// Something that should stay below a limit.
#[derive(Debug, Serialize)]
pub(crate) struct Limit {
    /// What it is, with its unit.
    pub(crate) name: &'static str,
    /// What was seen.
    pub(crate) value: f64,
    /// What is asked, where anything is.
    pub(crate) most: Option<f64>,
}

/// p99 in ms that no request should exceed at 64 connections, on the machine of the aims.
const P99: f64 = 50.0;

impl Report {
    /// Markdown, as the README shows it.
    pub(crate) fn table(&self) -> String {
        let mut text = format!(
            "{}, {}; {}.\n{} s each, the middle of {} rounds, {} connections. Code flow: {}.\n\n",
            self.date, self.machine, self.pinning, self.seconds, self.rounds, self.connections, self.code_flow
        );
        self.write_costs(&mut text)
            .and_then(|()| self.write_rows(&mut text))
            .and_then(|()| self.write_process(&mut text))
            .expect("a String takes everything");
        text
    }

    fn write_costs(&self, text: &mut String) -> std::fmt::Result {
        let signatures: Vec<String> =
            self.costs.signature.iter().map(|(name, cost)| format!("{name} {cost:.1}")).collect();
        writeln!(
            text,
            "Cost in µs of CPU: signature {}; bare axum answer {:.2}; durable row {:.1} in a group of 64, {:.1} alone.",
            signatures.join(", "),
            self.costs.request,
            self.costs.row.cost,
            self.costs.row_alone.cost
        )?;
        let (grouped, alone) = (self.costs.row.rate, self.costs.row_alone.rate);
        writeln!(
            text,
            "Durable rows: {grouped:.0}/s with a commit for 64, {alone:.0}/s with a commit for each: {:.1} times as many.",
            grouped / alone
        )?;
        let bare = &self.bare_axum;
        writeln!(
            text,
            "Bare axum: {:.0}/s, server {:.0} % busy, driver {:.0} % busy, p50 {:.2} ms, p99 {:.2} ms.\n",
            bare.rate,
            bare.server_busy * 100.0,
            bare.driver_busy * 100.0,
            bare.p50,
            bare.p99
        )
    }

    fn write_rows(&self, text: &mut String) -> std::fmt::Result {
        writeln!(
            text,
            "| {:<38} | {:>8} | {:>8} | {:>6} | {:>7} | {:<14} | {:>7} | {:<20} | {:>5} | {:>7} | {:>6} | {:>6} |",
            "scenario",
            "rate /s",
            "bound /s",
            "ratio",
            "per CPU",
            "aim",
            "p50 ms",
            "p99 ms",
            "turns",
            "CPU µs",
            "server",
            "driver"
        )?;
        writeln!(text, "|---|---:|---:|---:|---:|---|---:|---|---:|---:|---:|---:|")?;
        for row in &self.rows {
            let seen = &row.measured;
            let bound = row.bound.map_or("?".to_owned(), |bound| format!("{bound:.0}"));
            let ratio = row.bound.map_or("?".to_owned(), |bound| format!("{:.0} %", seen.rate / bound * 100.0));
            let per_cpu =
                row.bound.map_or("?".to_owned(), |bound| format!("{:.0} %", 1_000_000.0 / seen.cpu / bound * 100.0));
            let aim = row.verdict().map_or(row.aim().to_string(), |verdict| format!("{}: {verdict}", row.aim()));
            let p99 = format!("{:.2} (< {:.0}): {}", seen.p99, row.most(), below(seen.p99, row.most()));
            writeln!(
                text,
                "| {:<38} | {:>8.0} | {bound:>8} | {ratio:>6} | {per_cpu:>7} | {aim:<14} | {:>7.2} | {p99:<20} | {:>5} | {:>7.1} | {:>4.0} % | {:>4.0} % |",
                row.name,
                seen.rate,
                seen.p50,
                seen.turns,
                seen.cpu,
                seen.server_busy * 100.0,
                seen.driver_busy * 100.0
            )?;
        }
        writeln!(text)
    }

    fn write_process(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "| {:<44} | {:>8} | {:<14} |", "process", "value", "aim")?;
        writeln!(text, "|---|---:|---|")?;
        for limit in &self.process {
            let aim = limit.most.map_or("–".to_owned(), |most| {
                format!("< {}: {}", (most * 100.0).round() / 100.0, below(limit.value, most))
            });
            writeln!(text, "| {:<44} | {:>8.2} | {aim:<14} |", limit.name, limit.value)?;
        }
        Ok(())
    }
}

fn below(value: f64, limit: f64) -> &'static str {
    if value < limit { "met" } else { "above" }
}
