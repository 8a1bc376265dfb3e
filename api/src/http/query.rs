//! The query parameters of an operation as one extractor: declared once, with what each means and
//! may hold; read, checked and described in the specification from that one place.
//!
//! poem-openapi has an extractor a parameter. A list with eight of them would parse, check and
//! describe each in code of its own, so [`query!`] declares a struct for all. Towards poem-openapi it
//! is one parameter whose schema carries the real ones ([`PARAMETERS`]); `openapi::parameters` puts
//! these in its place.
use crate::http::examples;
use crate::http::problem::{Code, Problem};
use crate::http::time::{self, Instant};
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaParamIn, MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::{ParseFromParameter, Type};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use regex::Regex;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// The title of the schema that stands for several parameters; its example holds them.
pub(crate) const PARAMETERS: &str = "query parameters";

/// What a parameter may hold beyond its type, and its example.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    length: Option<(usize, usize)>,
    minimum: Option<i64>,
    maximum: Option<i64>,
    pattern: Option<&'static str>,
    example: Option<ExampleValue>,
}

/// What an example of a parameter says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ExampleValue {
    /// The instant so many hours after the start of the examples.
    Hours(i64),
    /// A number.
    Number(i64),
    /// A text.
    Text(&'static str),
}

impl ExampleValue {
    fn value(self) -> Value {
        match self {
            ExampleValue::Hours(hours) => Value::String(time::example(hours).to_string()),
            ExampleValue::Number(number) => number.into(),
            ExampleValue::Text(text) => text.into(),
        }
    }
}

/// A text of so many characters.
pub(crate) const fn length(least: usize, most: usize) -> Rule {
    Rule { length: Some((least, most)), ..NO_RULE }
}

/// A number from `minimum` up.
pub(crate) const fn at_least(minimum: i64) -> Rule {
    Rule { minimum: Some(minimum), ..NO_RULE }
}

/// A number from `minimum` to `maximum`.
pub(crate) const fn range(minimum: i64, maximum: i64) -> Rule {
    Rule { minimum: Some(minimum), maximum: Some(maximum), ..NO_RULE }
}

/// A text of this form.
pub(crate) const fn pattern(pattern: &'static str) -> Rule {
    Rule { pattern: Some(pattern), ..NO_RULE }
}

/// Anything, with an example.
pub(crate) const fn example(example: ExampleValue) -> Rule {
    Rule { example: Some(example), ..NO_RULE }
}

/// Whatever the type takes.
pub(crate) const NO_RULE: Rule =
    Rule { length: None, minimum: None, maximum: None, pattern: None, example: None };

impl Rule {
    /// The same, of this form too.
    pub(crate) const fn pattern(self, pattern: &'static str) -> Rule {
        Rule { pattern: Some(pattern), ..self }
    }

    /// The same with an example.
    pub(crate) const fn example(self, example: ExampleValue) -> Rule {
        Rule { example: Some(example), ..self }
    }

    fn check(&self, given: &str) -> Result<(), Expected> {
        if let Some((least, most)) = self.length
            && !(least..=most).contains(&given.chars().count())
        {
            return Err(Expected(*self));
        }
        if self.minimum.is_some() || self.maximum.is_some() {
            let number = given.parse::<i64>().map_err(|_| Expected(*self))?;
            let below = self.minimum.is_some_and(|minimum| number < minimum);
            if below || self.maximum.is_some_and(|maximum| number > maximum) {
                return Err(Expected(*self));
            }
        }
        if self.pattern.is_some_and(|pattern| !matches(pattern, given)) {
            return Err(Expected(*self));
        }
        Ok(())
    }

    /// The rule in the words of JSON Schema.
    fn schema(&self) -> MetaSchema {
        MetaSchema {
            min_length: self.length.map(|(least, _)| least),
            max_length: self.length.map(|(_, most)| most),
            minimum: self.minimum.map(|number| number as f64),
            maximum: self.maximum.map(|number| number as f64),
            pattern: self.pattern.map(str::to_owned),
            example: self.example.map(ExampleValue::value),
            ..MetaSchema::ANY
        }
    }
}

/// Whether a text is of the form; each form is compiled once.
fn matches(pattern: &'static str, given: &str) -> bool {
    static COMPILED: Mutex<BTreeMap<&'static str, Option<Regex>>> = Mutex::new(BTreeMap::new());
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let regex = compiled.entry(pattern).or_insert_with(|| Regex::new(pattern).ok());
    regex.as_ref().is_some_and(|regex| regex.is_match(given))
}

