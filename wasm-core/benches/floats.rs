//! Doubles as text, natively: the common forms one by one, and a list as a batch crosses.

use criterion::{Criterion, Throughput};
use skywasm_core::algorithms::floats;
use skywasm_core::functions::numbers::format_float;
use skywasm_guest::testing;
use skywasm_guest::wire::{FORM_FIXED8, FORM_SEPARATOR_SHIFT};
use std::hint::black_box;

/// Name, value, precision, text. The first two are what SkyPilot formats; the others leave the short way.
const CASES: [(&str, f64, i64, &str); 5] = [
    ("a fraction", 1234.56789, 1, "1234.6"),
    ("an integral value", 16.0, 1, "16"),
    ("six places", 1234.56789, 6, "1234.567890"),
    ("not a number", f64::NAN, 1, "nan"),
    ("1e22", 1e22, 1, "10000000000000000000000"),
];
const BATCH: usize = 2_048;

fn one_number(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("format_float");
    for (name, value, precision, want) in CASES {
        let mut out = Vec::new();
        floats::format(value, precision, &mut out).unwrap();
        assert_eq!(String::from_utf8(out.clone()).unwrap(), want);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                floats::format(black_box(value), black_box(precision), &mut out)
            });
        });
    }
    group.finish();
}

fn many_numbers(criterion: &mut Criterion) {
    // All of them have a fraction of odd sixteenths.
    let values: Vec<f64> = (0..BATCH).map(|index| (index * 7919 % 100_000) as f64 + 0.0625).collect();
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let mut group = criterion.benchmark_group("format_float");
    group.throughput(Throughput::Elements(BATCH as u64));
    let form = FORM_FIXED8 | i64::from(b'\n') << FORM_SEPARATOR_SHIFT;
    for places in [1usize, 6] {
        let formatted = |bytes: &[u8]| testing::batch::<format_float>(bytes, form, &[places as i64]).unwrap().output;
        let want: Vec<String> = values.iter().map(|value| format!("{value:.places$}")).collect();
        assert_eq!(String::from_utf8(formatted(&bytes)).unwrap(), want.join("\n"));
        group.bench_function(format!("batch, precision {places}"), |bencher| {
            bencher.iter(|| formatted(black_box(&bytes)));
        });
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    one_number(&mut criterion);
    many_numbers(&mut criterion);
    criterion.final_summary();
}
