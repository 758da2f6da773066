//! Random inputs for the core's functions, natively, against answers that are worked out in the plainest way.
//!
//! `SKYWASM_TEST_ROUNDS` inputs a function (20,000 unless it says otherwise), seeded by `SKYWASM_TEST_SEED` (the time
//! unless it says otherwise). Each test prints what it ran, and a failure says which seed and round repeats it.

mod plain;

use skywasm_core::Error;
use skywasm_core::algorithms::{base36, floats, hashing, md5_lanes, pynum, tail, text};
use skywasm_core::functions;
use skywasm_guest::testing;
use skywasm_guest::wire::FORM_SEPARATOR_SHIFT;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

const QUICK: u64 = 20_000;

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}; it must be a whole number")))
}

/// splitmix64: every seed is as good as any other.
struct Dice(u64);

impl Dice {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
    fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }
    fn size(&mut self, end: u64) -> usize {
        let most = self.below(end) + 1;
        self.below(most) as usize
    }
    fn pick<T: Copy>(&mut self, options: &[T]) -> T {
        options[self.below(options.len() as u64) as usize]
    }
    fn bytes(&mut self, length: usize, letters: &[u8]) -> Vec<u8> {
        (0..length).map(|_| self.pick(letters)).collect()
    }
}

/// Runs `check` with dice of its own for each round; what it gives back must be the same twice.
fn random<T: PartialEq + std::fmt::Debug>(name: &str, share: u64, mut check: impl FnMut(&mut Dice) -> (T, T, String)) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let seed = setting("SKYWASM_TEST_SEED").unwrap_or(now % 1_000_000_007);
    let rounds = (setting("SKYWASM_TEST_ROUNDS").unwrap_or(QUICK) / share).max(1);
    let begun = Instant::now();
    for round in 0..rounds {
        let mut dice = Dice(seed ^ round.wrapping_mul(0xd134_2543_de82_ef95));
        let (got, want, input) = check(&mut dice);
        assert!(got == want, "{name}: SKYWASM_TEST_SEED={seed}, round {round}: {input}\n got {got:?}\nwant {want:?}");
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("RANDOM {{\"name\": \"{name}\", \"cases\": {rounds}, \"seed\": {seed}, \"seconds\": {seconds:.2}}}");
}

// --- base 36

fn hexadecimal(dice: &mut Dice) -> Vec<u8> {
    let length = dice.size(90);
    let mut hex = match dice.below(4) {
        0 => dice.bytes(length, b"0f"),
        1 => vec![b'0'; length],
        _ => dice.bytes(length, b"0123456789abcdefABCDEF"),
    };
    if dice.below(12) == 0 {
        let byte = dice.bits() as u8;
        hex.insert(dice.size(length as u64 + 1), byte);
    }
    hex
}

fn encoded(hex: &[u8]) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    base36::encode(hex, &mut out).map(|()| out)
}

#[test]
fn base36_encode() {
    random("base36::encode", 1, |dice| {
        let hex = hexadecimal(dice);
        (encoded(&hex), plain::base36(&hex), format!("{hex:?}"))
    });
}

#[test]
fn base36_in_steps() {
    random("base36::Job", 10, |dice| {
        let length = dice.size(400) + 1;
        let hex = dice.bytes(length, b"0123456789abcdef");
        let mut job = base36::Job::new(&hex).unwrap();
        while !job.step(dice.size(9) + 1) {}
        let mut out = Vec::new();
        job.finish(&mut out);
        (Ok(out), plain::base36(&hex), format!("{hex:?}"))
    });
}

// --- floats

fn double(dice: &mut Dice) -> f64 {
    match dice.below(5) {
        0 => f64::from_bits(dice.bits()),
        1 => (dice.below(20_000_001) as f64 - 1e7 + 0.5) / 10f64.powi(dice.below(10) as i32),
        2 => f64::from_bits(dice.bits() >> dice.below(64)),
        3 => dice.bits() as f64 / 2f64.powi(dice.below(80) as i32),
        _ => dice.pick(&[0.0, -0.0, 0.5, 2.5, 999.95, 1e22, 1e23, f64::MIN_POSITIVE, f64::INFINITY, f64::NAN, -0.05]),
    }
}

