//! One tenant asks for everything of another: on every operation of the specification, in paths,
//! filters and bodies, in every role. The answer is always the one for resources that do not
//! exist; nothing of the other tenant is shown, and nothing of it changes.
use super::probes::{Names, in_body, in_path, in_query, of_nobody};
use super::tenants::{ACME, GLOBEX, NOBODY, Tenant, add_catalogue};
use crate::operations::{self, Operation};
use crate::snapshot;
use crate::support::{Answer, Api};
use api::auth::Role;
use reqwest::Method;
use serde_json::Value;
use std::time::Duration;

/// How long a test waits for something that must happen.
const LIMIT: Duration = Duration::from_secs(60);

/// A request.
#[derive(Clone)]
struct Ask {
    method: Method,
    target: String,
    body: Option<Value>,
}

/// The same request for something of a tenant, and for nothing.
struct Pair {
    theirs: Ask,
    nobodys: Ask,
    /// What stands in the first where the second has something else.
    named: Vec<(String, String)>,
}

/// The ways to name a thing in one place of an operation.
struct Group {
    what: String,
    in_path: bool,
    /// Whether the thing is a tenant's own, so that its owner gets something else than nothing.
    owned: bool,
    pairs: Vec<Pair>,
}

/// A world with both tenants.
async fn world(name: &str, tenants: &[Tenant]) -> Api {
    let api = Api::start(name).await;
    add_catalogue(&api).await;
    for tenant in tenants {
        tenant.add(&api).await;
    }
    api
}

/// The operations that a role may call; none: those for which no token is needed.
fn open_to(role: Option<Role>) -> Vec<Operation> {
    let mut all = operations::all();
    all.retain(|operation| match (&operation.roles, role) {
        (Some(roles), Some(role)) => roles.iter().any(|may| may == role.as_str()),
        (roles, role) => roles.is_none() && role.is_none(),
    });
    // It never ends, and is watched by itself.
    all.retain(|operation| operation.id != "watchEvents");
    all
}

const ROLES: [Option<Role>; 4] =
    [None, Some(Role::Viewer), Some(Role::Editor), Some(Role::Orchestrator)];

/// A request with what the operation needs, all of it the asking tenant's own.
fn own(operation: &Operation, asks: &Tenant) -> Ask {
    ask(operation, &own_path(operation, asks), &[], None, asks)
}

fn own_path(operation: &Operation, asks: &Tenant) -> Vec<String> {
    let own = |place: &&str| match in_path(place) {
        Names::Owned(of) | Names::Shared(of) => of(asks).remove(0),
        Names::Nothing(value) => value.to_owned(),
    };
    operation.places().iter().map(own).collect()
}

fn ask(
    operation: &Operation,
    path: &[String],
    query: &[(&str, &str)],
    body: Option<Value>,
    asks: &Tenant,
) -> Ask {
    let mut query: Vec<_> =
        query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    for parameter in operation.given_in("query").filter(|parameter| parameter.required) {
        if query.iter().all(|(name, _)| *name != parameter.name) {
            let value = match in_query(&operation.id, &parameter.name) {
                Names::Owned(of) | Names::Shared(of) => of(asks).remove(0),
                Names::Nothing(value) => value.to_owned(),
            };
            query.push((parameter.name.clone(), value));
        }
    }
    let query: Vec<_> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let path = operation.at(path);
    let target = if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) };
    let body = body.or_else(|| operation.body.clone());
    Ask { method: operation.method.clone(), target, body }
}

/// All ways to name something of `theirs` in an operation.
fn groups(operation: &Operation, asks: &Tenant, theirs: &Tenant) -> Vec<Group> {
    let mut all = in_paths(operation, asks, theirs);
    for parameter in operation.given_in("query") {
        let name = parameter.name.as_str();
        let path = own_path(operation, asks);
        let make = |value: &str| ask(operation, &path, &[(name, value)], None, asks);
        all.extend(group(operation, name, &in_query(&operation.id, name), theirs, make));
    }
    for field in &operation.fields {
        let Some((names, body)) = in_body(&operation.id, field) else { continue };
        let path = own_path(operation, asks);
        let make = |value: &str| ask(operation, &path, &[], Some(body(asks, value)), asks);
        all.extend(group(operation, field, &names, theirs, make));
    }
    all
}

fn in_paths(operation: &Operation, asks: &Tenant, theirs: &Tenant) -> Vec<Group> {
    let mut all = Vec::new();
    for (place, name) in operation.places().iter().enumerate() {
        let make = |value: &str| {
            let mut path = own_path(operation, asks);
            value.clone_into(&mut path[place]);
            ask(operation, &path, &[], None, asks)
        };
        let group = group(operation, name, &in_path(name), theirs, make);
        all.extend(group.map(|group| Group { in_path: true, ..group }));
    }
    all
}

