//! The kinds of parameters, and what a call takes them from.

use crate::error::Error;
use crate::wire::SLOTS;
use alloc::vec::Vec;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

/// What a call's parameters are taken from, in their order. Functions do not see it; `export!` does.
pub struct Frame<'a> {
    input: &'a mut [u8],
    slots: &'a [i64; SLOTS],
    next: usize,
    output: Option<&'a mut Vec<u8>>,
}

impl<'a> Frame<'a> {
    #[inline(always)]
    pub(crate) fn new(input: &'a mut [u8], slots: &'a [i64; SLOTS], next: usize, output: &'a mut Vec<u8>) -> Frame<'a> {
        Frame { input, slots, next, output: Some(output) }
    }

    /// The next slot.
    ///
    /// # Errors
    /// `Error::Protocol` when there is none.
    #[inline(always)]
    pub fn slot(&mut self) -> Result<i64, Error> {
        let value = self.slots.get(self.next).copied().ok_or(Error::Protocol)?;
        self.next += 1;
        Ok(value)
    }

    /// As many bytes of the input as the next slot says.
    ///
    /// # Errors
    /// `Error::Protocol` when the input does not hold so many.
    #[inline(always)]
    pub fn bytes(&mut self) -> Result<&'a [u8], Error> {
        let length = usize::try_from(self.slot()?).map_err(|_| Error::Protocol)?;
        let input = core::mem::take(&mut self.input);
        let (bytes, rest) = input.split_at_mut_checked(length).ok_or(Error::Protocol)?;
        self.input = rest;
        Ok(bytes)
    }

    /// Proof that an export is running: what capabilities are made of.
    #[inline(always)]
    pub fn token(&self) -> Token {
        Token(())
    }
}

/// A capability holds one; safe code gets it from a [`Frame`] alone.
#[derive(Clone, Copy, Debug)]
pub struct Token(());

/// A type that a parameter of an exported function may have.
pub trait Param<'a>: Sized {
    /// The kind as the record spells it; `+name` for a capability, `>kind` for what the result is written to.
    const KIND: &'static str;

    /// Takes the parameter from the call.
    ///
    /// # Errors
    /// What the call has to answer instead.
    fn take(frame: &mut Frame<'a>) -> Result<Self, Error>;
}

/// A type that the items of a batch may have.
pub trait Item<'a>: Param<'a> {
    /// Reads one item.
    ///
    /// # Errors
    /// `Error::Input` leaves the item to the reference.
    fn item(bytes: &'a [u8]) -> Result<Self, Error>;
}

/// A text as Python has it: UTF-8 in which lone surrogates may stand, three bytes each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'a>(pub &'a [u8]);

impl Deref for Text<'_> {
    type Target = [u8];
    #[inline(always)]
    fn deref(&self) -> &[u8] {
        self.0
    }
}

/// The whole input, to be read and written. Takes no slot.
#[derive(Debug)]
pub struct Buffer<'a>(pub &'a mut [u8]);

impl Deref for Buffer<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.0
    }
}

impl DerefMut for Buffer<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        self.0
    }
}

/// Kinds of bytes that a function may write: `str`, `[u8]`, `Text`.
pub trait Written {
    /// The kind as the record spells it, with a `>` before it.
    const KIND: &'static str;
}

impl Written for str {
    const KIND: &'static str = ">str";
}

impl Written for [u8] {
    const KIND: &'static str = ">bytes";
}

impl Written for Text<'_> {
    const KIND: &'static str = ">text";
}

/// Where a function writes its result: a vector that is kept from call to call, so that nothing is allocated.
///
/// `Out<'_, str>` gives a text in Python and must be valid UTF-8 (Python refuses it otherwise), `Out<'_, Text<'_>>` a
/// text that may hold lone surrogates, `Out<'_, [u8]>` bytes. In a batch the vector holds the results of earlier items
/// too: append, and change nothing else.
#[derive(Debug)]
pub struct Out<'a, K: Written + ?Sized> {
    to: &'a mut Vec<u8>,
    kind: PhantomData<K>,
}

impl<'a, K: Written + ?Sized> Out<'a, K> {
    /// Writes to any vector, for tests and for calls within a module.
    pub fn new(to: &'a mut Vec<u8>) -> Out<'a, K> {
        Out { to, kind: PhantomData }
    }
}

impl<K: Written + ?Sized> Deref for Out<'_, K> {
    type Target = Vec<u8>;
    #[inline(always)]
    fn deref(&self) -> &Vec<u8> {
        self.to
    }
}

impl<K: Written + ?Sized> DerefMut for Out<'_, K> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        self.to
    }
}

/// Declares a parameter's kind and how it is taken; with `item`, how an item of a batch is read.
macro_rules! kinds {
    ($($type:ty = $kind:expr, $frame:ident => $take:expr $(, $bytes:ident => $item:expr)?;)*) => { $(
        impl<'a> Param<'a> for $type {
            const KIND: &'static str = $kind;
            #[inline(always)]
            fn take($frame: &mut Frame<'a>) -> Result<Self, Error> {
                $take
            }
        }
        $(impl<'a> Item<'a> for $type {
            #[inline(always)]
            fn item($bytes: &'a [u8]) -> Result<Self, Error> {
                $item
            }
        })?
    )* };
}

kinds! {
    Text<'a> = "text", frame => frame.bytes().map(Text), bytes => Ok(Text(bytes));
    &'a [u8] = "bytes", frame => frame.bytes(), bytes => Ok(bytes);
    &'a str = "str", frame => valid(frame.bytes()?), bytes => valid(bytes);
    i64 = "int", frame => frame.slot(), bytes => eight(bytes).map(i64::from_le_bytes);
    f64 = "float", frame => frame.slot().map(|bits| f64::from_bits(bits as u64)), bytes => eight(bytes).map(f64::from_le_bytes);
    bool = "bool", frame => truth(frame.slot()?);
    u32 = "size", frame => u32::try_from(frame.slot()?).map_err(|_| Error::Protocol);
    Buffer<'a> = "buffer", frame => Ok(Buffer(core::mem::take(&mut frame.input)));
}

impl<'a, K: Written + ?Sized> Param<'a> for Out<'a, K> {
    const KIND: &'static str = K::KIND;
    #[inline(always)]
    fn take(frame: &mut Frame<'a>) -> Result<Self, Error> {
        frame.output.take().map(Out::new).ok_or(Error::Protocol)
    }
}

fn valid(bytes: &[u8]) -> Result<&str, Error> {
    core::str::from_utf8(bytes).map_err(|_| Error::Input)
}

#[inline(always)]
fn eight(bytes: &[u8]) -> Result<[u8; 8], Error> {
    bytes.try_into().map_err(|_| Error::Protocol)
}

#[inline(always)]
fn truth(slot: i64) -> Result<bool, Error> {
    match slot {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Error::Protocol),
    }
}
