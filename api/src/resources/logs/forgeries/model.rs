//! Forgeries as the API shows them.
use documents::forgeries::{Case, Made, Verdict};
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object};
use std::string::FromUtf8Error;

/// What a correct verifier says.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "snake_case")]
pub(super) enum ForgeryVerdict {
    /// It accepts the case.
    Pass,
    /// It refuses it.
    Fail,
}

/// A case of the catalogue.
#[derive(Object)]
#[oai(example)]
pub(super) struct Forgery {
    /// Its name; it ends in `_fail` if it must fail.
    name: String,
    /// What is wrong; for a valid case, what is unusual.
    wrong: String,
    /// What a correct verifier says.
    verdict: ForgeryVerdict,
    /// Why.
    explanation: String,
    /// The published rule from which that follows.
    rule: String,
    /// Where the rule is published. A foreign address, so a text and no link of ours.
    rule_url: String,
    /// The predicate type that the verifier must ask for.
    predicate_type: String,
    /// Where its files are.
    href: String,
}

/// The catalogue: first what must fail, then what must pass.
#[derive(Object)]
#[oai(example)]
pub(super) struct ForgeryList {
    /// The cases.
    pub(super) items: Vec<Forgery>,
}

/// A file of a case.
#[derive(Object)]
pub(super) struct ForgeryFile {
    /// Its name: `bundle.sigstore.json`, `key.pub`, `trusted_root.json`, `artifact`, `case.json`,
    /// `README`.
    name: String,
    /// Its content, byte for byte.
    content: String,
}

/// A case with its files.
#[derive(Object)]
#[oai(example)]
pub(super) struct ForgeryDetail {
    #[oai(flatten)]
    forgery: Forgery,
    /// Its files, by their names.
    files: Vec<ForgeryFile>,
}

impl Forgery {
    pub(super) fn of(case: &Case) -> Self {
        let told = case.told();
        Forgery {
            name: told.name.to_owned(),
            wrong: told.wrong.to_owned(),
            verdict: match told.verdict {
                Verdict::Pass => ForgeryVerdict::Pass,
                Verdict::Fail => ForgeryVerdict::Fail,
            },
            explanation: told.explanation.to_owned(),
            rule: told.rule.to_owned(),
            rule_url: told.rule_url.to_owned(),
            predicate_type: told.predicate_type.to_owned(),
            href: format!("/v1/forgeries/{}", told.name),
        }
    }
}

impl ForgeryDetail {
    pub(super) fn of(case: &Case, made: Made) -> Result<Self, FromUtf8Error> {
        let file = |(name, bytes): (&str, Vec<u8>)| {
            Ok(ForgeryFile { name: name.to_owned(), content: String::from_utf8(bytes)? })
        };
        let files = made.files.into_iter().map(file).collect::<Result<_, _>>()?;
        Ok(ForgeryDetail { forgery: Forgery::of(case), files })
    }
}

impl Example for Forgery {
    fn example() -> Self {
        Forgery {
            name: "payload-flipped_fail".to_owned(),
            wrong: "A byte of the signed statement is another one.".to_owned(),
            verdict: ForgeryVerdict::Fail,
            explanation: "The signature is not one of what the envelope holds.".to_owned(),
            rule: "DSSE, protocol".to_owned(),
            rule_url: "https://github.com/secure-systems-lab/dsse".to_owned(),
            predicate_type: "https://sigstore.dev/cosign/sign/v1".to_owned(),
            href: "/v1/forgeries/payload-flipped_fail".to_owned(),
        }
    }
}

impl Example for ForgeryList {
    fn example() -> Self {
        ForgeryList { items: vec![Forgery::example()] }
    }
}

impl Example for ForgeryDetail {
    fn example() -> Self {
        let content = "-----BEGIN PUBLIC KEY-----\n...\n-----END PUBLIC KEY-----\n".to_owned();
        let files = vec![ForgeryFile { name: "key.pub".to_owned(), content }];
        ForgeryDetail { forgery: Forgery::example(), files }
    }
}
