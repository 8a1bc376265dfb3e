//! Texts that others wrote, for a terminal or a page: nothing in them may steer either.

/// The text without what moves a cursor, changes colours or turns the direction of writing; line
/// feeds and tabs become spaces.
pub(super) fn line(text: &str) -> String {
    text.chars().map(|c| if matches!(c, '\n' | '\t' | '\r') { ' ' } else { shown(c) }).collect()
}

/// The same of a text of many lines, which keeps line feeds and tabs.
pub(super) fn lines(text: &str) -> String {
    let unix = text.replace("\r\n", "\n");
    unix.chars().map(|c| if matches!(c, '\n' | '\t') { c } else { shown(c) }).collect()
}

/// The character, or the replacement character for what is not one to be looked at.
fn shown(c: char) -> char {
    let steers = c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}');
    if steers { '\u{fffd}' } else { c }
}

/// Columns of a terminal that a text takes: two for wide East Asian letters and pictures, none for
/// marks that join the letter before.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(column).sum()
}

/// Columns of a character.
pub(super) fn column(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036f | 0x200b..=0x200d | 0x20d0..=0x20ff | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// The text in at most so many characters: what does not fit is left out of the middle, for arms of a
/// grid begin and end differently.
pub(super) fn elided(text: &str, most: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= most {
        return text.to_owned();
    }
    let left = most.saturating_sub(1).div_ceil(2);
    let right = most.saturating_sub(1) - left;
    let head: String = chars[..left].iter().collect();
    let tail: String = chars[chars.len() - right..].iter().collect();
    format!("{head}\u{2026}{tail}")
}