/// What a rule wants, for whoever broke it.
struct Expected(Rule);

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Expected(Rule { length, minimum, maximum, pattern, .. }) = self;
        match (length, minimum, maximum, pattern) {
            (Some((least, most)), _, _, None) => write!(f, "expected {least} to {most} characters"),
            (Some((least, most)), _, _, Some(form)) => {
                write!(f, "expected {least} to {most} characters of the form {form}")
            }
            (None, Some(least), Some(most), _) => write!(f, "expected {least} to {most}"),
            (None, Some(least), None, _) => write!(f, "expected {least} or more"),
            (None, None, Some(most), _) => write!(f, "expected at most {most}"),
            (None, None, None, Some(form)) => write!(f, "expected the form {form}"),
            (None, None, None, None) => f.write_str("expected another value"),
        }
    }
}

/// The query of a request.
pub(crate) struct Given(Vec<(String, String)>);

impl Given {
    pub(crate) fn of(request: &Request) -> Result<Self, Problem> {
        let detail = "The query is not of the form a=1&b=2.";
        let wrong = |_| Problem::new(Code::InvalidParameter, detail);
        request.params().map(Given).map_err(wrong)
    }

    /// All parameters but these, as they were given.
    pub(crate) fn without(&self, left_out: &[&str]) -> Vec<(&str, &str)> {
        let kept = self.0.iter().filter(|(name, _)| !left_out.contains(&name.as_str()));
        kept.map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// The value of a parameter; an absent one is left to the type.
    pub(crate) fn read<T: ParseFromParameter>(
        &self,
        name: &'static str,
        rule: &Rule,
    ) -> Result<T, Problem> {
        let values = || self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value);
        let value = T::parse_from_parameters(values())
            .map_err(|error| Problem::parameter(name, &error.into_message()))?;
        for value in values() {
            rule.check(value).map_err(|error| Problem::parameter(name, &error.to_string()))?;
        }
        Ok(value)
    }
}

/// A parameter as the specification has it.
pub(crate) struct Parameter {
    name: &'static str,
    /// The schema, by which poem-openapi knows what schemas are used.
    schema: MetaSchemaRef,
    value: Value,
}

/// A parameter as the specification has it.
pub(crate) fn parameter<T: ParseFromParameter>(
    name: &'static str,
    docs: &[&str],
    rule: &Rule,
) -> Parameter {
    let description = docs.iter().map(|line| line.trim()).collect::<Vec<_>>().join("\n");
    let schema = T::schema_ref().merge(rule.schema());
    let value = json!({
        "name": name, "in": "query", "description": description, "required": T::IS_REQUIRED,
        "deprecated": false, "explode": true,
        "schema": serde_json::to_value(&schema).unwrap_or_default(),
    });
    Parameter { name, schema, value }
}

/// The schema that carries parameters into the specification.
pub(crate) fn schema_of(parameters: Vec<Parameter>) -> MetaSchemaRef {
    let values = parameters.iter().map(|parameter| parameter.value.clone()).collect();
    let named = |parameter: Parameter| (parameter.name, parameter.schema);
    MetaSchemaRef::Inline(Box::new(MetaSchema {
        title: Some(PARAMETERS.to_owned()),
        example: Some(Value::Array(values)),
        properties: parameters.into_iter().map(named).collect(),
        ..MetaSchema::new("object")
    }))
}

