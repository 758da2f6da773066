//! The record: a line of text for each export and each request, made by the compiler out of the types themselves.

use crate::answers::Answer;
use crate::kinds::Param;
use crate::wire::INPUT_SLOT;
use core::future::Future;

/// The most parameters of a function, capabilities and output among them.
pub const MOST: usize = 10;

/// The kinds of a function's parameters and result.
#[derive(Clone, Copy)]
pub struct Kinds {
    parameters: [&'static str; MOST],
    result: &'static str,
    width: usize,
}

/// A function whose parameters all have kinds.
pub trait Signature<'a> {
    /// What it gives back, before that is awaited.
    type Returned;
    /// The kinds of its parameters, and nothing behind the last.
    const KINDS: [&'static str; MOST];
}

macro_rules! signatures {
    ($([$($type:ident $at:literal)*])*) => { $(
        impl<'a, R, $($type: Param<'a>),*> Signature<'a> for fn($($type),*) -> R {
            type Returned = R;
            const KINDS: [&'static str; MOST] = {
                #[allow(unused_mut)]
                let mut kinds = [""; MOST];
                $(kinds[$at] = <$type as Param<'a>>::KIND;)*
                kinds
            };
        }
    )* };
}

signatures! {
    []
    [A 0]
    [A 0 B 1]
    [A 0 B 1 C 2]
    [A 0 B 1 C 2 D 3]
    [A 0 B 1 C 2 D 3 E 4]
    [A 0 B 1 C 2 D 3 E 4 F 5]
    [A 0 B 1 C 2 D 3 E 4 F 5 G 6]
    [A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7]
    [A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8]
    [A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9]
}

/// The kinds of an ordinary function.
pub const fn kinds<'a, F: Signature<'a, Returned: Answer>>(_: &F) -> Kinds {
    Kinds::checked(F::KINDS, <F::Returned as Answer>::KIND, <F::Returned as Answer>::WIDTH)
}

/// The kinds of an asynchronous function.
pub const fn async_kinds<'a, F: Signature<'a, Returned: Future<Output: Answer>>>(_: &F) -> Kinds {
    let mut at = 0;
    while at < MOST {
        assert!(!same(F::KINDS[at], "buffer"), "an asynchronous function owns its input: it takes bytes, no Buffer");
        at += 1;
    }
    type Result<'a, F> = <<F as Signature<'a>>::Returned as Future>::Output;
    Kinds::checked(F::KINDS, <Result<'a, F> as Answer>::KIND, <Result<'a, F> as Answer>::WIDTH)
}

const fn starts_with(text: &str, byte: u8) -> bool {
    !text.is_empty() && text.as_bytes()[0] == byte
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

/// Whether a kind's slot holds the length of a part of the input.
const fn is_bytes(kind: &str) -> bool {
    same(kind, "text") || same(kind, "str") || same(kind, "bytes")
}

impl Kinds {
    /// Finds the kind of the result, and refuses functions that cannot be called.
    const fn checked(parameters: [&'static str; MOST], returned: &'static str, width: usize) -> Kinds {
        let mut result = returned;
        let (mut at, mut outputs, mut slots) = (0, 0, 0);
        while at < MOST {
            let kind = parameters[at];
            if starts_with(kind, b'>') {
                let (_, written) = kind.split_at(1);
                assert!(
                    returned.is_empty() || same(written, returned),
                    "what is written and returned must be one kind"
                );
                result = written;
                outputs += 1;
            } else if takes_slot(kind) {
                slots += 1;
            }
            at += 1;
        }
        assert!(outputs < 2, "a function has one Out at most");
        assert!(slots <= INPUT_SLOT, "a function takes seven values at most");
        assert!(!result.is_empty(), "a function needs a result: return something, or write to an Out");
        Kinds { parameters, result, width }
    }

    /// A bit for each slot that holds a length.
    pub const fn lengths(&self) -> u32 {
        let (mut at, mut slot, mut bits) = (0, 0, 0);
        while at < MOST {
            if is_bytes(self.parameters[at]) {
                bits |= 1 << slot;
            }
            if takes_slot(self.parameters[at]) {
                slot += 1;
            }
            at += 1;
        }
        bits
    }

    /// The bytes of a batch's result, 0 when that varies.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Whether the items of a batch are values of 8 bytes. Refuses functions that can have no batch.
    pub const fn fixed_items(&self) -> bool {
        let mut at = 1;
        while at < MOST {
            let kind = self.parameters[at];
            assert!(!is_bytes(kind) && !same(kind, "buffer"), "in a batch the first parameter alone may be bytes");
            at += 1;
        }
        !is_bytes(self.parameters[0])
    }
}

const fn takes_slot(kind: &str) -> bool {
    !kind.is_empty() && !starts_with(kind, b'>') && !starts_with(kind, b'+') && !same(kind, "buffer")
}

/// Writes a line, or counts its bytes where there is no room.
struct Pen<'a> {
    room: &'a mut [u8],
    at: usize,
}

impl Pen<'_> {
    const fn put(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            if self.at < self.room.len() {
                self.room[self.at] = bytes[at];
            }
            self.at += 1;
            at += 1;
        }
    }

    const fn number(&mut self, number: i64) {
        if number > 9 {
            self.number(number / 10);
        }
        let (_, rest) = "0123456789".split_at((number % 10) as usize);
        self.put(rest.split_at(1).0);
    }

    const fn arguments(&mut self, names: &[&str], kinds: &[&str]) {
        let (mut at, mut first) = (0, true);
        while at < names.len() {
            if !starts_with(kinds[at], b'>') {
                self.put(if first { "" } else { "," });
                self.put(names[at]);
                self.put(":");
                self.put(kinds[at]);
                first = false;
            }
            at += 1;
        }
    }
}

