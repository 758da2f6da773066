//! Digests, natively: MD5 of eight messages in lanes against RustCrypto's one after the other, SHA-256, BLAKE3.
//!
//! The lanes are plain arrays here and vectors in the artifact, so these figures tell one commit from another and
//! not how fast the artifact is: `skywasm bench` does that.

use criterion::{BenchmarkId, Criterion, Throughput};
use md5::{Digest, Md5};
use skywasm_core::algorithms::hashing::Hasher;
use skywasm_core::algorithms::md5_lanes::{self, Job, LANES, START};
use std::hint::black_box;

/// Size and digests of the message that `message` makes, as Python's hashlib and the blake3 package give them.
struct Known {
    size: usize,
    md5: &'static str,
    sha256: &'static str,
    blake3: &'static str,
}

const KNOWN: [Known; 3] = [
    Known {
        size: 64,
        md5: "b2d3f56bc197fd985d5965079b5e7148",
        sha256: "fdeab9acf3710362bd2658cdc9a29e8f9c757fcf9811603a8c447cd1d9151108",
        blake3: "4eed7141ea4a5cd4b788606bd23f46e212af9cacebacdc7d1f4c6dc7f2511b98",
    },
    Known {
        size: 4096,
        md5: "a0c16616c91907bd14e999986cf822d5",
        sha256: "d67c656e01756650d77717b0839985a056ec28ffe174601d690fc407a2ceffca",
        blake3: "015094013f57a5277b59d8475c0501042c0b642e531b0a1c8f58d2163229e969",
    },
    Known {
        size: 1 << 20,
        md5: "8f293a2f6c19b345152f7a49bb4c643c",
        sha256: "631b84027d6b9e52b539c4e8373622d23032dfadc64d60af87339c9037e4f769",
        blake3: "74cb441fd087764ca9c3694da742ebe30cbeb3060a17009ca81825c7a8d10343",
    },
];

/// The numbers that `hashing` knows the algorithms by.
const SHA256: i64 = 3;
const BLAKE3: i64 = 16;

fn message(size: usize) -> Vec<u8> {
    (0..size).map(|index| (index % 251) as u8).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn in_lanes(data: &[u8]) -> [[u32; 4]; LANES] {
    let mut jobs = [Job { data, state: START, total: Some(data.len() as u64) }; LANES];
    md5_lanes::run(&mut jobs);
    jobs.map(|job| job.state)
}

fn one_by_one(data: &[u8]) -> [[u8; 16]; LANES] {
    core::array::from_fn(|_| Md5::digest(black_box(data)).into())
}

fn eight_md5s(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("md5 of eight");
    for known in KNOWN {
        let data = message(known.size);
        for state in in_lanes(&data) {
            assert_eq!(hex(&state.map(u32::to_le_bytes).concat()), known.md5);
        }
        assert_eq!(one_by_one(&data).map(|digest| hex(&digest)), [known.md5; LANES]);
        group.throughput(Throughput::Bytes((known.size * LANES) as u64));
        group.bench_with_input(BenchmarkId::new("in lanes", known.size), &data, |bencher, data| {
            bencher.iter(|| in_lanes(black_box(data)));
        });
        group.bench_with_input(BenchmarkId::new("one by one", known.size), &data, |bencher, data| {
            bencher.iter(|| one_by_one(black_box(data)));
        });
    }
    group.finish();
}

fn digest(algorithm: i64, data: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut hasher = Hasher::new(algorithm).unwrap();
    hasher.update(data);
    hasher.finish(0, out).unwrap();
}

fn one_message(criterion: &mut Criterion) {
    for (name, algorithm) in [("sha256", SHA256), ("blake3", BLAKE3)] {
        let mut group = criterion.benchmark_group(name);
        for known in KNOWN {
            let data = message(known.size);
            let mut out = Vec::new();
            digest(algorithm, &data, &mut out);
            assert_eq!(hex(&out), if algorithm == SHA256 { known.sha256 } else { known.blake3 });
            group.throughput(Throughput::Bytes(known.size as u64));
            group.bench_with_input(BenchmarkId::from_parameter(known.size), &data, |bencher, data| {
                bencher.iter(|| digest(algorithm, black_box(data), &mut out));
            });
        }
        group.finish();
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    eight_md5s(&mut criterion);
    one_message(&mut criterion);
    criterion.final_summary();
}
