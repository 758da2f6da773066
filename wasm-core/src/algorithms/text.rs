//! Shortening text, counted in code points as Python counts.
//!
//! The text arrives as UTF-8 in which lone surrogates may stand as three bytes each. A code point is
//! every byte that is not a continuation byte, so nothing here needs the text to be valid.

#![forbid(unsafe_code)]

use super::bytes::append;
use alloc::vec::Vec;

/// What stands for the part that was cut out.
pub const DOTS: &[u8] = b"...";

const fn starts_code_point(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

/// The number of code points.
pub fn count(text: &[u8]) -> usize {
    text.iter().filter(|&&b| starts_code_point(b)).count()
}

/// The byte offset at which code point number `index` starts; the length when there are no more.
fn offset(text: &[u8], index: usize) -> usize {
    // Most texts are ASCII, and that is found out eight bytes at a time.
    if text.get(..=index).is_some_and(<[u8]>::is_ascii) {
        return index;
    }
    text.iter().enumerate().filter(|&(_, &b)| starts_code_point(b)).nth(index).map_or(text.len(), |(at, _)| at)
}

/// The byte offset at which the last `count` code points start; 0 when there are not so many.
fn offset_from_end(text: &[u8], count: usize) -> usize {
    if count == 0 {
        return text.len();
    }
    text.iter().enumerate().rev().filter(|&(_, &b)| starts_code_point(b)).nth(count - 1).map_or(0, |(at, _)| at)
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
    // A text has at least as many bytes as code points, so most short ones need no counting.
    let short = text.len() as i64 <= max_length || max_length >= 0 && offset(text, max_length as usize) == text.len();
    if short {
        append(out, text);
    } else if middle {
        truncate_middle(text, max_length, out);
    } else {
        append(out, &text[..end_cut(text, max_length)]);
        out.extend_from_slice(DOTS);
    }
}

fn truncate_middle(text: &[u8], max_length: i64, out: &mut Vec<u8>) {
    if max_length <= DOTS.len() as i64 {
        out.extend_from_slice(DOTS);
        return;
    }
    let kept = max_length as usize - DOTS.len();
    let last = kept / 2;
    append(out, &text[..offset(text, kept - last)]);
    out.extend_from_slice(DOTS);
    append(out, &text[offset_from_end(text, last)..]);
}

/// The byte offset at which the kept part ends, in a text longer than `max_length`.
fn end_cut(text: &[u8], max_length: i64) -> usize {
    let Ok(wanted) = usize::try_from(max_length) else {
        let first_word = &text[..memchr::memchr(b' ', text).unwrap_or(text.len())];
        return slice_end(first_word, max_length);
    };
    // The letters among the first `wanted` code points need no looking at one by one when they are ASCII.
    let known = if text[..wanted].is_ascii() { wanted } else { 0 };
    let mut letters = known - memchr::memchr_iter(b' ', &text[..known]).count();
    let mut points = known;
    // The blank before the word under way; for the first word that is the start of the text.
    let mut word_end = memchr::memrchr(b' ', &text[..known]).unwrap_or(0);
    // Where `wanted` code points end.
    let mut least = text.len();
    for (at, &byte) in text.iter().enumerate().skip(known) {
        if !starts_code_point(byte) {
            continue;
        }
        if points == wanted {
            least = at;
        }
        if letters == wanted && points >= wanted {
            break;
        }
        points += 1;
        if byte == b' ' {
            // Once the letters are there, later blanks end no word that counts.
            if letters < wanted {
                word_end = at;
            }
        } else {
            letters += 1;
        }
    }
    word_end.max(least)
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
