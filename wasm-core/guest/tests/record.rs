//! The lines of the record.

use skywasm_guest::testing::record;
use skywasm_guest::{Buffer, Error, Exported, Out, Text, Work, export, host};

host! {
    capability A = "a" {
        /// Without arguments.
        fn ask_a() -> i64;
    }
    capability B = "b" {
        /// As many cells as there are.
        fn ask_b(n: i64, room: &mut Vec<u8>, text: &str, flag: bool) -> i64;
    }
}

fn nothing() -> i64 {
    1
}
export!(nothing());

fn texts(a: Text<'_>, b: &str, c: &[u8], mut out: Out<'_, Text<'_>>) -> Result<(), Error> {
    out.extend_from_slice(&[a.0, b.as_bytes(), c].concat());
    Ok(())
}
export!(texts(a, b, c, out));

fn numbers(a: i64, b: f64, c: bool, d: u32, e: Buffer<'_>) -> u32 {
    a as u32 + b as u32 + u32::from(c) + d + e.len() as u32
}
export!(numbers(a, b, c, d, e));

async fn asks(number: f64, b: B, a: A) -> Result<String, Error> {
    let (mut room, text) = (Vec::new(), "x");
    Ok(format!("{number} {} {}", a.ask_a().await, b.ask_b(1, &mut room, text, true).await))
}
export!(async asks(number, b, a), batch);

type Alias = i64;

/// A result that is written, and a `Work` of the same kind.
fn both(mut out: Out<'_, str>, number: Alias) -> Work<String> {
    out.push(b'x');
    Work::Done(number.to_string())
}
export!(both(out, number));

/// As many as there may be.
#[allow(clippy::too_many_arguments)]
fn ten(a: i64, b: i64, c: i64, d: i64, e: i64, f: i64, g: i64, may: A, also: B, mut out: Out<'_, [u8]>) {
    let _ = (may, also);
    out.push([a, b, c, d, e, f, g].iter().sum::<i64>() as u8);
}
export!(ten(a, b, c, d, e, f, g, may, also, out), batch);

#[test]
fn lines_tell_names_and_kinds() {
    assert_eq!(record::<nothing>(), "fn nothing()->int\n");
    assert_eq!(record::<texts>(), "fn texts(a:text,b:str,c:bytes)->text\n");
    assert_eq!(record::<numbers>(), "fn numbers(a:int,b:float,c:bool,d:size,e:buffer)->size\n");
    assert_eq!(record::<asks>(), "fn asks(number:float,b:+b,a:+a)->str batch\n");
    assert_eq!(record::<both>(), "fn both(number:int)->str\n");
    let ten_line = "fn ten(a:int,b:int,c:int,d:int,e:int,f:int,g:int,may:+a,also:+b)->bytes batch\n";
    assert_eq!(record::<ten>(), ten_line);
    assert_eq!(asks::NAME, "asks");
}
