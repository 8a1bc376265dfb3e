//! How the object store is spoken to: whom, how patiently, and in which dialect of S3.
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use std::fmt;
use std::time::Duration;

/// Where the object store is and who we are to it.
#[derive(Clone)]
pub struct Settings {
    /// Its address, for example `http://127.0.0.1:9000`.
    pub endpoint: String,
    /// The region its signatures name; most stores other than AWS ignore it.
    pub region: String,
    /// The bucket of this world.
    pub bucket: String,
    /// The access key's id.
    pub access_key: String,
    /// The access key's secret.
    pub secret_key: String,
}

impl fmt::Debug for Settings {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("bucket", &self.bucket)
            .field("access_key", &self.access_key)
            .finish_non_exhaustive()
    }
}

/// Attempts of one request, with back-off between them.
const ATTEMPTS: u32 = 4;

pub(super) fn client(settings: &Settings) -> Client {
    let credentials =
        Credentials::new(&settings.access_key, &settings.secret_key, None, None, "wavetank");
    let http = aws_smithy_http_client::Builder::new();
    let http = if settings.endpoint.starts_with("http://") {
        http.build_http()
    } else {
        http.tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
    };
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(settings.region.clone()))
        .endpoint_url(&settings.endpoint)
        .credentials_provider(credentials)
        .force_path_style(true)
        // The default checksums broke stores other than AWS in 2025.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(ATTEMPTS)
                .with_initial_backoff(Duration::from_millis(50))
                .with_max_backoff(Duration::from_secs(2)),
        )
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(3))
                .operation_attempt_timeout(Duration::from_secs(20))
                .operation_timeout(Duration::from_secs(60))
                .build(),
        )
        .http_client(http)
        .build();
    Client::from_conf(config)
}
