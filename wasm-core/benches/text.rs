//! Shortening text and finding the last lines, natively.

use criterion::{BenchmarkId, Criterion, Throughput};
use skywasm_core::algorithms::{tail, text};
use skywasm_core::functions::text::truncate_long_string;
use skywasm_guest::testing;
use skywasm_guest::wire::FORM_SEPARATOR_SHIFT;
use std::hint::black_box;

const MAX_LENGTH: i64 = 35;
const BATCH: usize = 2_048;
const WINDOW: usize = 1 << 20;
const LINES: [u64; 3] = [1, 100, 10_000];
const ASCII: &str = "Launching a cluster named train with 8 nodes on the first cloud that has them, then another one";
const ACCENTS: &str =
    "Démarrage du cluster « train » à 8 nœuds sur le premier fournisseur où il en reste, puis un autre";

/// Name, text, whether the middle goes, result.
const CASES: [(&str, &str, bool, &str); 5] = [
    ("short", "a short name", false, "a short name"),
    ("ASCII", ASCII, false, "Launching a cluster named train with 8..."),
    ("ASCII, in the middle", ASCII, true, "Launching a clus...then another one"),
    ("accents", ACCENTS, false, "Démarrage du cluster « train » à 8 nœuds..."),
    ("accents, in the middle", ACCENTS, true, "Démarrage du clu...e, puis un autre"),
];

fn one_text(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("truncate_long_string");
    for (name, long, middle, want) in CASES {
        let mut out = Vec::new();
        text::truncate(long.as_bytes(), MAX_LENGTH, middle, &mut out);
        assert_eq!(String::from_utf8(out.clone()).unwrap(), want);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                text::truncate(black_box(long.as_bytes()), MAX_LENGTH, middle, &mut out);
            });
        });
    }
    group.finish();
}

fn many_texts(criterion: &mut Criterion) {
    let (_, long, middle, want) = CASES[1];
    let joined = vec![long; BATCH].join("\n");
    let (form, rest) = (i64::from(b'\n') << FORM_SEPARATOR_SHIFT, [MAX_LENGTH, middle.into()]);
    let cut = |joined: &str| testing::batch::<truncate_long_string>(joined.as_bytes(), form, &rest).unwrap().output;
    assert_eq!(String::from_utf8(cut(&joined)).unwrap(), vec![want; BATCH].join("\n"));
    let mut group = criterion.benchmark_group("truncate_long_string");
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("batch", |bencher| {
        bencher.iter(|| cut(black_box(&joined)));
    });
    group.finish();
}

/// The place behind the newline that is number `wanted` from the end, by looking at each byte.
fn by_hand(window: &[u8], wanted: u64) -> u64 {
    let mut left = wanted;
    for (at, &byte) in window.iter().enumerate().rev() {
        left -= u64::from(byte == b'\n');
        if left == 0 {
            return at as u64 + 1;
        }
    }
    0
}

fn last_lines(criterion: &mut Criterion) {
    let line = format!("{ASCII}\n");
    let window = line.as_bytes().repeat(WINDOW / line.len());
    let mut group = criterion.benchmark_group("read_last_n_lines");
    for wanted in LINES {
        let scan = tail::scan(&window, wanted);
        assert_eq!((scan.found, scan.start), (wanted, by_hand(&window, wanted)));
        group.throughput(Throughput::Bytes(window.len() as u64 - scan.start));
        group.bench_function(BenchmarkId::new("scan", wanted), |bencher| {
            bencher.iter(|| tail::scan(black_box(&window), black_box(wanted)));
        });
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    one_text(&mut criterion);
    many_texts(&mut criterion);
    last_lines(&mut criterion);
    criterion.final_summary();
}
