//! A place in a report, which knows how it was reached: what is wrong there is told with it.
use super::error::ReportError;
use super::report::{MAX_ENTRIES, MAX_TEXT_CHARS};
use serde_json::Value;

/// A value and the way to it.
pub(super) struct Place<'v, 'p> {
    value: &'v Value,
    above: Option<(&'p Place<'v, 'p>, Step<'p>)>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Field(&'p str),
    Item(usize),
}

impl<'v> Place<'v, 'v> {
    pub(super) const fn root(value: &'v Value) -> Self {
        Place { value, above: None }
    }
}

impl<'v, 'p> Place<'v, 'p> {
    /// The place as a JSON pointer; the root's is `/`.
    fn pointer(&self) -> String {
        let mut steps = Vec::new();
        let mut at = self;
        while let Some((above, step)) = at.above {
            steps.push(match step {
                Step::Field(name) => name.replace('~', "~0").replace('/', "~1"),
                Step::Item(index) => index.to_string(),
            });
            at = above;
        }
        steps.reverse();
        format!("/{}", steps.join("/"))
    }

    pub(super) fn misformed(&self, expected: &'static str) -> ReportError {
        let found = match self.value {
            Value::Null => "null".to_owned(),
            Value::Bool(_) | Value::Number(_) => self.value.to_string(),
            Value::String(text) => {
                format!("the text {:?}", text.chars().take(64).collect::<String>())
            }
            Value::Array(items) => format!("a list of {}", items.len()),
            Value::Object(_) => "an object".to_owned(),
        };
        ReportError::Misformed { place: self.pointer(), expected, found }
    }

    /// A field that is there, and not null.
    pub(super) fn field<'c>(&'c self, name: &'c str) -> Option<Place<'v, 'c>>
    where
        'p: 'c,
    {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        Some(Place { value, above: Some((self, Step::Field(name))) })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.value.get(name).is_some_and(|value| !value.is_null())
    }

    /// The text at this place, cut, without characters that would steer a terminal.
    pub(super) fn text(&self) -> Result<String, ReportError> {
        let text = self.value.as_str().ok_or_else(|| self.misformed("a text"))?;
        Ok(text.chars().take(MAX_TEXT_CHARS).map(shown).collect())
    }

    /// The text of a field; none where there is no such field, or nothing in it.
    pub(super) fn text_of(&self, name: &str) -> Result<Option<String>, ReportError> {
        let text = self.field(name).map(|field| field.text()).transpose()?;
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// The text of a field that must be there.
    pub(super) fn need_text(&self, name: &'static str) -> Result<String, ReportError> {
        self.text_of(name)?.ok_or_else(|| ReportError::Misformed {
            place: format!("{}/{name}", self.pointer().trim_end_matches('/')),
            expected: "a text",
            found: "nothing".to_owned(),
        })
    }

    /// A number, or a text that is one.
    pub(super) fn number(&self) -> Option<f64> {
        self.value.as_f64().or_else(|| self.value.as_str()?.trim().parse().ok())
    }

    /// Visits the items of a field; nothing where there is no such field.
    pub(super) fn each<'c>(
        &'c self,
        name: &'c str,
        mut visit: impl FnMut(&Place<'v, '_>) -> Result<(), ReportError>,
    ) -> Result<(), ReportError>
    where
        'p: 'c,
    {
        let Some(list) = self.field(name) else { return Ok(()) };
        let items = list.value.as_array().ok_or_else(|| list.misformed("a list"))?;
        if items.len() > MAX_ENTRIES {
            return Err(ReportError::TooMany { place: list.pointer(), limit: MAX_ENTRIES });
        }
        for (index, value) in items.iter().enumerate() {
            visit(&Place { value, above: Some((&list, Step::Item(index))) })?;
        }
        Ok(())
    }

    /// The texts of a list; nothing where there is no such field.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, ReportError> {
        let mut texts = Vec::new();
        self.each(name, |item| {
            texts.push(item.text()?);
            Ok(())
        })?;
        Ok(texts)
    }

    /// Must be an object.
    pub(super) fn object(&self) -> Result<(), ReportError> {
        if self.value.is_object() { Ok(()) } else { Err(self.misformed("an object")) }
    }
}

/// The character, or the replacement character for one that moves a cursor, changes colours or
/// turns the direction of writing. Line feeds stay: messages of SARIF have lines.
fn shown(c: char) -> char {
    let steers = (c.is_control() && c != '\n')
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}');
    if steers { '\u{fffd}' } else { c }
}