fn group(
    operation: &Operation,
    name: &str,
    names: &Names,
    theirs: &Tenant,
    make: impl Fn(&str) -> Ask,
) -> Option<Group> {
    let (Names::Owned(of) | Names::Shared(of)) = names else { return None };
    let values = of(theirs).into_iter().zip(of_nobody(names));
    // What all see of a thing names others that go with it.
    let shared = matches!(names, Names::Shared(_));
    let beside = [(theirs.cve(), NOBODY.cve()), (theirs.package(), NOBODY.package())];
    let pair = |(value, nobody): (String, String)| Pair {
        theirs: make(&value),
        nobodys: make(&nobody),
        named: beside.iter().filter(|_| shared).cloned().chain([(value, nobody)]).collect(),
    };
    Some(Group {
        what: format!("{}, {name}", operation.id),
        in_path: false,
        owned: matches!(names, Names::Owned(_)),
        pairs: values.map(pair).collect(),
    })
}

async fn send(api: &Api, token: Option<&str>, ask: &Ask) -> Answer {
    let mut request = api.anonymous(ask.method.clone(), &ask.target);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if let Some(body) = &ask.body {
        request = request.json(body);
    }
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert!(answer.status.as_u16() < 500, "{} {}: {}", ask.method, ask.target, answer.text);
    answer
}

/// What an answer says, apart from the names that stood in the request and from its own id.
fn said(answer: &Answer, named: &[(String, String)]) -> (u16, String, Value) {
    let named = named.iter();
    let text = named.fold(answer.text.clone(), |text, (value, nobody)| swap(&text, value, nobody));
    let mut body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    if let Some(fields) = body.as_object_mut() {
        fields.remove("request_id");
    }
    (answer.status.as_u16(), answer.header("content-type").to_owned(), body)
}

/// Puts one name in the place of another, where that is not a part of something longer.
fn swap(text: &str, value: &str, nobody: &str) -> String {
    let mut swapped = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(value) {
        let (before, after) = (&rest[..at], &rest[at + value.len()..]);
        let inside = before.chars().next_back().or(swapped.chars().next_back().filter(|_| at == 0));
        let whole = !inside.is_some_and(char::is_alphanumeric)
            && !after.chars().next().is_some_and(char::is_alphanumeric);
        swapped.push_str(before);
        swapped.push_str(if whole { nobody } else { value });
        rest = after;
    }
    swapped + rest
}

#[track_caller]
fn tells_nothing(what: &str, answer: &Answer) {
    let headers = format!("{:?}", answer.headers);
    for secret in ACME.secrets() {
        let told = answer.text.contains(&secret) || headers.contains(&secret);
        assert!(!told, "{what} tells {secret}: {headers} {}", answer.text);
    }
}

/// A token of the tenant for a role; none for nobody's.
async fn token(api: &Api, role: Option<Role>, tenant: &Tenant) -> Option<String> {
    match role {
        Some(role) => Some(api.sign_in(role, Some(tenant.name)).await),
        None => None,
    }
}

#[tokio::test]
async fn another_tenants_resources_look_absent() {
    let api = world("tenancy_walk", &[GLOBEX, ACME]).await;
    let mut callers = Vec::new();
    for role in ROLES {
        callers.push((role, token(&api, role, &GLOBEX).await, token(&api, role, &ACME).await));
    }
    // Every row that is the other's, and every row that is nobody's.
    let before = snapshot::hashes(&api.pool, Some(ACME.name)).await;
    // What the caller does with its own, before its refusals say what it asked for.
    for (role, asking, _) in &callers {
        for operation in open_to(*role) {
            let answer = send(&api, asking.as_deref(), &own(&operation, &GLOBEX)).await;
            tells_nothing(&operation.id, &answer);
        }
    }
    let mut asked = 0;
    for (role, asking, _) in &callers {
        for group in open_to(*role).iter().flat_map(|one| groups(one, &GLOBEX, &ACME)) {
            asked += group.pairs.len();
            nothing_is_found(&api, asking.as_deref(), &group).await;
        }
    }
    assert!(asked > 200, "{asked}");
    let after = snapshot::hashes(&api.pool, Some(ACME.name)).await;
    assert_eq!(before, after, "rows of the other tenant have changed");
    for (role, _, owner) in &callers {
        owner_finds(&api, owner.as_deref(), open_to(*role)).await;
    }
}

/// Who asks gets the answer for what is not there.
async fn nothing_is_found(api: &Api, asking: Option<&str>, group: &Group) {
    for pair in &group.pairs {
        let what = format!("{}: {} {}", group.what, pair.theirs.method, pair.theirs.target);
        let theirs = send(api, asking, &pair.theirs).await;
        let nobodys = send(api, asking, &pair.nobodys).await;
        assert_eq!(said(&theirs, &pair.named), said(&nobodys, &[]), "{what}");
        tells_nothing(&what, &nobodys);
        if group.in_path && group.owned {
            assert_eq!(theirs.status, 404, "{what}: {}", theirs.text);
        }
        if let Some(total) = nobodys.status.is_success().then(|| nobodys.json()) {
            let found = &total["items"];
            assert!(!group.owned || found == &serde_json::json!([]), "{what}: {}", nobodys.text);
        }
    }
}

