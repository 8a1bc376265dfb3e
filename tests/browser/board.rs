//! The pages of CVEs, service levels, customers, logs, scenarios and keys.
use crate::driver::Browser;
use crate::support::{Api, customers};
use api::auth::Role;
use documents::merkle::{Tree, leaf_hash};
use serde_json::{Value, json};

async fn signed_in(api: &Api, path: &str, role: Role) -> Browser {
    let browser = Browser::open(api, path).await;
    browser.sign_in(&api.key(role, None).await.reveal()).await;
    browser.wait("!document.getElementById('key')").await;
    browser.settle().await;
    browser
}

#[tokio::test]
async fn a_cve_is_followed_to_the_customer_that_was_breached() {
    let api = Api::start("web_cve").await;
    customers::add(&api.pool).await;
    let browser = Browser::signed_in(&api, "/ui/images", None).await;
    browser.click("nav a[href='/ui/advisories']").await;
    browser.wait("document.querySelectorAll('tbody tr').length === 2").await;
    let row = browser.text("tbody tr:nth-child(1)").await;
    for shown in ["CVE-2026-0000002", "low 2.5", "none yet"] {
        assert!(row.contains(shown), "{shown} in {row}");
    }
    browser.fill("#filter-q", "0000001").await;
    browser.wait("document.querySelectorAll('tbody tr').length === 1").await;
    browser.click("tbody th a").await;
    browser.wait("document.querySelectorAll('svg.story').length === 2").await;
    // Found at 01:00, half an hour after the disclosure; the fix at 01:30; published at 02:30; gold
    // adopted it at 02:40, pin never did.
    let story =
        "[...document.querySelectorAll('svg.story')].map(e => e.getAttribute('aria-label'))";
    let told = browser.eval(story).await;
    let told: Vec<&str> = told.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let gold = told.iter().find(|text| text.ends_with("closed")).expect("gold");
    let pin = told.iter().find(|text| text.ends_with("still open")).expect("pin");
    for text in [gold, pin] {
        assert!(text.contains("found after 30 min, fix available after 1 h"), "{text}");
        assert!(text.contains("fixed image published after 2 h"), "{text}");
    }
    assert!(gold.contains("adopted after 2 h 10 min"), "{gold}");
    assert!(!pin.contains("adopted"), "{pin}");
    let row = "[...document.querySelectorAll('tr')].find(r => r.textContent.includes('Pin Two'))";
    let text = browser.eval(&format!("{row}.textContent")).await;
    assert!(text.as_str().unwrap().contains("overdue"), "{text}");

    browser.click("a[href='/ui/customers/pin-2']").await;
    browser.wait("document.querySelector('h1').textContent === 'Pin Two'").await;
    browser.settle().await;
    browser.sees("tbody", "CVE-2026-0000001").await;
    browser.click(".tabs a[href$='part=violations']").await;
    browser.settle().await;
    browser.sees("tbody", "still open").await;
    browser.click(".tabs a[href$='part=runs']").await;
    browser.settle().await;
    browser.sees("tbody", "1 behind the current one").await;
    browser.close().await;
}

#[tokio::test]
async fn the_board_says_what_was_kept_and_missed() {
    let api = Api::start("web_sla").await;
    customers::add(&api.pool).await;
    let browser = Browser::signed_in(&api, "/ui/sla", None).await;
    browser.settle().await;
    // Of the small world's timers: gold kept both clocks of the critical one; pin's provider kept,
    // pin itself missed; the low ones never had a deadline.
    let rows = "[...document.querySelectorAll('.panel:first-of-type tbody tr')]
        .map(r => [...r.querySelectorAll('th, td')].map(c => c.textContent).join('|'))";
    let rows = browser.eval(rows).await;
    let rows: Vec<&str> = rows.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let of = |clock: &str| {
        let found = rows.iter().find(|row| row.contains("critical") && row.contains(clock));
        *found.unwrap_or_else(|| panic!("{clock} in {rows:?}"))
    };
    assert!(of("provider clock").contains("Kept2"), "{rows:?}");
    assert!(of("provider clock").contains("100.0 %"), "{rows:?}");
    assert!(of("customer clock").contains("Missed1"), "{rows:?}");
    assert!(of("customer clock").contains("50.0 %"), "{rows:?}");
    browser.click(".panel:first-of-type td a[href*='clock=customer']").await;
    browser.wait("location.search.includes('part=timers')").await;
    browser.settle().await;
    browser.sees("tbody", "overdue by").await;
    browser.go("/ui/sla?part=timers&state=stopped").await;
    browser.settle().await;
    browser.sees("tbody", "adopted").await;
    browser.go("/ui/sla?part=policies").await;
    browser.settle().await;
    browser.sees("tbody", "nothing").await;
    // What was the past shows no breach.
    browser.go("/ui/sla?part=violations&as_of=2026-01-12T04:30:00Z").await;
    browser.settle().await;
    browser.sees(".empty", "No promise of that kind was missed").await;
    browser.close().await;
}