#[test]
fn format_float() {
    random("floats::format", 4, |dice| {
        let value = double(dice);
        let precision = match dice.below(10) {
            0 => dice.below(1110) as i64 - 5,
            _ => dice.below(20) as i64,
        };
        let mut out = Vec::new();
        let got = floats::format(value, precision, &mut out).map(|()| String::from_utf8(out).unwrap());
        (got, plain::format(value, precision), format!("{value:e} ({:#x}), {precision}", value.to_bits()))
    });
}

// --- texts

fn some_text(dice: &mut Dice) -> Vec<u8> {
    let letters: [&[u8]; 8] =
        [b"a", b" ", "\u{e9}".as_bytes(), "\u{4e2d}".as_bytes(), "\u{1f680}".as_bytes(), b"\xed\xa0\xbd", b"b", b"  "];
    (0..dice.size(90)).flat_map(|_| dice.pick(&letters).to_vec()).collect()
}

fn truncated(bytes: &[u8], length: i64, middle: bool) -> Vec<u8> {
    let mut out = Vec::new();
    text::truncate(bytes, length, middle, &mut out);
    out
}

#[test]
fn truncate_long_string() {
    random("text::truncate", 1, |dice| {
        let (bytes, middle) = (some_text(dice), dice.below(2) == 0);
        let length = match dice.below(20) {
            0 => dice.bits() as i64,
            1 => -(dice.below(99) as i64),
            _ => dice.below(90) as i64,
        };
        let input = format!("{bytes:?}, {length}, {middle}");
        (truncated(&bytes, length, middle), plain::truncate(&bytes, length, middle), input)
    });
}

#[test]
fn count_of_code_points() {
    random("text::count", 1, |dice| {
        let bytes = some_text(dice).repeat(dice.size(9));
        (text::count(&bytes), plain::points(&bytes).len(), format!("{bytes:?}"))
    });
}

#[test]
fn tail_scan() {
    random("tail::scan", 8, |dice| {
        let length = dice.size(9000);
        let (many, wanted) = (dice.pick(&[2, 9, 60, 300]), dice.below(9) * dice.pick(&[1, 9, 200]));
        let window: Vec<u8> = (0..length).map(|_| if dice.below(many) == 0 { b'\n' } else { b'x' }).collect();
        let (mut found, mut start, mut at) = (0, 0, length);
        while at > 0 && found < wanted {
            at -= 1;
            found += u64::from(window[at] == b'\n');
            start = if found == wanted { at as u64 + 1 } else { 0 };
        }
        let input =
            format!("{} newlines in {length} bytes, {wanted} wanted", window.iter().filter(|&&b| b == 10).count());
        (tail::scan(&window, wanted), tail::Scan { found, start }, input)
    });
}

// --- hashes

fn message(dice: &mut Dice) -> Vec<u8> {
    let length = if dice.below(3) == 0 { dice.pick(&[0, 55, 56, 63, 64, 65, 119, 120, 128]) } else { dice.size(400) };
    (0..length).map(|_| dice.bits() as u8).collect()
}

#[test]
fn md5_in_lanes() {
    random("md5_lanes::run", 40, |dice| {
        let messages: Vec<Vec<u8>> = (0..dice.size(20)).map(|_| message(dice)).collect();
        let mut jobs: Vec<md5_lanes::Job<'_>> = messages.iter().map(|data| job(data)).collect();
        md5_lanes::run(&mut jobs);
        let got: Vec<[u8; 16]> = jobs.iter().map(|job| md5_lanes::digest(job.state)).collect();
        (got, messages.iter().map(|data| plain::md5(data)).collect(), format!("{messages:?}"))
    });
}

fn job(data: &[u8]) -> md5_lanes::Job<'_> {
    md5_lanes::Job { state: md5_lanes::START, data, total: Some(data.len() as u64) }
}

