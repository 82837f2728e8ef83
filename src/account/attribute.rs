//! What the operator wants to know of people beside the standard claims (S-012).

use std::sync::Arc;

use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The most characters of a text where the settings say nothing.
const MAX_LENGTH: usize = 255;

/// An attribute.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub kind: AttributeKind,
    /// Whether nobody may register without it.
    pub required: bool,
    /// The most characters of a text.
    pub max_length: Option<usize>,
    /// What a text must look like.
    pub pattern: Option<Regex>,
    /// Who sees and changes it.
    pub visibility: Visibility,
    /// The claim that tells it to apps.
    pub claim: Option<String>,
}

/// What values are.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributeKind {
    /// A text.
    #[default]
    Text,
    /// A number.
    Number,
    /// Yes or no.
    Boolean,
    /// `YYYY-MM-DD`.
    Date,
}

impl AttributeKind {
    /// As the settings and the API write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
        }
    }
}

/// Who sees and changes an attribute.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// The person sees and changes it.
    #[default]
    Editable,
    /// The person sees it; it is given at registration and changed by administrators.
    Visible,
    /// Administrators alone.
    Hidden,
}

/// Why a value is none of an attribute.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Unfit {
    /// There must be one.
    Required,
    /// It is empty.
    Blank,
    /// It is of another type.
    WrongType,
    /// It is too long.
    TooLong(usize),
    /// It does not look as it should.
    Invalid,
}

/// Every attribute. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Attributes(Arc<[Attribute]>);

impl FromIterator<Attribute> for Attributes {
    fn from_iter<I: IntoIterator<Item = Attribute>>(attributes: I) -> Self {
        Self(attributes.into_iter().collect())
    }
}

impl Attributes {
    /// All of them.
    pub fn all(&self) -> &[Attribute] {
        &self.0
    }

    /// The one called `name`.
    pub fn get(&self, name: &str) -> Option<&Attribute> {
        self.0.iter().find(|attribute| attribute.name == name)
    }

    /// Those that somebody who registers is asked for.
    pub fn asked(&self) -> impl Iterator<Item = &Attribute> {
        self.0.iter().filter(|attribute| attribute.visibility != Visibility::Hidden)
    }

    /// The values of somebody who registers, taken out of `given`: what stays there is none of them.
    ///
    /// # Errors
    /// Every value that does not fit, by name.
    pub fn take(&self, given: &mut Map<String, Value>) -> Result<Map<String, Value>, Vec<(String, Unfit)>> {
        let (mut taken, mut unfit) = (Map::new(), Vec::new());
        for attribute in self.asked() {
            match given.remove(&attribute.name) {
                None | Some(Value::Null) if attribute.required => unfit.push((attribute.name.clone(), Unfit::Required)),
                None | Some(Value::Null) => {}
                Some(value) => match attribute.fit(value) {
                    Ok(value) => {
                        taken.insert(attribute.name.clone(), value);
                    }
                    Err(reason) => unfit.push((attribute.name.clone(), reason)),
                },
            }
        }
        if unfit.is_empty() { Ok(taken) } else { Err(unfit) }
    }

    /// The claims that tell a person's attributes to apps.
    pub fn claims<'a>(&'a self, values: &'a Map<String, Value>) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.0.iter().filter_map(|attribute| Some((attribute.claim.as_deref()?, values.get(&attribute.name)?)))
    }
}

impl Attribute {
    /// The value as it is kept.
    ///
    /// # Errors
    /// Why it does not fit.
    pub fn fit(&self, value: Value) -> Result<Value, Unfit> {
        match (self.kind, value) {
            (AttributeKind::Number, Value::Number(number)) => Ok(Value::Number(number)),
            (AttributeKind::Boolean, Value::Bool(answer)) => Ok(Value::Bool(answer)),
            (AttributeKind::Text | AttributeKind::Date, Value::String(text)) => self.fit_text(&text),
            _ => Err(Unfit::WrongType),
        }
    }