/// Every proof of every tree up to 17 leaves holds in the browser, and none with one bit changed.
#[tokio::test]
async fn the_browser_verifies_proofs_as_the_log_makes_them() {
    let api = Api::start("web_merkle").await;
    let browser = Browser::open(&api, "/ui/sign-in").await;
    let leaves: Vec<_> = (0_u8..17).map(|leaf| leaf_hash(&[leaf])).collect();
    let tree = Tree::from_leaf_hashes(leaves.iter().copied());
    let root = |size: u64| hex::encode(tree.root(size).unwrap());
    let all = |hashes: Vec<[u8; 32]>| hashes.iter().map(hex::encode).collect::<Vec<_>>();
    let (mut inclusions, mut consistencies) = (Vec::new(), Vec::new());
    for size in 1..=17_u64 {
        for index in 0..size {
            let hashes = all(tree.inclusion_proof(index, size).unwrap());
            let leaf = hex::encode(leaves[usize::try_from(index).unwrap()]);
            inclusions.push(json!([leaf, index, size, hashes, root(size)]));
        }
        for old in 1..=size {
            let hashes = all(tree.consistency_proof(old, size).unwrap());
            consistencies.push(json!([old, size, root(old), root(size), hashes]));
        }
    }
    let (inclusions, consistencies) = (json!(inclusions), json!(consistencies));
    let script = format!(
        "const done = arguments[arguments.length - 1];
         import('/assets/lib/merkle.js').then(async (m) => {{
           const bytes = (all) => all.map(m.fromHex);
           const flipped = (hashes) => hashes.map((each, at) =>
             at === hashes.length - 1 ? each.replace(/.$/, (c) => (c === '0' ? '1' : '0')) : each);
           const wrong = [];
           for (const [leaf, index, size, hashes, root] of {inclusions}) {{
             const rootOf = async (list) => {{
               const made = await m.rootOfInclusion(m.fromHex(leaf), index, size, bytes(list));
               return made && m.toHex(made);
             }};
             if (await rootOf(hashes) !== root) wrong.push(['inclusion', index, size]);
             const bad = hashes.length > 0 ? flipped(hashes) : [root];
             if (await rootOf(bad) === root) wrong.push(['bad inclusion', index, size]);
             if (await rootOf([...hashes, root]) === root) wrong.push(['longer', index, size]);
           }}
           for (const [old, size, first, second, hashes] of {consistencies}) {{
             const holds = async (list) => {{
               const made = await m.rootsOfConsistency(old, size, m.fromHex(first), bytes(list));
               return made !== null && m.toHex(made[0]) === first && m.toHex(made[1]) === second;
             }};
             if (!(await holds(hashes))) wrong.push(['consistency', old, size]);
             const bad = hashes.length > 0 ? flipped(hashes) : [first];
             if (await holds(bad)) wrong.push(['bad consistency', old, size]);
           }}
           done(wrong);
         }}).catch((error) => done([String(error)]));"
    );
    assert_eq!(browser.run_async(&script).await, json!([]));
    browser.close().await;
}

#[tokio::test]
async fn a_scenario_is_checked_at_its_line_while_it_is_typed() {
    let api = Api::start("web_scenarios").await;
    let browser = signed_in(&api, "/ui/scenarios", Role::Admin).await;
    browser.click("a[href='/ui/scenarios/classroom']").await;
    browser.wait("document.getElementById('scenario-text')").await;
    browser.sees(".checked", "valid").await;
    let type_more = "const field = document.querySelector('textarea');
        field.value += '\\nfoo: 3\\n';
        field.dispatchEvent(new Event('input', { bubbles: true }));";
    browser.run(type_more).await;
    browser.sees(".checked .problem", "expected a known key, found `foo`").await;
    browser.click(".checked > button").await;
    let rest = "document.activeElement.value.slice(document.activeElement.selectionStart)";
    assert_eq!(browser.eval(rest).await, "foo: 3\n");
    browser.close().await;
}

#[tokio::test]
async fn keys_are_made_shown_once_and_revoked() {
    let api = Api::start("web_keys").await;
    let browser = signed_in(&api, "/ui/keys", Role::Admin).await;
    browser.fill("#key-name", "the newest").await;
    browser.click("#key-role option[value='viewer']").await;
    browser.click(".panel form button[type=submit]").await;
    browser.wait("document.querySelector('.secret')").await;
    let secret = browser.text(".secret").await;
    assert!(secret.starts_with("wt_"), "{secret}");
    browser.sees("tbody", "the newest").await;
    let token = api.post("/v1/auth/token", json!({"api_key": secret})).await;
    assert_eq!(token.json()["role"], "viewer", "{}", token.text);
    let row =
        "[...document.querySelectorAll('tbody tr')].find(r => r.textContent.includes('newest'))";
    let press = format!("{row}.querySelector('button').click()");
    browser.run(&press).await;
    browser.sees("tbody", "Revoke for good?").await;
    browser.run(&press).await;
    browser.wait(&format!("!{row}.querySelector('button')")).await;
    let token = api.post("/v1/auth/token", json!({"api_key": secret})).await;
    assert_eq!(token.status, 401, "{}", token.text);
    browser.close().await;
}

#[tokio::test]
async fn pages_of_admins_are_offered_to_nobody_else() {
    let api = Api::start("web_offered").await;
    let browser = Browser::signed_in(&api, "/ui/images", Some("gold-1")).await;
    let links = "[...document.querySelectorAll('nav[aria-label=Pages] a')].map(a => a.pathname)";
    let links = browser.eval(links).await;
    let links: Vec<&str> = links.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(links.contains(&"/ui/sla"), "{links:?}");
    for path in ["/ui/keys", "/ui/jobs", "/ui/studies"] {
        assert!(!links.contains(&path), "{path} in {links:?}");
    }
    for path in ["/ui/keys", "/ui/jobs"] {
        browser.go(path).await;
        browser.settle().await;
        browser.sees(".problem", "forbidden").await;
    }
    browser.close().await;
}