#[test]
fn md5_of_short_texts() {
    random("md5_lanes::run_short", 40, |dice| {
        let texts: Vec<Vec<u8>> = (0..dice.size(30))
            .map(|_| (0..dice.below(md5_lanes::SHORT as u64 + 1)).map(|_| dice.bits() as u8).collect())
            .collect();
        let joined = texts.concat();
        let mut at = 0;
        let parts: Vec<std::ops::Range<usize>> = texts.iter().map(|text| (at, at += text.len()).0..at).collect();
        let mut got = Vec::new();
        md5_lanes::run_short(&joined, &parts, |digest| got.push(*digest));
        (got, texts.iter().map(|text| plain::md5(text)).collect(), format!("{texts:?}"))
    });
}

fn digest(algorithm: i64, parts: &[&[u8]]) -> Vec<u8> {
    let mut hasher = hashing::Hasher::new(algorithm).unwrap();
    parts.iter().for_each(|part| hasher.update(part));
    let mut out = Vec::new();
    hasher.finish(16, &mut out).unwrap();
    out
}

#[test]
fn hashes_in_pieces() {
    random("hashing::Hasher", 4, |dice| {
        let algorithms: Vec<i64> = (0..).take_while(|&number| hashing::Hasher::new(number).is_ok()).collect();
        assert!(algorithms.len() > 12, "only {algorithms:?}");
        let (algorithm, data) = (dice.pick(&algorithms), message(dice));
        let cut = dice.size(data.len() as u64 + 1);
        let (front, back) = data.split_at(cut);
        let again = dice.size(front.len() as u64 + 1);
        let got = digest(algorithm, &[&front[..again], &front[again..], back]);
        let want = if algorithm == hashing::MD5 { plain::md5(&data).to_vec() } else { digest(algorithm, &[&data]) };
        (got, want, format!("algorithm {algorithm}, cut at {again} and {cut}: {data:?}"))
    });
}

// --- numbers as Python reads them, and lists

#[test]
fn python_s_int() {
    random("pynum::int", 1, |dice| {
        let letters = dice.pick(&["0123456789", "01_", "0123456789_+- \t\n\u{a0}\u{2003}x."]);
        let letters: Vec<char> = letters.chars().collect();
        let input: String = (0..dice.size(24)).map(|_| dice.pick(&letters)).collect();
        (pynum::int(&input), plain::int(&input), format!("{input:?}"))
    });
}

/// The results of a list and the indices of what was left.
fn listed<E: skywasm_guest::Exported>(items: &[Vec<u8>], separator: u8, rest: &[i64]) -> (Vec<Vec<u8>>, Vec<i32>) {
    let form = i64::from(separator) << FORM_SEPARATOR_SHIFT;
    let answer = testing::batch::<E>(&items.join(&separator), form, rest).unwrap();
    (answer.output.split(|&byte| byte == separator).map(<[u8]>::to_vec).collect(), answer.left)
}

#[test]
fn lists() {
    random("batch", 20, |dice| {
        let mut numbers: Vec<Vec<u8>> = (0..dice.size(40) + 1).map(|_| hexadecimal(dice)).collect();
        // A number with a comma put in is two.
        numbers.iter_mut().for_each(|hex| hex.retain(|&byte| byte != b','));
        let got = listed::<functions::numbers::base36_encode>(&numbers, b',', &[]);
        let answers: Vec<_> = numbers.iter().map(|hex| plain::base36(hex)).collect();
        let left = (0..).zip(&answers).filter(|(_, answer)| answer.is_err()).map(|(index, _)| index).collect();
        let want = (answers.into_iter().map(Result::unwrap_or_default).collect(), left);
        let (length, middle) = (dice.below(60) as i64, dice.below(2) == 0);
        let texts: Vec<Vec<u8>> = (0..dice.size(40) + 1).map(|_| some_text(dice)).collect();
        let cut = listed::<functions::text::truncate_long_string>(&texts, b'\n', &[length, middle.into()]);
        let plain: Vec<Vec<u8>> = texts.iter().map(|text| plain::truncate(text, length, middle)).collect();
        let input = format!("{numbers:?}\n{texts:?}, {length}, {middle}");
        ((got, cut), (want, (plain, Vec::new())), input)
    });
}
