//! Members of a change: left out, taken away, or another; and objects within a body.
//!
//! RFC 7396 (`null` takes away).

use std::marker::PhantomData;

use serde_json::{Map, Value};
use utoipa::openapi::schema::Schema;

use crate::http::api::body::{Body, Field, Fields, nullable, wrong_type};
use crate::http::api::problem::{FieldError, Problem};

/// A member of a change (`PATCH`).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Patch<T> {
    /// It is left out: it stays as it is.
    #[default]
    Keep,
    /// `null`: it goes.
    Clear,
    /// It becomes this.
    Set(T),
}

impl<T: Field> Field for Patch<T> {
    fn absent() -> Option<Self> {
        Some(Self::Keep)
    }

    fn read(value: Value) -> Result<Self, FieldError> {
        if value.is_null() { Ok(Self::Clear) } else { T::read(value).map(Self::Set) }
    }

    fn schema() -> Schema {
        nullable(T::schema())
    }
}

impl<T> Patch<T> {
    /// What holds from now on: `stays` where nothing is said, `usual` where it is taken away.
    pub fn over(self, stays: T, usual: T) -> T {
        match self {
            Self::Keep => stays,
            Self::Clear => usual,
            Self::Set(value) => value,
        }
    }

    /// The same, of what `read` makes of it.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn read_as<U, E>(self, read: impl FnOnce(T) -> Result<U, E>) -> Result<Patch<U>, E> {
        Ok(match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => Patch::Set(read(value)?),
        })
    }

    /// The same, of what `make` makes of it.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => Patch::Set(make(value)),
        }
    }
}

/// An object within a body, whose members are those of `B`.
#[derive(Clone, Debug)]
pub struct Within<B> {
    members: Map<String, Value>,
    of: PhantomData<B>,
}

impl<B: Body> Within<B> {
    /// Reads it; it stands in the field `name`.
    ///
    /// # Errors
    /// Every mistake, each by the path of its field.
    pub fn open(self, name: &'static str) -> Result<B, Problem> {
        Fields::read(self.members).map_err(|mut problem| {
            for error in &mut problem.errors {
                error.field = format!("{name}.{}", error.field).into();
            }
            problem
        })
    }
}

impl<B: Body> Field for Within<B> {
    fn read(value: Value) -> Result<Self, FieldError> {
        match value {
            Value::Object(members) => Ok(Self { members, of: PhantomData }),
            _ => Err(wrong_type("object")),
        }
    }

    fn schema() -> Schema {
        Schema::Object(B::schema())
    }
}
