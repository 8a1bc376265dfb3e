//! The embedded object store as s3cmd, rclone and boto3 use it, with the settings that docs/deploy.md
//! gives: each lists, puts, reads and deletes beside the objects of a world.
use crate::support::{Background, data_dir, figures, lend, run, said};
use crate::validators::python;
use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// What each client does after its block of the manual; it prints what it listed at the end.
const S3CMD: &str = r#"
(s3 mb "s3://$S3_BUCKET" 2>&1 || true) | grep BucketAlreadyOwnedByYou > /dev/null
s3 put --acl-private "$FILE" "s3://$S3_BUCKET/exports/a b+c.bin"
s3 get --force "s3://$S3_BUCKET/exports/a b+c.bin" "$FILE.back"
cmp "$FILE" "$FILE.back"
s3 info "s3://$S3_BUCKET/exports/a b+c.bin" | grep FULL_CONTROL > /dev/null
test "$(s3 ls "s3://$S3_BUCKET/exports/" | grep -c 'a b+c.bin')" = 1
s3 ls --recursive "s3://$S3_BUCKET/" | wc -l
s3 del "s3://$S3_BUCKET/exports/a b+c.bin"
test -z "$(s3 ls "s3://$S3_BUCKET/exports/")"
"#;
const RCLONE: &str = r#"
rclone mkdir "world:$S3_BUCKET"
rclone copyto "$FILE" "world:$S3_BUCKET/exports/a b+c.bin"
rclone copyto "world:$S3_BUCKET/exports/a b+c.bin" "$FILE.back"
cmp "$FILE" "$FILE.back"
test "$(rclone lsf "world:$S3_BUCKET/exports")" = "a b+c.bin"
RCLONE_S3_LIST_VERSION=1 rclone lsf --recursive --files-only --fast-list "world:$S3_BUCKET" | wc -l
RCLONE_S3_LIST_VERSION=2 rclone lsf --recursive --files-only --fast-list "world:$S3_BUCKET" | wc -l
RCLONE_S3_USE_UNSIGNED_PAYLOAD=true rclone copyto "$FILE" "world:$S3_BUCKET/exports/unsigned"
rclone purge "world:$S3_BUCKET/exports"
"#;
const BOTO3: &str = r#"
bucket, file = os.environ["S3_BUCKET"], os.environ["FILE"]
for acl in ["private", "bucket-owner-full-control"]:
    s3.put_object(Bucket=bucket, Key="exports/small", Body=b"small", ACL=acl)
try:
    s3.put_object(Bucket=bucket, Key="exports/small", Body=b"small", ACL="public-read")
    raise AssertionError("a public object was taken")
except s3.exceptions.ClientError as error:
    assert error.response["Error"]["Code"] == "AccessControlListNotSupported", error
try:
    s3.create_bucket(Bucket=bucket)
    raise AssertionError("the bucket was made twice")
except s3.exceptions.BucketAlreadyOwnedByYou:
    pass
s3.upload_file(file, bucket, "exports/a b+c.bin", Config=one_request)
s3.download_file(bucket, "exports/a b+c.bin", file + ".back")
assert open(file, "rb").read() == open(file + ".back", "rb").read()
counts = []
for operation in ["list_objects", "list_objects_v2"]:
    pages = s3.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": 7})
    keys = [found["Key"] for page in pages for found in page["Contents"]]
    assert "exports/a b+c.bin" in keys and keys == sorted(set(keys)), keys
    counts.append(len(keys) - 2)
    pages = s3.get_paginator(operation).paginate(
        Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 1}
    )
    groups = [group["Prefix"] for page in pages for group in page.get("CommonPrefixes", [])]
    assert "exports/" in groups and groups == sorted(set(groups)), groups
s3.delete_objects(
    Bucket=bucket, Delete={"Objects": [{"Key": "exports/a b+c.bin"}, {"Key": "exports/small"}]}
)
for count in counts:
    print(count)
"#;

/// The first block of the manual under a heading.
fn block(heading: &str) -> String {
    let manual = include_str!("../../docs/deploy.md");
    let (_, section) = manual.split_once(&format!("### {heading}\n")).expect("a heading");
    let (_, rest) = section.split_once("```").expect("a block");
    let (_, rest) = rest.split_once('\n').expect("its language");
    rest.split_once("```").expect("its end").0.to_owned()
}

/// A world's objects, lent by a process.
struct Store {
    lender: Background,
    settings: HashMap<String, String>,
    data: TempDir,
}

impl Store {
    fn start() -> Store {
        let data = data_dir();
        figures(run("classroom", data.path(), &["--until", "1d"]));
        let (lender, settings) = lend(data.path());
        Store { lender, settings, data }
    }

    /// Runs a script and returns the numbers that it prints on lines of their own, after the block's.
    fn numbers(&self, mut command: Command) -> Vec<usize> {
        let file = self.data.path().join("file.bin");
        std::fs::write(&file, vec![7; 200_000]).expect("a file");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let tools = root.join("target/interop-venv/bin");
        let path = format!("{}:{}", tools.display(), std::env::var("PATH").expect("a PATH"));
        command.envs(&self.settings).env("PATH", path).env("FILE", file);
        command.env("HOME", self.data.path()).env("AWS_EC2_METADATA_DISABLED", "true");
        let output = command.output().expect("it runs");
        assert!(output.status.success(), "{command:?}:\n{}", said(&output));
        let out = String::from_utf8(output.stdout).expect("text");
        out.lines().filter_map(|line| line.trim().parse().ok()).collect()
    }
}

#[test]
fn the_usual_clients_use_the_store_with_the_settings_of_the_manual() {
    let python = python(Path::new(env!("CARGO_MANIFEST_DIR")));
    let store = Store::start();
    let shell = |heading: &str, then: &str| {
        let mut command = Command::new("bash");
        command.args(["-euo", "pipefail", "-c", &format!("{}\n{then}", block(heading))]);
        command
    };
    let mut boto3 = Command::new(python);
    boto3.args(["-c", &format!("{}\n{BOTO3}", block("boto3"))]);
    // The block's own number first, then a number a version of listings.
    let [shown, first, second] = store.numbers(boto3)[..] else { panic!("three numbers") };
    assert!(first > 50 && first == second && shown == first, "{shown} {first} {second}");
    let s3cmd = store.numbers(shell("s3cmd", S3CMD));
    assert_eq!(s3cmd, [first + 1], "with its own file");
    let rclone = store.numbers(shell("rclone", RCLONE));
    assert_eq!(rclone, [first + 1, first + 1], "with its own file");
    assert!(store.lender.stop(), "the services stop when they are asked to");
}
