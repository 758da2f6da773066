//! Shortening text, counted in code points as Python counts.
//!
//! The text arrives as UTF-8 in which lone surrogates may stand as three bytes each. A code point is
//! every byte that is not a continuation byte, so nothing here needs the text to be valid.

#![forbid(unsafe_code)]

use alloc::vec::Vec;

const DOTS: &[u8] = b"...";

const fn starts_code_point(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

/// The number of code points.
pub fn count(text: &[u8]) -> usize {
    text.iter().filter(|&&b| starts_code_point(b)).count()
}

/// The byte offset at which code point number `index` starts; the length when there are no more.
fn offset(text: &[u8], index: usize) -> usize {
    text.iter().enumerate().filter(|&(_, &b)| starts_code_point(b)).nth(index).map_or(text.len(), |(at, _)| at)
}

/// Where Python's `text[:end]` ends, in bytes: a negative `end` counts from the text's end.
fn slice_end(text: &[u8], end: i64) -> usize {
    if end >= 0 {
        return offset(text, usize::try_from(end).unwrap_or(usize::MAX));
    }
    let kept = (count(text) as i64).saturating_add(end);
    usize::try_from(kept).map_or(0, |kept| offset(text, kept))
}

/// Shortens `text` to about `max_length` code points, at a word's end or in the middle.
///
/// At the end: words are kept until the letters of the words, blanks not counted, reach `max_length`; what
/// is kept is everything before the word that reaches it, or the first `max_length` code points where that
/// is more. Then come three dots, beyond `max_length`. In the middle the dots count.
pub fn truncate(text: &[u8], max_length: i64, middle: bool, out: &mut Vec<u8>) {
    let length = count(text) as i64;
    if length <= max_length {
        out.extend_from_slice(text);
    } else if middle {
        truncate_middle(text, length, max_length, out);
    } else {
        out.extend_from_slice(&text[..end_cut(text, max_length)]);
        out.extend_from_slice(DOTS);
    }
}

fn truncate_middle(text: &[u8], length: i64, max_length: i64, out: &mut Vec<u8>) {
    if max_length <= 3 {
        out.extend_from_slice(DOTS);
        return;
    }
    let kept = max_length - 3;
    let last = kept / 2;
    let first = kept - last;
    out.extend_from_slice(&text[..offset(text, first as usize)]);
    out.extend_from_slice(DOTS);
    out.extend_from_slice(&text[offset(text, (length - last) as usize)..]);
}

/// The byte offset at which the kept part ends.
fn end_cut(text: &[u8], max_length: i64) -> usize {
    let first_word = &text[..text.iter().position(|&b| b == b' ').unwrap_or(text.len())];
    if max_length < 0 || count(first_word) as i64 > max_length {
        return slice_end(first_word, max_length);
    }
    let mut letters = 0i64;
    // The blank before the word under way; for the first word that is the start of the text.
    let mut word_end = 0usize;
    for (at, &byte) in text.iter().enumerate() {
        if letters >= max_length {
            break;
        }
        if byte == b' ' {
            word_end = at;
        } else if starts_code_point(byte) {
            letters += 1;
        }
    }
    word_end.max(offset(text, max_length as usize))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn end(text: &str, max_length: i64) -> String {
        let mut out = Vec::new();
        truncate(text.as_bytes(), max_length, false, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn middle(text: &str, max_length: i64) -> String {
        let mut out = Vec::new();
        truncate(text.as_bytes(), max_length, true, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn short_text_is_kept() {
        assert_eq!(end("abc", 3), "abc");
        assert_eq!(middle("abc", 3), "abc");
        assert_eq!(end("", 0), "");
    }

    #[test]
    fn code_points_count_not_bytes() {
        assert_eq!(end("クラスタ名がとても長い", 8), "クラスタ名がとて...");
        assert_eq!(middle("クラスタ名がとても長い", 8), "クラス...長い");
        assert_eq!(end("👨‍👩‍👧 family", 3), "👨‍👩...");
        assert_eq!(middle("région-eu-ouest-zone-1", 20), "région-eu...t-zone-1");
    }

    #[test]
    fn middle_never_exceeds_the_length() {
        let got: Vec<String> = (0..8).map(|n| middle("0123456789", n)).collect();
        assert_eq!(got, ["...", "...", "...", "...", "0...", "0...9", "01...9", "01...89"]);
    }

    #[test]
    fn the_end_cut_respects_words() {
        let line = "sky launch -c dev task.yaml";
        assert_eq!(end(line, 3), "sky...");
        assert_eq!(end(line, 10), "sky launch...");
        assert_eq!(end(line, 11), "sky launch ...");
        assert_eq!(end(line, 12), "sky launch -c...");
        assert_eq!(end(line, 20), "sky launch -c dev ta...");
        assert_eq!(end("one two three", 7), "one two...");
    }

    #[test]
    fn blanks_do_not_count() {
        assert_eq!(end("a  b  c  d  e", 6), "a  b  c  d ...");
        assert_eq!(end("  leading spaces here", 5), "  lea...");
        assert_eq!(end("a b c d e f g h i j", 10), "a b c d e f g h i...");
    }

    #[test]
    fn zero_and_negative_lengths() {
        assert_eq!(end("0123456789", 0), "...");
        assert_eq!(end("abc", -1), "ab...");
        assert_eq!(end("abc", -9), "...");
        assert_eq!(end("abc", i64::MIN), "...");
        assert_eq!(end("", -1), "...");
        assert_eq!(middle("abc", -1), "...");
    }

    #[test]
    fn lone_surrogates_are_one_code_point() {
        let text = b"\xed\xa0\x80".repeat(50);
        let mut out = Vec::new();
        truncate(&text, 35, false, &mut out);
        assert_eq!(out.len(), 35 * 3 + 3);
        assert_eq!(count(&text), 50);
    }

    #[test]
    fn words_agree_with_splitting() {
        // The slow and obvious form: split at blanks and add up.
        fn naive(text: &str, max: usize) -> String {
            let chars: Vec<char> = text.chars().collect();
            if chars.len() <= max {
                return String::from(text);
            }
            let words: Vec<&str> = text.split(' ').collect();
            let mut letters = 0;
            let mut index = 0;
            for (i, word) in words.iter().enumerate() {
                index = i;
                letters += word.chars().count();
                if letters >= max {
                    break;
                }
            }
            let kept = words[..index].join(" ").chars().count().max(max);
            let mut cut: String = chars[..kept.min(chars.len())].iter().collect();
            cut.push_str("...");
            cut
        }
        let mut seed = 7u32;
        for _ in 0..5000 {
            let text: String = (0..30)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    [' ', 'a', 'é', '長', ' ', 'b'][(seed >> 16) as usize % 6]
                })
                .collect();
            let max = (seed >> 8) as usize % 34;
            let first = text.split(' ').next().unwrap().chars().count();
            if first <= max {
                assert_eq!(end(&text, max as i64), naive(&text, max), "{text:?} {max}");
            }
        }
    }
}
