//! Which traces are told.
//!
//! OpenTelemetry SDK specification, samplers; W3C Trace Context level 2 §3.3.1.3 (random trace ids).

/// Which traces are told.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) struct Sampler {
    /// Whether the caller's choice goes before.
    follows_parent: bool,
    /// The part of all traces.
    ratio: f64,
}

impl Sampler {
    /// Reads `OTEL_TRACES_SAMPLER` and its argument.
    ///
    /// # Errors
    /// A sentence about the variable that cannot be followed.
    pub(super) fn parse(name: Option<&str>, argument: Option<&str>) -> Result<Self, String> {
        let name = name.unwrap_or("parentbased_always_on");
        let own = name.strip_prefix("parentbased_");
        let ratio = match own.unwrap_or(name) {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => match argument.unwrap_or("1").parse() {
                Ok(ratio) if (0.0..=1.0).contains(&ratio) => ratio,
                _ => return Err("OTEL_TRACES_SAMPLER_ARG: must be a number from 0 to 1".to_owned()),
            },
            _ => return Err(format!("OTEL_TRACES_SAMPLER: {name} is not known here")),
        };
        Ok(Self { follows_parent: own.is_some(), ratio })
    }

    /// Whether the trace of this id (32 hexadecimal digits) is told; `traceparent` is what the caller sent.
    pub(super) fn samples(self, trace_id: &str, traceparent: Option<&str>) -> bool {
        let flags = traceparent.filter(|_| self.follows_parent).and_then(|parent| parent.get(53..55));
        if let Some(flags) = flags.and_then(|flags| u8::from_str_radix(flags, 16).ok()) {
            return flags & 1 == 1;
        }
        // The last seven bytes are random (W3C Trace Context level 2, §3.3.1.3).
        let random = trace_id.get(18..).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(0);
        #[expect(clippy::cast_precision_loss, reason = "56 bits where 53 do")]
        let position = random as f64 / (1_u64 << 56) as f64;
        position < self.ratio
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn traces_are_chosen_by_their_id() {
        let chosen = |name, argument| Sampler::parse(Some(name), argument).unwrap();
        let wanted = Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        // Its last seven bytes lie at 0.807 of their range.
        for (sampler, parent, expected) in [
            (chosen("parentbased_always_on", None), None, true),
            (chosen("always_off", None), wanted, false),
            (chosen("parentbased_always_off", None), wanted, true),
            (chosen("traceidratio", Some("0.9")), None, true),
            (chosen("traceidratio", Some("0.5")), None, false),
            (chosen("parentbased_traceidratio", Some("0.5")), wanted, true),
        ] {
            assert_eq!(sampler.samples(TRACE, parent), expected, "{sampler:?}");
        }
        assert!(Sampler::parse(Some("traceidratio"), Some("2")).is_err());
    }
}