    /// As [`Attribute::fit`], of what a form holds: every value is a text there.
    ///
    /// # Errors
    /// Why it does not fit.
    pub fn fit_form(&self, text: &str) -> Result<Value, Unfit> {
        match self.kind {
            AttributeKind::Boolean => Ok(Value::Bool(!text.is_empty())),
            AttributeKind::Number => {
                let number: f64 = text.trim().parse().map_err(|_| Unfit::WrongType)?;
                serde_json::Number::from_f64(number).map(Value::Number).ok_or(Unfit::WrongType)
            }
            AttributeKind::Text | AttributeKind::Date => self.fit_text(text),
        }
    }

    fn fit_text(&self, text: &str) -> Result<Value, Unfit> {
        let text = text.trim();
        let max = self.max_length.unwrap_or(MAX_LENGTH);
        if text.is_empty() {
            return Err(Unfit::Blank);
        }
        if text.chars().count() > max {
            return Err(Unfit::TooLong(max));
        }
        let fits = !text.chars().any(|c| c.is_control() && c != '\n')
            && (self.kind != AttributeKind::Date || is_date(text))
            && self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(text));
        if fits { Ok(Value::String(text.to_owned())) } else { Err(Unfit::Invalid) }
    }
}

/// ISO 8601-1 `YYYY-MM-DD`, a day of the calendar.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let is_number = |part: &str, length| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
    if !(is_number(year, 4) && is_number(month, 2) && is_number(day, 2)) {
        return false;
    }
    let (year, month, day): (u32, u32, u32) =
        (year.parse().unwrap_or(0), month.parse().unwrap_or(0), day.parse().unwrap_or(0));
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn attribute(kind: AttributeKind) -> Attribute {
        Attribute {
            name: "x".to_owned(),
            kind,
            required: false,
            max_length: Some(5),
            pattern: (kind == AttributeKind::Text).then(|| Regex::new("^(?:[a-z]+)$").expect("an expression")),
            visibility: Visibility::Editable,
            claim: None,
        }
    }

    #[test]
    fn values_fit_their_type() {
        use AttributeKind::{Boolean, Date, Number, Text};
        for (kind, value, fits) in [
            (Text, json!(" abc "), Ok(json!("abc"))),
            (Text, json!("abcdef"), Err(Unfit::TooLong(5))),
            (Text, json!("AB"), Err(Unfit::Invalid)),
            (Text, json!("  "), Err(Unfit::Blank)),
            (Text, json!(1), Err(Unfit::WrongType)),
            (Number, json!(1.5), Ok(json!(1.5))),
            (Number, json!("1"), Err(Unfit::WrongType)),
            (Boolean, json!(true), Ok(json!(true))),
            (Boolean, json!("true"), Err(Unfit::WrongType)),
        ] {
            assert_eq!(attribute(kind).fit(value.clone()), fits, "{kind:?} {value}");
        }
        let date = Attribute { max_length: None, ..attribute(Date) };
        for (text, fits) in [("2024-02-29", true), ("2023-02-29", false), ("2024-13-01", false), ("24-1-1", false)] {
            assert_eq!(date.fit(json!(text)).is_ok(), fits, "{text}");
        }
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let named =
            |name: &str, required| Attribute { name: name.to_owned(), required, ..attribute(AttributeKind::Text) };
        let attributes: Attributes = [named("a", true), named("b", false), named("c", false)].into_iter().collect();
        let mut given = json!({"b": "B", "c": null, "d": 1}).as_object().expect("an object").clone();
        let unfit = attributes.take(&mut given).expect_err("two mistakes");
        assert_eq!(unfit, [("a".to_owned(), Unfit::Required), ("b".to_owned(), Unfit::Invalid)]);
        assert_eq!(given.keys().collect::<Vec<_>>(), ["d"]);
    }
}
