//! Cases from apk-package(5), and the laws of an order over generated versions.

use super::*;

/// A small fixed generator: the tests draw versions, and must draw the same ones every time.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn version(&mut self) -> String {
        let mut text = self.below(3).to_string();
        for _ in 0..self.below(3) {
            let zero = if self.below(5) == 0 { "0" } else { "" };
            text.push_str(&format!(".{zero}{}", self.below(12)));
        }
        if self.below(4) == 0 {
            text.push((b'a' + self.below(3) as u8) as char);
        }
        for _ in 0..self.below(3) {
            text.push('_');
            text.push_str(SUFFIXES[self.below(9) as usize]);
            if self.below(2) == 0 {
                text.push_str(&self.below(3).to_string());
            }
        }
        if self.below(6) == 0 {
            text.push_str(["~0a", "~b1"][self.below(2) as usize]);
        }
        if self.below(2) == 0 {
            text.push_str(&format!("-r{}", self.below(12)));
        }
        text
    }
}

#[test]
fn rising_sequence() {
    let rising = [
        "0.9",
        "1_alpha",
        "1_alpha1",
        "1_beta",
        "1_pre2",
        "1_rc1",
        "1_rc1-r1",
        "1_rc2",
        "1",
        "1-r0",
        "1-r1",
        "1-r10",
        "1_cvs",
        "1_git20250101",
        "1_p1",
        "1_p1-r1",
        "1a",
        "1b",
        "1.01",
        "1.1",
        "1.1.1",
        "1.2",
        "1.10",
        "2",
        "10",
    ];
    for (index, left) in rising.iter().enumerate() {
        assert!(is_valid(left), "{left}");
        for (other, right) in rising.iter().enumerate() {
            assert_eq!(compare(left, right), index.cmp(&other), "{left} against {right}");
        }
    }
}

#[test]
fn numbers_of_any_length() {
    let huge = "9".repeat(5000);
    assert_eq!(compare(&huge, &format!("1{huge}")), Ordering::Less);
    assert_eq!(compare("18446744073709551616", "18446744073709551615"), Ordering::Greater);
    assert_eq!(compare("1-r007", "1-r7"), Ordering::Equal);
}

#[test]
fn what_is_no_version() {
    let refused = [
        "", "a", ".1", "1.", "1..2", "1-", "1-r", "1-x1", "1_", "1_foo", "1_rc-", "1-r1-r2", "1ab",
        "1-r1_p1", "1 ", "1\n", "1~", "1~xyz", "v1", "1é", "1a2",
    ];
    for text in refused {
        assert!(!is_valid(text), "{text:?}");
        let _ = compare(text, "1");
        let _ = compare("1", text);
    }
}

#[test]
fn laws_of_an_order() {
    let mut draw = Draw(7);
    let versions: Vec<String> = (0..160).map(|_| draw.version()).collect();
    for left in &versions {
        assert!(is_valid(left), "{left}");
        assert_eq!(compare(left, left), Ordering::Equal);
        for right in &versions {
            assert_eq!(compare(left, right), compare(right, left).reverse(), "{left} {right}");
        }
    }
    let mut sorted = versions.clone();
    sorted.sort_by(|left, right| compare(left, right));
    for (index, left) in sorted.iter().enumerate() {
        for right in &sorted[index..] {
            assert!(compare(left, right).is_le(), "{left} should not be above {right}");
        }
    }
}

#[test]
fn a_later_revision_is_always_greater() {
    let mut draw = Draw(11);
    for _ in 0..500 {
        let version = draw.version();
        let bare = version.split("-r").next().unwrap();
        assert_eq!(compare(&format!("{bare}-r3"), &format!("{bare}-r11")), Ordering::Less);
        assert_eq!(compare(bare, &format!("{bare}-r0")), Ordering::Less, "{bare}");
    }
}
