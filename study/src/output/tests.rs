//! Whatever the result, its outputs are whole, and nothing in them steers their reader.
use super::{fixture, html, text};
use crate::result::StudyResult;

fn all() -> Vec<StudyResult> {
    let odd = [fixture::empty(0), fixture::empty(1), fixture::many(), fixture::hostile()];
    std::iter::once(fixture::realistic()).chain(odd).collect()
}

/// Every tag is closed in its order, every attribute quoted, every `&` an entity.
fn check_tags(page: &str) {
    let body = page.split_once("<body>").expect("a body").1;
    let body = body.split_once("</body>").expect("the body's end").0;
    let mut open: Vec<&str> = Vec::new();
    for part in body.split('<').skip(1) {
        let (tag, words) = part.split_once('>').expect("a tag ends");
        assert!(!words.contains('>'), "a bare > in {part}");
        assert_eq!(tag.matches('"').count() % 2, 0, "quotes in <{tag}>");
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or("");
        assert!(name != "script", "a script");
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "closed out of order");
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new(), "never closed");
    for entity in page.split('&').skip(1) {
        let known = ["amp;", "lt;", "gt;", "quot;", "#39;"];
        assert!(known.iter().any(|it| entity.starts_with(it)), "a bare & before {entity:.20}");
    }
}

#[test]
fn pages_are_well_formed_and_need_nothing_else() {
    for result in all() {
        let page = html(&result);
        check_tags(&page);
        for outside in ["http:", "https:", "url(", "src=", "href=", "@import", "\u{1b}", "NaN"] {
            assert!(!page.contains(outside), "{outside} in the report of {:?}", result.name);
        }
        assert_eq!(page, html(&result));
    }
}

#[test]
fn tables_keep_to_the_width_of_the_terminal() {
    for result in all() {
        for width in [40, 80, 200] {
            let text = text(&result, width);
            let steers = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
            assert!(!text.contains(steers));
            let longest = text.lines().map(super::printable::columns).max().unwrap_or(0);
            assert!(width < 80 || longest <= width, "{longest} of {width} columns:\n{text}");
        }
    }
}
