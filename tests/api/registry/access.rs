//! Who may pull: tokens for API keys, everybody where the operator says so, and a tenant's images for that
//! tenant alone.
use super::repository::{Repository, assert_refused};
use crate::support::Answer;
use crate::tenancy::tenants::{ACME, GLOBEX, NOBODY, add_catalogue};
use api::Settings;
use api::auth::{ApiKey, Role};
use reqwest::Method;
use serde_json::Value;

async fn token_for(repository: &Repository, password: Option<&str>) -> Answer {
    let mut request = repository.request(Method::GET, "/v2/token?service=wavetank");
    if let Some(password) = password {
        request = request.basic_auth("anybody", Some(password));
    }
    Answer::of(request.send().await.unwrap()).await
}

fn token(answer: &Answer) -> String {
    let body: Value = answer.json();
    assert_eq!(body["token"], body["access_token"]);
    assert_eq!(answer.header("cache-control"), "no-store");
    body["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_api_key_is_the_password_for_a_token() {
    let repository = Repository::start("registry_login", Settings::default()).await;
    let latest = "/v2/nginx/manifests/latest";
    let refused = repository.get(latest).await;
    assert_refused(&refused, 401, "UNAUTHORIZED");
    assert!(refused.header("www-authenticate").ends_with(",scope=\"repository:nginx:pull\""));
    assert_refused(&token_for(&repository, None).await, 401, "UNAUTHORIZED");
    let wrong = ApiKey::generate().unwrap().reveal();
    for password in [wrong.as_str(), "", "wt_", "x:y"] {
        assert_refused(&token_for(&repository, Some(password)).await, 401, "UNAUTHORIZED");
    }
    for role in Role::ALL {
        let key = repository.api.key(role, None).await.reveal();
        let token = token(&token_for(&repository, Some(&key)).await);
        assert_eq!(repository.api.get_as(&token, latest).await.status, 200, "{role}");
        assert_eq!(repository.api.get_as(&token, "/v2/").await.status, 200, "{role}");
        // The key itself is no token.
        let answer = repository.api.get_as(&key, latest).await;
        assert_refused(&answer, 401, "UNAUTHORIZED");
        assert!(answer.header("www-authenticate").ends_with(",error=\"invalid_token\""));
    }
}

#[tokio::test]
async fn everybody_pulls_from_the_catalogue_where_the_operator_says_so() {
    let repository = Repository::open("registry_everybody").await;
    let token = token(&token_for(&repository, None).await);
    let trust = "/v2/wavetank/trust/manifests/latest";
    for path in ["/v2/", "/v2/nginx/manifests/latest", "/v2/_catalog", trust] {
        assert_eq!(repository.api.get_as(&token, path).await.status, 200, "{path}");
    }
    // It is good for nothing else.
    repository.api.get_as(&token, "/v1/images").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn an_image_of_another_tenant_is_not_there() {
    let repository = Repository::open("registry_tenants").await;
    let api = &repository.api;
    add_catalogue(api).await;
    ACME.add(api).await;
    GLOBEX.add(api).await;
    let own = api.sign_in(Role::Viewer, Some(ACME.name)).await;
    let other = api.sign_in(Role::Viewer, Some(GLOBEX.name)).await;
    let nobody = token(&token_for(&repository, None).await);
    let paths = |tenant: &crate::tenancy::tenants::Tenant| {
        let (image, digest) = (tenant.image(), tenant.digest("manifest"));
        [
            format!("/v2/{image}/tags/list"),
            format!("/v2/{image}/manifests/latest"),
            format!("/v2/{image}/manifests/{digest}"),
            format!("/v2/{image}/blobs/{}", tenant.digest("bundle")),
            format!("/v2/{image}/referrers/{digest}"),
            format!("/v2/as-of/20260112t030000z/{image}/tags/list"),
            format!("/v2/no-referrers-api/{image}/tags/list"),
            format!("/v2/tampered/{image}/referrers/{digest}"),
        ]
    };
    for (path, missing) in paths(&ACME).iter().zip(paths(&NOBODY)) {
        for token in [&other, &nobody] {
            let answer = api.get_as(token, path).await;
            assert_refused(&answer, 404, "NAME_UNKNOWN");
            // It says the same as of what nobody has.
            let nothing = api.get_as(token, &missing).await;
            let told = nothing.text.replace(NOBODY.name, ACME.name);
            assert_eq!((nothing.status, told), (answer.status, answer.text));
        }
        // Who says nothing of themselves is asked who they are, whatever the name.
        for path in [path, &missing] {
            assert_refused(&repository.get(path).await, 401, "UNAUTHORIZED");
        }
    }
    let tags = api.get_as(&own, &paths(&ACME)[0]).await.json();
    assert_eq!(tags["tags"][0], "latest");
    // (The row is there for its tenant; the small world has no such object.)
    let bundle = api.get_as(&own, &paths(&ACME)[3]).await;
    assert!(bundle.text.contains("It was made"), "{}", bundle.text);
    // By the digest, in a repository that one may see.
    for path in [
        format!("/v2/nginx/blobs/{}", ACME.digest("bundle")),
        format!("/v2/{}/blobs/{}", GLOBEX.image(), ACME.digest("bundle")),
    ] {
        assert_refused(&api.get_as(&other, &path).await, 404, "BLOB_UNKNOWN");
    }
    for (token, names) in [(&own, vec![ACME.name]), (&other, vec![GLOBEX.name]), (&nobody, vec![])]
    {
        let text = api.get_as(token, "/v2/_catalog").await.text;
        for tenant in [&ACME, &GLOBEX] {
            assert_eq!(text.contains(&tenant.image()), names.contains(&tenant.name), "{text}");
        }
    }
}
