//! Calls of ordinary functions through slots, windows and cells.

use skywasm_guest::expansion::{Buffers, Reserve, Resume};
use skywasm_guest::testing::{Argument, Value, call};
use skywasm_guest::{Buffer, Error, Exported, Out, Text, Work, export, pause, wire};

fn seven(a: i64, b: f64, c: bool, d: u32, e: &str, f: &[u8], g: Text<'_>) -> String {
    format!("{a} {b} {c} {d} {e} {f:?} {:?}", g.0)
}
export!(seven(a, b, c, d, e, f, g));

fn echo(data: &[u8], mut out: Out<'_, [u8]>) {
    out.extend_from_slice(data);
}
export!(echo(data, out));

fn twice(data: &[u8]) -> Vec<u8> {
    data.repeat(2)
}
export!(twice(data));

fn half(number: f64) -> f64 {
    number / 2.0
}
export!(half(number));

fn lowest() -> i64 {
    i64::MIN
}
export!(lowest());

fn length(text: &str) -> Result<u32, Error> {
    u32::try_from(text.chars().count()).map_err(|_| Error::Limit)
}
export!(length(text));

fn opposite(truth: bool) -> bool {
    !truth
}
export!(opposite(truth));

fn increased(by: i64, mut all: Buffer<'_>) -> Result<u32, Error> {
    let by = u8::try_from(by).map_err(|_| Error::Input)?;
    all.iter_mut().for_each(|byte| *byte = byte.wrapping_add(by));
    u32::try_from(all.len()).map_err(|_| Error::Limit)
}
export!(increased(by, all));

fn wide(data: &[u8], mut out: Out<'_, Text<'_>>) -> Result<(), Error> {
    if data.len() % 2 == 1 {
        return Err(Error::Limit);
    }
    out.extend_from_slice(data);
    Ok(())
}
export!(wide(data, out));

fn counted(n: i64, mut out: Out<'_, str>) -> Work<String> {
    if n < 3 {
        out.extend_from_slice(b"few");
        return Work::Done(String::from("!"));
    }
    Work::later(async move {
        for _ in 3..n {
            pause().await;
        }
        Ok(n.to_string())
    })
}
export!(counted(n, out));

fn bytes(value: &[u8]) -> Result<Value, Error> {
    Ok(Value::Bytes(value.to_vec()))
}

#[test]
fn every_kind_arrives() {
    let got = call::<seven>(&[
        Argument::Int(-5),
        Argument::Float(1.5),
        Argument::Bool(true),
        Argument::Int(u32::MAX.into()),
        Argument::Bytes("d\u{e9}".as_bytes()),
        Argument::Bytes(b""),
        Argument::Bytes(b"\xed\xa0\x80"),
    ]);
    assert_eq!(got, bytes("-5 1.5 true 4294967295 d\u{e9} [] [237, 160, 128]".as_bytes()));
}

#[test]
fn every_kind_returns() {
    assert_eq!(call::<half>(&[Argument::Float(-0.0)]), Ok(Value::Float(-0.0)));
    assert_eq!(call::<lowest>(&[]), Ok(Value::Int(i64::MIN)));
    assert_eq!(call::<length>(&[Argument::Bytes("d\u{e9}".as_bytes())]), Ok(Value::Int(2)));
    assert_eq!(call::<opposite>(&[Argument::Bool(true)]), Ok(Value::Bool(false)));
    assert_eq!(call::<twice>(&[Argument::Bytes(b"ab")]), bytes(b"abab"));
    assert_eq!(call::<wide>(&[Argument::Bytes(b"\xed\xa0")]), bytes(b"\xed\xa0"));
    assert_eq!(call::<wide>(&[Argument::Bytes(b"a")]), Err(Error::Limit));
}

#[test]
fn what_is_no_value_of_its_kind_is_refused() {
    assert_eq!(call::<opposite>(&[Argument::Int(2)]), Err(Error::Protocol));
    assert_eq!(call::<length>(&[Argument::Bytes(b"\xed\xa0\x80")]), Err(Error::Input));
    let mut slots = [0; wire::SLOTS];
    for (at, wrong) in [(3, -1), (3, 1 << 32), (4, -1), (4, 1 << 40), (5, wire::INPUT_WINDOW as i64 + 1)] {
        slots[at] = wrong;
        assert_eq!(seven::call(&slots), Error::Protocol.code(), "{at} {wrong}");
        slots[at] = 0;
    }
}

