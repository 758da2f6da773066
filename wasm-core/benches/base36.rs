//! Hexadecimal to base 36, natively: one number of each size that matters, and a list as a batch crosses.

use criterion::{BenchmarkId, Criterion, Throughput};
use skywasm_core::algorithms::base36;
use skywasm_core::functions::numbers::base36_encode;
use skywasm_guest::testing;
use skywasm_guest::wire::FORM_SEPARATOR_SHIFT;
use std::hint::black_box;

/// An MD5, a SHA-256, and two that are far longer than anything SkyPilot passes: the cost is quadratic there.
const SIZES: [usize; 4] = [32, 64, 1_000, 10_000];
const BATCH: usize = 2_048;
const BATCH_DIGITS: usize = 32;

/// Hex digits without a pattern, the first of them not zero.
fn number(digits: usize, seed: u64) -> String {
    let mut state = seed.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(3_037_000_493);
    let mut text = String::from("9");
    while text.len() < digits {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push(char::from_digit((state >> 60) as u32, 16).unwrap());
    }
    text
}

/// Long division by 36, a digit at a time: slow, and plainly right.
fn by_hand(hex: &str) -> String {
    let mut digits: Vec<u32> = hex.chars().map(|digit| digit.to_digit(16).unwrap()).collect();
    let mut out = Vec::new();
    let mut first = 0;
    while first < digits.len() {
        let mut rest = 0;
        for digit in &mut digits[first..] {
            let part = rest * 16 + *digit;
            *digit = part / 36;
            rest = part % 36;
        }
        out.push(char::from_digit(rest, 36).unwrap());
        while digits.get(first) == Some(&0) {
            first += 1;
        }
    }
    out.iter().rev().collect()
}

fn one_number(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("base36");
    for size in SIZES {
        let hex = number(size, size as u64);
        let mut out = Vec::new();
        base36::encode(hex.as_bytes(), &mut out).unwrap();
        assert_eq!(String::from_utf8(out.clone()).unwrap(), by_hand(&hex));
        group.throughput(Throughput::Elements(size as u64));
        group.bench_with_input(BenchmarkId::new("digits", size), hex.as_bytes(), |bencher, hex| {
            bencher.iter(|| {
                out.clear();
                base36::encode(black_box(hex), &mut out)
            });
        });
    }
    group.finish();
}

fn many_numbers(criterion: &mut Criterion) {
    let numbers: Vec<String> = (0..BATCH as u64).map(|seed| number(BATCH_DIGITS, seed)).collect();
    let joined = numbers.join("\n");
    let form = i64::from(b'\n') << FORM_SEPARATOR_SHIFT;
    let encoded = |joined: &str| testing::batch::<base36_encode>(joined.as_bytes(), form, &[]).unwrap().output;
    let want: Vec<String> = numbers.iter().map(|hex| by_hand(hex)).collect();
    assert_eq!(String::from_utf8(encoded(&joined)).unwrap(), want.join("\n"));
    let mut group = criterion.benchmark_group("base36");
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("batch of MD5s", |bencher| {
        bencher.iter(|| encoded(black_box(&joined)));
    });
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    one_number(&mut criterion);
    many_numbers(&mut criterion);
    criterion.final_summary();
}