/// The owner gets something else: what was asked for is there. Reading comes first.
async fn owner_finds(api: &Api, owner: Option<&str>, mut operations: Vec<Operation>) {
    operations.sort_by_key(|operation| {
        [Method::GET, Method::POST, Method::PATCH, Method::DELETE]
            .iter()
            .position(|method| *method == operation.method)
    });
    for operation in &operations {
        for group in groups(operation, &ACME, &ACME) {
            let mut finds = Vec::new();
            for pair in &group.pairs {
                let theirs = send(api, owner, &pair.theirs).await;
                let nobodys = send(api, owner, &pair.nobodys).await;
                finds.push(said(&theirs, &pair.named) != said(&nobodys, &[]));
            }
            let each = operation.is_get() && group.in_path;
            let found = if each { !finds.contains(&false) } else { finds.contains(&true) };
            assert!(!group.owned || found, "{}: the owner finds {finds:?}", group.what);
        }
    }
}

/// What one tenant is told is the same whether another is there or not: no count, no place in an
/// order, no number gives it away.
#[tokio::test]
async fn no_answer_reveals_that_another_tenant_exists() {
    let alone = world("tenancy_alone", &[GLOBEX]).await;
    let beside = world("tenancy_beside", &[GLOBEX, ACME]).await;
    // The logs are public: how large they are, their roots, and so their proofs.
    let public = ["getInclusionProof", "getConsistencyProof"];
    // Each names the caller's own key, which is another one in each world.
    let callers_own = ["whoAmI"];
    for role in [Role::Viewer, Role::Orchestrator] {
        let first = alone.sign_in(role, Some(GLOBEX.name)).await;
        let second = beside.sign_in(role, Some(GLOBEX.name)).await;
        for operation in open_to(Some(role)) {
            if !operation.is_get()
                || [public.as_slice(), &callers_own].concat().contains(&&*operation.id)
            {
                continue;
            }
            let ask = own(&operation, &GLOBEX);
            let mut answers = Vec::new();
            for (api, token) in [(&alone, &first), (&beside, &second)] {
                let (status, kind, body) = said(&send(api, Some(token), &ask).await, &[]);
                answers.push((status, kind, without_wall_clock(body)));
            }
            assert_eq!(answers[0], answers[1], "{}", operation.id);
        }
    }
}

/// Fields of the real clock differ between any two worlds.
fn without_wall_clock(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            fields.retain(|name, _| !name.ends_with("_wall"));
            for field in fields.values_mut() {
                *field = without_wall_clock(field.take());
            }
        }
        Value::Array(items) => {
            for item in items {
                *item = without_wall_clock(item.take());
            }
        }
        _ => {}
    }
    value
}

#[tokio::test]
async fn a_stream_shows_nothing_of_another_tenant() {
    let api = world("tenancy_stream", &[GLOBEX, ACME]).await;
    // Events come in their order: who has received this one will receive none of before.
    let last = "INSERT INTO timeline (seq, at, kind, tenant_namespace, data)
                VALUES (772000, '2026-01-12T05:00Z', 'test', 'catalogue', '{}');
                UPDATE world SET released_seq = 772000, materialized_seq = 772000";
    sqlx::raw_sql(last).execute(&api.pool).await.unwrap();
    let since = |who: &Tenant| {
        let who = who.name;
        let api = &api;
        async move {
            let token = api.sign_in(Role::Viewer, Some(who)).await;
            let request = api.anonymous(Method::GET, "/v1/events").bearer_auth(token);
            let last = format!("{}{}", crate::events::prefix(api).await, ACME.number - 1);
            let mut response = request.header("Last-Event-ID", last).send().await.unwrap();
            let mut told = String::new();
            while !told.contains("772000") {
                let chunk = tokio::time::timeout(LIMIT, response.chunk()).await;
                let chunk = chunk.unwrap_or_else(|_| panic!("no event came after {told}"));
                let chunk = chunk.unwrap().expect("an open stream");
                told.push_str(std::str::from_utf8(&chunk).unwrap());
            }
            told
        }
    };
    let (theirs, own) = tokio::join!(since(&ACME), since(&GLOBEX));
    assert!(theirs.contains(&ACME.image()), "{theirs}");
    assert!(own.contains(&GLOBEX.image()), "{own}");
    for secret in ACME.secrets() {
        assert!(!own.contains(&secret), "{secret}: {own}");
    }
    for nobody in NOBODY.secrets() {
        assert!(!theirs.contains(&nobody), "{nobody}");
    }
}
