//! What is broken, too large, too deep or hostile is refused, with the file, the place and the
//! reason.
use import::{Importer, MAX_FILE_BYTES, Options};

fn refused(text: &[u8]) -> String {
    let mut importer = Importer::default();
    importer.add("it", text).err().unwrap_or_else(|| panic!("not refused")).to_string()
}

#[test]
fn broken_files_name_the_place_and_the_reason() {
    for (text, expected) in [
        ("", "it: is empty"),
        ("\u{feff}  ", "it: is empty"),
        ("{", "it:1:1: EOF while parsing an object"),
        ("{\"bomFormat\": \"CycloneDX\",\n  \"components\": [}", "it:2:18: expected value"),
        ("{\"some\": \"thing\"}", "it: JSON of a kind that is not known (keys: some)"),
        ("[]", "it: JSON of a kind that is not known"),
        ("[1, 2]", "it:1:2: invalid type: integer `1`, expected an object"),
        ("<bom/>", "it: XML is not read"),
        ("name,age\nx,1\n", "it: no JSON, and no table that is known (it begins \"name,age\")"),
        ("{\"bomFormat\": \"CycloneDX\", \"components\": []}", "it: metadata.component is missing"),
        (
            "{\"bomFormat\":\"CycloneDX\",\"bomFormat\":1,\"metadata\":{\"component\":{\"name\":\"\"}}}",
            "it, metadata.component[0]: has no name or id",
        ),
        (
            "{\"bomFormat\":\"CycloneDX\",\"metadata\":{\"component\":{\"name\":\"a\\u0000b\"}}}",
            "it, metadata.component[0]: a name or id with a control character",
        ),
        (
            "{\"bomFormat\":\"CycloneDX\",\"components\":5}",
            "invalid type: integer `5`, expected a sequence",
        ),
        (
            "cve,published\nCVE-1,2026-01-05\nCVE-2,soon\n",
            "it:3, column published: expected an instant such as",
        ),
        ("cve,published\nCVE-1,2026-01-05,more\n", "it:2:1: 3 fields, where the head has 2"),
        ("cve,published\n,2026-01-05\n", "it:2, column cve: is empty"),
        (
            "cve,published,kev\nCVE-1,2026-01-05,perhaps\n",
            "it:2, column kev: expected true or false",
        ),
        (
            "image,start,end,result\na,2026-01-05T00:00:00Z,2026-01-04T00:00:00Z,success\n",
            "it:2, column end: lies before the start",
        ),
        (
            "image,start,end,result\na,2026-01-05T00:00:00Z,2026-01-05T01:00:00Z,maybe\n",
            "it:2, column result: expected success, failure, flaked or cancelled",
        ),
        (
            "[{\"id\":\"CVE-1\",\"modified\":\"2026-01-05T00:00:00Z\",\"published\":\"0000\",\"affected\":[]}]",
            "it, records[0]: published: expected an instant",
        ),
        (
            "[{\"component\":{},\"vulnerability\":{\"vulnId\":\"CVE-1\",\"published\":1e300}}]",
            "it, findings[0]: published: expected milliseconds since 1970",
        ),
    ] {
        let found = refused(text.as_bytes());
        assert!(found.contains(expected), "{text:?}: {found}");
    }
    assert!(refused(b"cve,published\n\xff\xfe").contains("it:2:1: this is no UTF-8 text"));
}

#[test]
fn depth_and_size_have_limits() {
    let nested =
        |open: &str, close: &str, n: usize| format!("{}{}", open.repeat(n), close.repeat(n));
    let lists = format!("{{\"bomFormat\": {}}}", nested("[", "]", 200_000));
    assert!(refused(lists.as_bytes()).starts_with("it"));
    let components = |n: usize| {
        let inner = nested("[{\"name\":\"b\",\"components\":", "}]", n).replacen(":}", ":[]}", 1);
        let subject = "\"metadata\":{\"component\":{\"name\":\"a\"}}";
        format!("{{\"bomFormat\":\"CycloneDX\",{subject},\"components\":{inner}}}")
    };
    let found = refused(components(60_000).as_bytes());
    assert!(found.contains("recursion limit exceeded"), "{found}");
    let found = refused(components(40).as_bytes());
    assert!(found.contains("more than 32 deep"), "{found}");
    Importer::default().add("it", components(30).as_bytes()).expect("not too deep");
    let long = "n".repeat(2_000);
    let table = format!("cve,published\n{long},2026-01-05\n");
    assert!(refused(table.as_bytes()).contains("column cve: more than 1024 bytes"));
    let large = vec![b' '; usize::try_from(MAX_FILE_BYTES).expect("a size") + 1];
    assert!(refused(&large).contains("larger than 256 MiB"));
}

/// Whatever bytes come in, the answer is a refusal or an import, never a panic.
#[test]
fn damaged_files_never_panic() {
    let good = [
        r#"{"bomFormat":"CycloneDX","metadata":{"timestamp":"2026-01-05T00:00:00Z","component":{"name":"a","properties":[{"name":"x:org.opencontainers.image.base.name","value":"b"}]}},"components":[{"type":"library","name":"z","purl":"pkg:apk/w/z@1"}]}"#,
        r#"[{"id":"CVE-2026-1","published":"2026-01-05T00:00:00Z","modified":"2026-02-05T00:00:00Z","affected":[{"package":{"name":"z"},"ranges":[{"events":[{"introduced":"0"},{"fixed":"2"}]}]}]}]"#,
        "cve,published,fixed,package\nCVE-1,2026-01-05,2026-01-09,z\nCVE-2,2026-01-06T00:00:00Z,,z\n",
        "image,start,end,result\na,2026-01-05T00:00:00Z,2026-01-05T01:00:00Z,success\na,2026-01-05T00:00:00Z,,\n",
        r#"{"SchemaVersion":2,"CreatedAt":"2026-01-05T00:00:00Z","ArtifactName":"a","Results":[{"Vulnerabilities":[{"VulnerabilityID":"CVE-1","PkgName":"z","PublishedDate":"2026-01-01T00:00:00Z"}]}]}"#,
    ];
    let mut tried = 0;
    for text in good {
        for at in 0..text.len() {
            for byte in [b'"', b'{', b'9', b'-', 0xff] {
                let mut bytes = text.as_bytes().to_vec();
                bytes[at] = byte;
                let mut importer = Importer::default();
                if importer.add("it", &bytes).is_ok() {
                    let options = Options { futures: 3, ..Options::default() };
                    let _ = importer.finish(&options);
                }
                tried += 1;
            }
            let _ = Importer::default().add("it", &text.as_bytes()[..at]);
        }
    }
    assert!(tried > 3_000, "{tried}");
}

#[test]
fn nothing_to_begin_with_is_said() {
    let error = Importer::default().finish(&Options::default()).expect_err("nothing");
    assert!(error.to_string().contains("no instant is in any file"), "{error}");
    let mut importer = Importer::default();
    importer.add("it", b"cve,published\nCVE-1,2026-01-05\n").expect("a table");
    let options = Options { since_ms: Some(4_000_000_000_000), ..Options::default() };
    let error = importer.finish(&options).expect_err("empty");
    assert!(error.to_string().contains("--since must lie before --until"), "{error}");
}