/// Declares the query parameters of an operation: a struct with a field a parameter. What a field may
/// hold beyond its type stands behind `=`.
macro_rules! query {
    (
        $(#[doc = $doc:literal])*
        $vis:vis struct $name:ident {
            $($(#[doc = $field_doc:literal])+ $field:ident: $type:ty $(= $rule:expr)?,)*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone)]
        $vis struct $name {
            $($(#[doc = $field_doc])+ $vis $field: $type,)*
        }

        impl<'a> poem_openapi::ApiExtractor<'a> for $name {
            const TYPES: &'static [poem_openapi::ApiExtractorType] =
                &[poem_openapi::ApiExtractorType::Parameter];

            type ParamType = ();
            type ParamRawType = ();

            fn register(registry: &mut poem_openapi::registry::Registry) {
                $(<$type as poem_openapi::types::Type>::register(registry);)*
            }

            fn param_in() -> Option<poem_openapi::registry::MetaParamIn> {
                Some(poem_openapi::registry::MetaParamIn::Query)
            }

            fn param_schema_ref() -> Option<poem_openapi::registry::MetaSchemaRef> {
                Some($crate::http::query::schema_of(vec![$(
                    $crate::http::query::parameter::<$type>(
                        stringify!($field),
                        &[$($field_doc),+],
                        &$crate::http::query::rule!($($rule)?),
                    ),
                )*]))
            }

            async fn from_request(
                request: &'a poem::Request,
                _body: &mut poem::RequestBody,
                _options: poem_openapi::ExtractParamOptions<()>,
            ) -> poem::Result<Self> {
                let given = $crate::http::query::Given::of(request)?;
                Ok($name {
                    $($field: given
                        .read(stringify!($field), &$crate::http::query::rule!($($rule)?))?,)*
                })
            }
        }
    };
}
pub(crate) use query;

/// A rule, or none.
macro_rules! rule {
    () => {
        $crate::http::query::NO_RULE
    };
    ($rule:expr) => {
        $rule
    };
}
pub(crate) use rule;

/// The simulated instant that an answer speaks of; none: the newest state.
#[derive(Clone, Copy)]
pub(crate) struct AsOf(pub(crate) Option<Instant>);

impl<'a> ApiExtractor<'a> for AsOf {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        Instant::register(registry);
    }

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Query)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(schema_of(vec![AsOf::parameter()]))
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Ok(AsOf::given(&Given::of(request)?)?)
    }
}

impl AsOf {
    pub(crate) fn given(given: &Given) -> Result<Self, Problem> {
        Ok(AsOf(given.read(AS_OF, &AS_OF_RULE)?))
    }

    pub(crate) fn parameter() -> Parameter {
        parameter::<Option<Instant>>(AS_OF, &[AS_OF_DOC], &AS_OF_RULE)
    }
}

const AS_OF: &str = "as_of";
const AS_OF_DOC: &str = "The simulated instant the answer speaks of; the newest state when absent.";
const AS_OF_RULE: Rule = example(ExampleValue::Hours(examples::AS_OF_HOURS));

#[cfg(test)]
mod tests {
    use super::*;

    query! {
        /// A query.
        struct Sample {
            /// A name
            /// of two lines.
            name: Option<String> = length(1, 3).pattern("^[a-z]+$"),
            /// A number.
            level: Option<i32> = range(0, 3),
            /// What must be there.
            index: i64 = at_least(0),
        }
    }

    async fn read(query: &str) -> Result<Sample, Problem> {
        let uri = format!("/?{query}").parse().unwrap();
        let (request, mut body) = Request::builder().uri(uri).finish().split();
        let options = ExtractParamOptions {
            name: "query",
            ignore_case: false,
            default_value: None,
            example_value: None,
            explode: true,
            style: None,
        };
        let read = Sample::from_request(&request, &mut body, options).await;
        read.map_err(|error| error.downcast::<Problem>().unwrap())
    }

    #[tokio::test]
    async fn parameters_are_read_and_checked() {
        let sample = read("name=abc&level=3&index=7").await.unwrap_or_else(|p| panic!("{p}"));
        assert_eq!((sample.name.as_deref(), sample.level, sample.index), (Some("abc"), Some(3), 7));
        let sample = read("index=0").await.unwrap_or_else(|p| panic!("{p}"));
        assert_eq!((sample.name, sample.level), (None, None));
        for (query, detail) in [
            ("index=0&name=", "expected 1 to 3 characters of the form ^[a-z]+$"),
            ("index=0&name=abcd", "expected 1 to 3 characters"),
            ("index=0&name=A", "of the form ^[a-z]+$"),
            ("index=0&level=4", "The parameter `level` is wrong: expected 0 to 3."),
            ("index=-1", "The parameter `index` is wrong: expected 0 or more."),
            ("index=one", "The parameter `index` is wrong"),
            ("level=1", "The parameter `index` is wrong: a value is needed"),
        ] {
            let Err(problem) = read(query).await else { panic!("{query} was taken") };
            assert_eq!(problem.code(), "invalid_parameter", "{query}");
            assert!(problem.detail().contains(detail), "{query}: {}", problem.detail());
        }
    }

    #[test]
    fn the_schema_holds_the_parameters() {
        let Some(MetaSchemaRef::Inline(schema)) = Sample::param_schema_ref() else {
            panic!("no schema")
        };
        let parameters = schema.example.unwrap();
        assert_eq!(schema.title.as_deref(), Some(PARAMETERS));
        assert_eq!(parameters[0]["description"], "A name\nof two lines.");
        assert_eq!(parameters[0]["schema"]["maxLength"], 3);
        assert_eq!(parameters[0]["required"], false);
        assert_eq!(parameters[2]["schema"]["minimum"], 0.0);
        assert_eq!(parameters[2]["required"], true);
    }
}
