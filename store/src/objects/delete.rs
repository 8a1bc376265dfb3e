//! Deletes many objects at once.
use super::error::classify;
use super::{ObjectError, ObjectStore};
use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};

/// Objects that one request deletes: as many as S3 takes.
const BATCH: usize = 1_000;
/// The name of the request, for messages.
const OPERATION: &str = "delete_objects";

impl ObjectStore {
    /// Takes objects away, up to a thousand by one request; those that are not there are no error.
    ///
    /// # Errors
    /// The store cannot be reached, or kept one of them.
    pub async fn delete_all(&self, keys: &[String]) -> Result<(), ObjectError> {
        for keys in keys.chunks(BATCH) {
            match self.delete_batch(keys).await {
                // Not every store has this operation.
                Err(ObjectError::Failed { code, .. }) if code == "NotImplemented" => {
                    for key in keys {
                        self.delete(key).await?;
                    }
                }
                other => other?,
            }
        }
        Ok(())
    }

    async fn delete_batch(&self, keys: &[String]) -> Result<(), ObjectError> {
        let first = keys.first().map_or("", String::as_str);
        let named = |error: BuildError| ObjectError::Failed {
            endpoint: self.endpoint().to_owned(),
            operation: OPERATION,
            key: first.to_owned(),
            code: "InvalidRequest".to_owned(),
            reason: error.to_string(),
        };
        let object = |key: &String| ObjectIdentifier::builder().key(key).build().map_err(named);
        let objects = keys.iter().map(object).collect::<Result<Vec<_>, _>>()?;
        let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build();
        let request = self.inner.client.delete_objects().bucket(self.bucket());
        let answer = request.delete(delete.map_err(named)?).send().await;
        let answer = answer.map_err(|error| classify(self.place(), OPERATION, first, error))?;
        match answer.errors().first() {
            None => Ok(()),
            Some(error) => Err(ObjectError::Failed {
                endpoint: self.endpoint().to_owned(),
                operation: OPERATION,
                key: error.key().unwrap_or(first).to_owned(),
                code: error.code().unwrap_or("Unknown").to_owned(),
                reason: error.message().unwrap_or("it was kept").to_owned(),
            }),
        }
    }
}