/// What a line tells.
pub enum Line<'a> {
    /// An export: its name, its parameters' names, the kinds, and words behind them.
    Function(&'a str, &'a [&'a str], &'a Kinds, &'a str),
    /// A request: its number, its name, its arguments' names and kinds, its capability.
    Ask(i64, &'a str, &'a [&'a str], &'a [&'a str], &'a str),
}

impl Line<'_> {
    const fn write(&self, pen: &mut Pen<'_>) {
        match self {
            Line::Function(name, names, kinds, words) => {
                pen.put("fn ");
                pen.put(name);
                pen.put("(");
                pen.arguments(names, &kinds.parameters);
                pen.put(")->");
                pen.put(kinds.result);
                pen.put(words);
            }
            Line::Ask(number, name, names, kinds, capability) => {
                pen.put("ask ");
                pen.number(*number);
                pen.put(" ");
                pen.put(name);
                pen.put("(");
                pen.arguments(names, kinds);
                pen.put(")->int +");
                pen.put(capability);
            }
        }
        pen.put("\n");
    }

    /// The line's length.
    pub const fn length(&self) -> usize {
        let mut pen = Pen { room: &mut [], at: 0 };
        self.write(&mut pen);
        pen.at
    }

    /// The line itself.
    pub const fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut room = [0; N];
        let mut pen = Pen { room: &mut room, at: 0 };
        self.write(&mut pen);
        assert!(pen.at == N, "a line is as long as it was counted");
        room
    }
}

/// Bytes that are a line, as text.
pub const fn text(bytes: &[u8]) -> &str {
    match core::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("names are UTF-8"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASK: Line<'static> = Line::Ask(1207, "read", &["handle", "room"], &["int", "room"], "files");
    const BYTES: [u8; ASK.length()] = ASK.bytes();

    #[test]
    fn requests_have_their_numbers() {
        assert_eq!(text(&BYTES), "ask 1207 read(handle:int,room:room)->int +files\n");
    }

    #[test]
    fn slots_with_lengths_are_known() {
        fn many(_: i64, _: &str, _: crate::Buffer<'_>, _: f64, _: &[u8]) -> i64 {
            0
        }
        let kinds = kinds(&(many as fn(_, _, _, _, _) -> _));
        assert_eq!((kinds.lengths(), kinds.width()), (0b1010, 8));
        assert_eq!(kinds.parameters[..6], ["int", "str", "buffer", "float", "bytes", ""]);
    }

    #[test]
    #[should_panic(expected = "what is written and returned must be one kind")]
    fn two_results_are_refused() {
        fn two(_: crate::Out<'_, str>) -> i64 {
            0
        }
        kinds(&(two as fn(_) -> _));
    }

    #[test]
    #[should_panic(expected = "in a batch the first parameter alone may be bytes")]
    fn a_batch_repeats_numbers_alone() {
        fn two(_: &str, _: &str) -> i64 {
            0
        }
        kinds(&(two as fn(_, _) -> _)).fixed_items();
    }
}
