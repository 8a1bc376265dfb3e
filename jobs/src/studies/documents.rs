//! What is stored of a study that has completed: the result as data, a report for people, and a row a
//! replication and arm for other programs. All of it is a function of the result and of what counted.
use bytes::Bytes;
use documents::gzip;
use sha2::{Digest, Sha256};
use store::objects::{NewObject, study_key};
use store::studies::DocumentRow;
use store::studies::summary::{Summary, SummaryAnswer, SummaryArm, SummaryMeasure};
use study::campaign::Row;
use study::output::csv::{self, Key};
use study::result::{Answer, ArmResult, MeasureResult, Statistic, StudyResult};

/// Rows for R and pandas, as they come to count.
#[derive(Default)]
pub(super) struct Table {
    text: String,
    columns: Vec<String>,
}

impl Table {
    /// Adds a replication of an arm.
    pub(super) fn add(&mut self, row: &Row<'_>) {
        if self.columns.is_empty() {
            self.columns = row.selections.iter().map(csv::column_name).collect();
            self.text = csv::header(&self.columns);
        }
        let named = self.columns.iter().cloned().zip(row.values.iter().copied());
        let values: Vec<(String, Option<f64>)> = named.collect();
        let key = Key { arm: row.arm, replication: row.replication, seed: row.seed };
        self.text.push_str(&csv::row(key, &values));
    }
}

/// A document of a study.
struct Document {
    kind: &'static str,
    media_type: &'static str,
    content: Vec<u8>,
}

/// What is to be stored.
pub(super) struct Documents {
    /// The answers, and the arms in short.
    pub(super) summary: Summary,
    all: Vec<Document>,
}

impl Documents {
    pub(super) fn new(result: &StudyResult, table: Table) -> Result<Self, String> {
        let mut data = serde_json::to_vec_pretty(result).map_err(|error| error.to_string())?;
        data.push(b'\n');
        let document = |kind, media_type, content| Document { kind, media_type, content };
        let page = study::output::html(result).into_bytes();
        Ok(Documents {
            summary: summary(result),
            all: vec![
                document("result", "application/json", data),
                document("report", "text/html; charset=utf-8", page),
                document("replications", "text/csv; charset=utf-8", table.text.into_bytes()),
            ],
        })
    }

    /// The objects to be stored for a study, compressed, and the rows that name them.
    pub(super) fn objects(&self, study: i64) -> (Vec<NewObject>, Vec<DocumentRow>) {
        let stored = self.all.iter().map(|document| {
            let sha256 = hex::encode(Sha256::digest(&document.content));
            let object = NewObject {
                key: study_key(study, &sha256),
                bytes: Bytes::from(gzip::compress(&document.content)),
                media_type: document.media_type,
                packed: true,
            };
            let row = DocumentRow {
                kind: document.kind.to_owned(),
                object_key: object.key.clone(),
                sha256,
                bytes: i64::try_from(document.content.len()).unwrap_or(i64::MAX),
            };
            (object, row)
        });
        stored.unzip()
    }
}

/// What lists and pages show without reading the whole result.
fn summary(result: &StudyResult) -> Summary {
    let answer = |answer: &Answer| SummaryAnswer {
        question: answer.question.clone(),
        answer: answer.answer.clone(),
        basis: answer.basis.clone(),
        told: answer.told,
        more_replications: answer.more_replications,
    };
    let arm = |arm: &ArmResult| SummaryArm {
        name: arm.name.clone(),
        builders: arm.builders,
        measures: arm.measures.iter().filter(|measure| is_overall(measure)).map(measure).collect(),
    };
    Summary {
        replications: result.replications,
        stopping: result.stopping.clone(),
        capped: result.capped,
        confidence: result.confidence,
        currency: result.currency.clone(),
        answers: result.answers.iter().map(answer).collect(),
        arms: result.arms.iter().map(arm).collect(),
    }
}

/// Whether a measure is over all customers and severities.
fn is_overall(measure: &MeasureResult) -> bool {
    let of = &measure.of;
    of.clock.is_none() && of.severity.is_none() && of.tier.is_none()
}

fn measure(measure: &MeasureResult) -> SummaryMeasure {
    let statistic = match measure.statistic {
        Statistic::Mean => "mean",
        Statistic::Proportion => "proportion",
        Statistic::Ratio => "ratio",
        Statistic::Median => "median",
        Statistic::P90 => "p90",
    };
    SummaryMeasure {
        measure: measure.of.measure.as_str().to_owned(),
        words: measure.of.words(),
        unit: measure.unit.clone(),
        statistic: statistic.to_owned(),
        estimate: measure.interval.estimate,
        lower: measure.interval.lower,
        upper: measure.interval.upper,
    }
}
