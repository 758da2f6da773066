//! Batches: every layout, with holes in it, whole and damaged.

use skywasm_guest::testing::{self, Batch};
use skywasm_guest::wire::{
    FORM_COUNT_SHIFT, FORM_FIXED8, FORM_NULLS, FORM_OFFSETS_OUT, FORM_OFFSETS32, FORM_OFFSETS64, FORM_SEPARATOR_SHIFT,
};
use skywasm_guest::{Column, Error, Exported, Out, Results, Text, Work, export};

/// The text, `times` times; texts with an x are left, those with an L are too large.
fn echoed(text: Text<'_>, times: i64, mut out: Out<'_, Text<'_>>) -> Result<(), Error> {
    for _ in 0..times {
        out.extend_from_slice(&text);
    }
    match text.iter().find(|byte| b"xL".contains(byte)) {
        Some(b'x') => Err(Error::Input),
        Some(_) => Err(Error::Limit),
        None => Ok(()),
    }
}
export!(echoed(text, times, out), batch);

fn doubled(number: i64) -> Result<i64, Error> {
    number.checked_mul(2).ok_or(Error::Input)
}
export!(doubled(number), batch);

fn positive(number: f64) -> bool {
    number > 0.0
}
export!(positive(number), batch);

fn letters(text: &str) -> u32 {
    text.chars().count() as u32
}
export!(letters(text), batch);

fn rarely(data: &[u8]) -> Work<Vec<u8>> {
    if data.len() < 3 { Work::Done(data.to_vec()) } else { Work::later(async { Ok(Vec::new()) }) }
}
export!(rarely(data), batch);

fn joined(text: Text<'_>, mark: i64, more: bool, mut out: Out<'_, str>) {
    out.push(mark as u8);
    out.extend_from_slice(&text[..usize::from(more).min(text.len())]);
}
export!(joined(text, mark, more, out), batch = all_joined(mark, more));

fn all_joined(items: &mut Column<'_>, mark: i64, more: bool, results: &mut Results) -> Result<(), Error> {
    for item in items {
        let start = results.mark();
        match item? {
            Some(text) => {
                let outcome = if text == b"x" { Err(Error::Input) } else { Ok(()) };
                joined(Text(text), mark, more, Out::new(results.output()));
                results.end(start, outcome)?;
            }
            None => results.missing()?,
        }
    }
    Ok(())
}

const COMMA: i64 = (b',' as i64) << FORM_SEPARATOR_SHIFT;

fn count(count: usize) -> i64 {
    (count as i64) << FORM_COUNT_SHIFT
}

fn bits(there: &[bool]) -> Vec<u8> {
    let mut bits = vec![0; there.len().div_ceil(64) * 8];
    for (at, _) in there.iter().enumerate().filter(|(_, there)| **there) {
        bits[at / 8] |= 1 << (at % 8);
    }
    bits
}

fn offsets(items: &[&[u8]]) -> Vec<usize> {
    let mut ends = vec![0];
    for item in items {
        ends.push(ends[ends.len() - 1] + item.len());
    }
    ends
}

/// The same items in all three layouts, with a bitmap and without.
fn forms(items: &[&[u8]], there: Option<&[bool]>) -> Vec<(Vec<u8>, i64)> {
    let bitmap = there.map(bits).unwrap_or_default();
    let nulls = if there.is_some() { FORM_NULLS } else { 0 };
    let narrow: Vec<u8> = offsets(items).iter().flat_map(|&at| (at as u32).to_le_bytes()).collect();
    let wide: Vec<u8> = offsets(items).iter().flat_map(|&at| (at as u64).to_le_bytes()).collect();
    let (number, data) = (nulls | count(items.len()) | COMMA, items.concat());
    vec![
        ([&bitmap[..], &items.join(&b',')].concat(), number),
        ([&narrow[..], &bitmap, &data].concat(), number | FORM_OFFSETS32),
        ([&wide[..], &bitmap, &data].concat(), number | FORM_OFFSETS64),
    ]
}

