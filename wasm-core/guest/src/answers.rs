//! The kinds of results.

use crate::error::Error;
use crate::results::Sidecar;
use crate::tasks::Task;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::future::Future;
use core::marker::PhantomData;

/// How a function ended.
pub enum Finished {
    /// With what it wrote.
    Output,
    /// With 64 bits, for the cell.
    Value(i64),
    /// With a number that is 0 or more.
    Plain(i64),
    /// With the results of a batch.
    Batch(Sidecar),
    /// Not yet.
    Later(Task),
}

/// A type that the result of an exported function may have.
pub trait Answer {
    /// The kind as the record spells it; empty when an [`Out`](crate::Out) tells.
    const KIND: &'static str;
    /// The bytes of an item in a batch's results; 0 when that varies.
    const WIDTH: usize;

    /// Ends a call.
    ///
    /// # Errors
    /// The function's own.
    fn finish(self, output: &mut Vec<u8>) -> Result<Finished, Error>;

    /// Ends an item of a batch.
    ///
    /// # Errors
    /// The function's own; `Error::Input` leaves the item to the reference.
    fn push(self, output: &mut Vec<u8>) -> Result<(), Error>;
}

/// Declares a result: kind, width, how a call ends with it, how an item does.
macro_rules! answers {
    ($($type:ty = $kind:literal, $width:literal, |$self:ident, $output:ident| $finish:expr, $push:block)*) => { $(
        impl Answer for $type {
            const KIND: &'static str = $kind;
            const WIDTH: usize = $width;
            #[inline(always)]
            #[allow(unused_variables)]
            fn finish(self, $output: &mut Vec<u8>) -> Result<Finished, Error> {
                let $self = self;
                Ok($finish)
            }
            #[inline(always)]
            #[allow(unused_variables)]
            fn push(self, $output: &mut Vec<u8>) -> Result<(), Error> {
                let $self = self;
                $push
                Ok(())
            }
        }
    )* };
}

answers! {
    () = "", 0, |this, output| Finished::Output, {}
    i64 = "int", 8, |this, output| Finished::Value(this), { output.extend_from_slice(&this.to_le_bytes()); }
    f64 = "float", 8, |this, output| Finished::Value(this.to_bits() as i64), {
        output.extend_from_slice(&this.to_le_bytes());
    }
    bool = "bool", 1, |this, output| Finished::Plain(this.into()), { output.push(this.into()); }
    u32 = "size", 8, |this, output| Finished::Plain(this.into()), {
        output.extend_from_slice(&u64::from(this).to_le_bytes());
    }
    String = "str", 0, |this, output| append(this.into_bytes(), output), { output.extend_from_slice(this.as_bytes()); }
    Vec<u8> = "bytes", 0, |this, output| append(this, output), { output.extend_from_slice(&this); }
}

/// Takes a vector over rather than copying it, where nothing was written before.
fn append(bytes: Vec<u8>, output: &mut Vec<u8>) -> Finished {
    if output.is_empty() && bytes.capacity() > output.capacity() {
        *output = bytes;
    } else {
        output.extend_from_slice(&bytes);
    }
    Finished::Output
}

impl<T: Answer> Answer for Result<T, Error> {
    const KIND: &'static str = T::KIND;
    const WIDTH: usize = T::WIDTH;
    #[inline(always)]
    fn finish(self, output: &mut Vec<u8>) -> Result<Finished, Error> {
        self?.finish(output)
    }
    #[inline(always)]
    fn push(self, output: &mut Vec<u8>) -> Result<(), Error> {
        self?.push(output)
    }
}

/// The result of an ordinary function that is mostly done at once, and rarely takes so long that the host should have
/// its turn in between. The short way allocates nothing. In a batch, items that take long are left to the reference.
///
/// ```
/// use skywasm_guest::testing::{self, Value};
/// use skywasm_guest::{Error, Work, pause};
///
/// fn sum_below(n: i64) -> Result<Work<i64>, Error> {
///     if n < 0 {
///         return Err(Error::Input);
///     }
///     if n < 10_000 {
///         return Ok(Work::Done((0..n).sum()));
///     }
///     Ok(Work::later(async move {
///         let mut sum = 0;
///         for i in 0..n {
///             if i % 10_000 == 9_999 {
///                 pause().await;
///             }
///             sum += i;
///         }
///         Ok(sum)
///     }))
/// }
///
/// assert!(matches!(sum_below(5), Ok(Work::Done(10))));
/// let Ok(Work::Later(rest)) = sum_below(35_000) else { panic!() };
/// assert_eq!(testing::finish(rest), (Ok(Value::Int(612_482_500)), 3));
/// ```
pub enum Work<T> {
    /// Done.
    Done(T),
    /// To be gone on with.
    Later(Later<T>),
}

/// The rest of a [`Work`].
pub struct Later<T> {
    pub(crate) task: Task,
    result: PhantomData<T>,
}

impl<T: Answer + 'static> Work<T> {
    /// Work that goes on as `future` does: [`pause`](crate::pause) gives the host its turn.
    pub fn later(future: impl Future<Output = Result<T, Error>> + 'static) -> Work<T> {
        let task = Box::pin(async move {
            let mut output = Vec::new();
            let finished = future.await?.finish(&mut output)?;
            Ok((finished, output))
        });
        Work::Later(Later { task, result: PhantomData })
    }
}

impl<T: Answer> Answer for Work<T> {
    const KIND: &'static str = T::KIND;
    const WIDTH: usize = T::WIDTH;
    #[inline(always)]
    fn finish(self, output: &mut Vec<u8>) -> Result<Finished, Error> {
        match self {
            Work::Done(answer) => answer.finish(output),
            Work::Later(later) => Ok(Finished::Later(later.task)),
        }
    }
    #[inline(always)]
    fn push(self, output: &mut Vec<u8>) -> Result<(), Error> {
        match self {
            Work::Done(answer) => answer.push(output),
            Work::Later(_) => Err(Error::Input),
        }
    }
}
