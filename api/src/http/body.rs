//! Bodies are compared with their schemas of the specification before an operation reads them: the
//! answer names everything that is wrong, each with its place, what was expected and what came.
//! (poem-openapi stops at the first and tells the type, not the place. It reads the body after this
//! all the same, so nothing depends on this check alone.)
mod compare;
mod expected;
mod schemas;

pub(crate) use schemas::Schemas;

use crate::http::problem::{Code, Problem, ProblemPart};
use compare::Comparison;
use poem::Request;
use poem::http::header;
use serde_json::Value;
use std::sync::Arc;

/// What the body of one operation must be.
pub(crate) struct BodySchema {
    schema: Value,
    schemas: Arc<Schemas>,
}

impl BodySchema {
    /// Of an operation; none: it has no body in JSON.
    pub(crate) fn of_operation(operation: &Value, schemas: &Arc<Schemas>) -> Option<Self> {
        let content = operation["requestBody"]["content"].as_object()?;
        let (_, media) = content.iter().find(|(kind, _)| is_json(kind))?;
        Some(BodySchema { schema: media["schema"].clone(), schemas: schemas.clone() })
    }

    /// Compares the body of a request, and puts it back. Other media types are left to the operation,
    /// which refuses them.
    pub(crate) async fn check_request(&self, request: &mut Request) -> Result<(), Problem> {
        if !request.header(header::CONTENT_TYPE).is_some_and(is_json) {
            return Ok(());
        }
        let bytes = request.take_body().into_bytes().await.map_err(Problem::internal)?;
        let value = parse(&bytes);
        request.set_body(bytes);
        self.check(&value?)
    }

    /// Compares a body.
    pub(crate) fn check(&self, body: &Value) -> Result<(), Problem> {
        self.compare(&self.schema, body)
    }

    /// Compares a body with one of the forms that it may have.
    pub(crate) fn check_as(&self, name: &str, body: &Value) -> Result<(), Problem> {
        let schema = self.schemas.named(name).unwrap_or(&self.schema);
        self.compare(schema, body)
    }

    fn compare(&self, schema: &Value, body: &Value) -> Result<(), Problem> {
        let mut comparison = Comparison::new(&self.schemas);
        comparison.value(schema, body, 0);
        let Comparison { errors, more, .. } = comparison;
        match errors.len() {
            0 => Ok(()),
            _ => Err(wrong(errors, more)),
        }
    }
}

/// Whether a media type is JSON, with whatever parameters.
fn is_json(media_type: &str) -> bool {
    let kind = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let subtype = kind.strip_prefix("application/");
    subtype.is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
}

/// Reads a body as JSON.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        let found = match bytes.len() {
            0 => "nothing".to_owned(),
            _ => format!("something else: {error}"),
        };
        Problem::field("", "one value in JSON, in UTF-8", &found)
    })
}

/// A body with errors.
fn wrong(errors: Vec<ProblemPart>, more: bool) -> Problem {
    let detail = match &errors[..] {
        [first, _, ..] => {
            let count = errors.len();
            let count = if more { format!("More than {count}") } else { count.to_string() };
            format!("{count} things are wrong. The first: {}", first.sentence())
        }
        [one] => one.sentence(),
        [] => String::new(),
    };
    let hint = "`errors` lists what is wrong, each with its place in the body; /docs describes the \
                fields.";
    Problem::new(Code::InvalidBody, detail).hint(hint).parts(errors)
}

/// Refuses control characters in a text that is stored as one line.
pub(crate) fn one_line<'a>(pointer: &str, text: &'a str) -> Result<&'a str, Problem> {
    if text.chars().any(char::is_control) {
        let found = "a text with control characters";
        return Err(Problem::field(pointer, "one line without control characters", found));
    }
    Ok(text)
}