#[test]
fn results_of_every_length_come_back() {
    let data: Vec<u8> = (0..200_000u32).map(|at| (at % 251) as u8).collect();
    for length in (0..if cfg!(miri) { 140 } else { 400 }).chain([32_768, 32_769, 65_535, 65_536, 65_537, 200_000]) {
        assert_eq!(call::<echo>(&[Argument::Bytes(&data[..length])]), bytes(&data[..length]), "{length}");
        let doubled = &data[..length / 2].repeat(2);
        assert_eq!(call::<twice>(&[Argument::Bytes(&data[..length / 2])]), bytes(doubled), "{length}");
    }
    let large = vec![7; if cfg!(miri) { 100_000 } else { 5_000_000 }];
    assert_eq!(call::<echo>(&[Argument::Bytes(&large)]), bytes(&large));
    assert_eq!(call::<echo>(&[Argument::Bytes(b"x")]), bytes(b"x"), "after one that was given back");
    assert_eq!(Reserve::call(&[0; 8]), 0);
}

#[test]
fn codes_tell_where_results_are() {
    let mut slots = [0; wire::SLOTS];
    slots[0] = 9;
    assert_eq!(echo::call(&slots), wire::IN_WINDOW + 9);
    slots[0] = wire::INPUT_WINDOW as i64;
    assert_eq!(twice::call(&slots), wire::IN_WINDOW + 2 * wire::INPUT_WINDOW as i64);
    slots[0] = 40_000;
    slots[7] = Reserve::call(&[40_000, 0, 0, 0, 0, 0, 0, 0]);
    let code = twice::call(&slots);
    assert!(code >> 32 > 0 && code & 0xffff_ffff == 80_000, "{code:#x}");
    assert_eq!(Reserve::call(&[0; 8]), 0);
}

#[test]
fn the_large_input_is_the_one_reserved() {
    let reserve = |length| Reserve::call(&[length, 0, 0, 0, 0, 0, 0, 0]);
    let address = reserve(50_000);
    assert!(address > 0);
    assert_eq!(reserve(10), address, "it only grows");
    for wrong in [address + 1, 1, -1, i64::MAX] {
        assert_eq!(echo::call(&[1, 0, 0, 0, 0, 0, 0, wrong]), Error::Protocol.code());
    }
    assert_eq!(echo::call(&[50_001, 0, 0, 0, 0, 0, 0, address]), Error::Protocol.code());
    assert_eq!(increased::call(&[1, 0, 0, 0, 0, 0, 0, address]), 50_000);
    for wrong in [-1, 24 * 1024 * 1024 + 1, i64::MAX] {
        assert_eq!(reserve(wrong), Error::Limit.code());
    }
    assert_eq!(reserve(0), 0);
    assert_eq!(echo::call(&[1, 0, 0, 0, 0, 0, 0, address]), Error::Protocol.code(), "given back");
}

#[test]
fn a_buffer_is_the_whole_window() {
    assert_eq!(call::<increased>(&[Argument::Int(3)]), Ok(Value::Int(wire::INPUT_WINDOW as i64)));
    assert_eq!(call::<increased>(&[Argument::Int(300)]), Err(Error::Input));
}

#[test]
fn buffers_are_where_they_are() {
    let address = |which| Buffers::call(&[which, 0, 0, 0, 0, 0, 0, 0]);
    let all = [address(0), address(1), address(2)];
    assert!(all.iter().all(|&address| address > 0));
    assert_eq!(all, [address(0), address(1), address(2)]);
    for which in [3, -1, i64::MIN] {
        assert_eq!(address(which), Error::Protocol.code());
    }
}

#[test]
fn work_is_done_at_once_or_later() {
    assert_eq!(call::<counted>(&[Argument::Int(2)]), bytes(b"few!"));
    assert_eq!(call::<counted>(&[Argument::Int(3)]), bytes(b"3"));
    assert_eq!(counted::call(&[5, 0, 0, 0, 0, 0, 0, 0]), wire::AGAIN);
    assert_eq!(Resume::call(&[0; 8]), wire::AGAIN);
    assert_eq!(Resume::call(&[0; 8]), wire::IN_WINDOW + 1);
    assert_eq!(Resume::call(&[0; 8]), Error::Protocol.code());
}

#[test]
fn only_batches_have_batches() {
    assert_eq!(echo::batch(&[0; 8]), Error::Protocol.code());
}