fn fixed(numbers: &[i64]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

#[test]
fn all_layouts_give_the_same() {
    let items: [&[u8]; 6] = [b"a", b"", b"axb", b"\xff\x00", b"", b"longer than a word of eight bytes"];
    let there = [true, true, true, true, false, true];
    for (there, left) in [(None, vec![2]), (Some(&there[..]), vec![2])] {
        for (input, form) in forms(&items, there) {
            let got = testing::batch::<echoed>(&input, form, &[2]).unwrap();
            let long = b"longer than a word of eight byteslonger than a word of eight bytes";
            assert_eq!(got.output, [&b"aa,,,\xff\x00\xff\x00,,"[..], long].concat());
            assert_eq!((&got.left, got.items), (&left, 6));
            let got = testing::batch::<echoed>(&input, form | FORM_OFFSETS_OUT, &[1]).unwrap();
            assert_eq!(got.output, [&b"a\xff\x00"[..], items[5]].concat());
            assert_eq!((got.offsets, got.left), (vec![0, 1, 1, 1, 3, 3, 36], left.clone()));
        }
    }
}

#[test]
fn missing_items_are_neither_called_nor_left() {
    for (input, form) in forms(&[b"L", b"x", b"a"], Some(&[false, false, true])) {
        let got = testing::batch::<echoed>(&input, form, &[1]).unwrap();
        assert_eq!((&got.output[..], got.left.len(), got.items), (&b",,a"[..], 0, 3));
    }
    let input = [bits(&[true, false, true]), fixed(&[5, i64::MAX, -1])].concat();
    let got = testing::batch::<doubled>(&input, FORM_FIXED8 | FORM_NULLS | count(3), &[]).unwrap();
    assert_eq!((got.output, got.left.len()), (fixed(&[10, 0, -2]), 0));
}

#[test]
fn fixed_results_keep_their_places() {
    let got = testing::batch::<doubled>(&fixed(&[1, i64::MAX, -3]), FORM_FIXED8, &[]).unwrap();
    assert_eq!((got.output, got.left, got.items), (fixed(&[2, 0, -6]), vec![1], 3));
    let numbers: Vec<u8> = [1.5f64, -0.0, f64::NAN].iter().flat_map(|number| number.to_le_bytes()).collect();
    let got = testing::batch::<positive>(&numbers, FORM_FIXED8, &[]).unwrap();
    assert_eq!(got.output, [1, 0, 0]);
    let got = testing::batch::<letters>("d\u{e9},,\u{1f680}".as_bytes(), COMMA, &[]).unwrap();
    assert_eq!(got.output, fixed(&[2, 0, 1]));
    let got = testing::batch::<letters>(b"a,\xff,b", COMMA | FORM_OFFSETS_OUT, &[]).unwrap();
    assert_eq!((got.output, got.left, got.offsets.len()), (fixed(&[1, 0, 1]), vec![1], 0));
}

#[test]
fn no_items_are_no_results() {
    let nothing = |got: Batch| assert_eq!((got.output.len(), got.items, got.left.len()), (0, 0, 0));
    nothing(testing::batch::<doubled>(b"", FORM_FIXED8, &[]).unwrap());
    nothing(testing::batch::<doubled>(b"", FORM_FIXED8 | FORM_NULLS, &[]).unwrap());
    nothing(testing::batch::<echoed>(b"", COMMA | FORM_NULLS, &[1]).unwrap());
    nothing(testing::batch::<echoed>(&[0; 4], FORM_OFFSETS32, &[1]).unwrap());
    nothing(testing::batch::<echoed>(&[0; 8], FORM_OFFSETS64 | FORM_NULLS, &[1]).unwrap());
    let got = testing::batch::<echoed>(b"", COMMA, &[1]).unwrap();
    assert_eq!((got.output.len(), got.items), (0, 1), "joined, nothing is one empty text");
}

#[test]
fn errors_other_than_input_end_the_batch() {
    assert_eq!(testing::batch::<echoed>(b"a,L,b", COMMA, &[1]), Err(Error::Limit));
    assert_eq!(testing::batch::<joined>(b"a", COMMA, &[0, 2]), Err(Error::Protocol), "no truth value");
}

#[test]
fn work_that_takes_long_is_left() {
    let got = testing::batch::<rarely>(b"a,abcd,bc", COMMA, &[]).unwrap();
    assert_eq!((&got.output[..], got.left), (&b"a,,bc"[..], vec![1]));
}

#[test]
fn a_loop_of_ones_own_ends_its_items() {
    for (input, form) in forms(&[b"abc", b"x", b"z", b""], Some(&[true, true, false, true])) {
        let got = testing::batch::<joined>(&input, form, &[i64::from(b'!'), 1]).unwrap();
        assert_eq!((&got.output[..], got.left, got.items), (&b"!a,,,!"[..], vec![1], 4));
    }
}

#[test]
fn layouts_must_suit_the_items() {
    assert_eq!(testing::batch::<doubled>(b"12345678", COMMA, &[]), Err(Error::Protocol));
    assert_eq!(testing::batch::<echoed>(b"12345678", FORM_FIXED8, &[1]), Err(Error::Protocol));
    assert_eq!(testing::batch::<doubled>(b"1234567", FORM_FIXED8, &[]), Err(Error::Protocol));
}

#[test]
fn counts_must_hold() {
    for wrong in [1, 2, 4, 1 << 40] {
        assert_eq!(testing::batch::<echoed>(b"a,b,c", COMMA | count(wrong), &[1]), Err(Error::Protocol), "{wrong}");
        let form = FORM_FIXED8 | count(wrong);
        assert!(testing::batch::<doubled>(&fixed(&[1, 2, 3]), form, &[]).is_err(), "{wrong}");
    }
    assert_eq!(testing::batch::<echoed>(b"a,b,c", COMMA | count(3), &[1]).unwrap().output, b"a,b,c");
    assert_eq!(testing::batch::<echoed>(b"a", COMMA | FORM_NULLS, &[1]), Err(Error::Protocol), "no bitmap");
    assert_eq!(testing::batch::<echoed>(b"a", -1 << FORM_COUNT_SHIFT, &[1]), Err(Error::Protocol));
    assert_eq!(testing::batch::<echoed>(b"\x01", FORM_NULLS | count(1), &[1]), Err(Error::Protocol), "a bitmap of 1");
}

#[test]
fn a_length_beyond_the_input_is_refused() {
    for length in [-1, i64::MAX, 32 * 1024 + 1] {
        assert_eq!(echoed::batch(&[length, COMMA, 1, 0, 0, 0, 0, 0]), Error::Protocol.code());
    }
    assert_eq!(echoed::batch(&[0, COMMA, 1, 0, 0, 0, 0, 99]), Error::Protocol.code());
}

/// Each damage to the offsets is refused, and none reads what it must not.
#[test]
fn damaged_offsets_are_refused() {
    let damages: [&[i64]; 8] =
        [&[0, 5, 2], &[0, 1, 4], &[3, 1, 3], &[-1, 1, 3], &[0, 0, -1], &[4, 4, 4], &[0, 3], &[0, i64::MAX, 3]];
    for ends in damages {
        let narrow: Vec<u8> = ends.iter().flat_map(|&end| (end as i32).to_le_bytes()).collect();
        let wide: Vec<u8> = ends.iter().flat_map(|&end| end.to_le_bytes()).collect();
        for (offsets, form) in [(narrow, FORM_OFFSETS32), (wide, FORM_OFFSETS64)] {
            let mut input = offsets;
            if ends.len() == 3 {
                input.extend(b"abc");
            }
            let got = testing::batch::<echoed>(&input, form | count(2), &[1]);
            assert_eq!(got, Err(Error::Protocol), "{ends:?} {form}");
        }
    }
    let whole: Vec<u8> = [1i32, 2, 3].iter().flat_map(|end| end.to_le_bytes()).chain(*b"abc").collect();
    let got = testing::batch::<echoed>(&whole, FORM_OFFSETS32 | COMMA | count(2), &[1]).unwrap();
    assert_eq!(got.output, b"b,c", "a column that begins later is whole");
}

#[test]
fn any_input_in_any_form_ends_well() {
    let mut seed = 1u64;
    let mut next = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        seed >> 33
    };
    let rounds = if cfg!(miri) { 300 } else { 30_000 };
    for _ in 0..rounds {
        let input: Vec<u8> = (0..next() % 60).map(|_| [0, 0, 0, 1, 2, b',', b'x', 8][next() as usize % 8]).collect();
        let form = next() as i64 & 0xff0f | count(next() as usize % 6);
        for got in [testing::batch::<echoed>(&input, form, &[1]), testing::batch::<doubled>(&input, form, &[])] {
            let Ok(got) = got else { continue };
            assert!(got.left.iter().all(|&index| i64::from(index) < got.items));
            let ends = got.offsets.windows(2).all(|two| two[0] <= two[1]);
            assert!(ends && (got.offsets.is_empty() || got.offsets.len() as i64 == got.items + 1));
        }
    }
}

#[test]
fn large_batches_come_back_whole() {
    let rows = if cfg!(miri) { 4_000 } else { 200_000 };
    let input = b"0123456789,".repeat(rows);
    let got = testing::batch::<echoed>(&input, COMMA, &[1]).unwrap();
    assert_eq!((got.output.len(), got.items), (input.len(), rows as i64 + 1));
    let numbers = fixed(&(0..rows as i64).collect::<Vec<_>>());
    let got = testing::batch::<doubled>(&numbers, FORM_FIXED8, &[]).unwrap();
    assert_eq!(got.output[8 * (rows - 1)..], fixed(&[2 * (rows as i64 - 1)]));
}
