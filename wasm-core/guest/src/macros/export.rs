//! `export!`.

/// A type parameter's place in a function's type.
#[doc(hidden)]
#[macro_export]
macro_rules! __any {
    ($name:ident) => {
        _
    };
}

/// Exports a function: `export!(name(its, parameters))`, just below it. The types are the function's own; the names
/// go into the record, and are what Python calls the parameters.
///
/// * `export!(name(a, b))` for an ordinary function, `export!(async name(a, b))` for one that asks the host or pauses;
/// * `, batch` behind it: the function for many first parameters in one call;
/// * `, batch = path(b)`: the same by a loop of your own (ordinary functions only),
///   `fn path(column: &mut Column<'_>, b: i64, results: &mut Results) -> Result<(), Error>`, which ends each item in
///   turn.
///
/// ```
/// use skywasm_guest::{Error, Out, Text, export, testing};
///
/// /// The letters from the back, as bytes go.
/// pub fn backwards(word: Text<'_>, times: i64, mut out: Out<'_, str>) -> Result<(), Error> {
///     if times < 0 || !word.is_ascii() {
///         return Err(Error::Input);
///     }
///     for _ in 0..times {
///         out.extend(word.iter().rev());
///     }
///     Ok(())
/// }
/// export!(backwards(word, times, out), batch);
///
/// # fn main() {
/// use testing::{Argument, Value};
/// assert_eq!(testing::record::<backwards>(), "fn backwards(word:text,times:int)->str batch\n");
/// let answer = testing::call::<backwards>(&[Argument::Bytes(b"abc"), Argument::Int(2)]);
/// assert_eq!(answer, Ok(Value::Bytes(b"cbacba".to_vec())));
/// # }
/// ```
///
/// A parameter or result of a type that has no kind does not compile:
/// ```compile_fail
/// fn wrong(width: u16) -> i64 {
///     width.into()
/// }
/// skywasm_guest::export!(wrong(width));
/// ```
#[macro_export]
macro_rules! export {
    (async $name:ident ($($arg:ident),* $(,)?)) => {
        $crate::__exported!(alone async_kinds $name ($($arg)*) { $crate::__async_call!($name $($arg)*); });
    };
    (async $name:ident ($first:ident $(, $arg:ident)* $(,)?), batch) => {
        $crate::__exported!(batch async_kinds $name ($first $($arg)*) {
            $crate::__async_call!($name $first $($arg)*);
            #[inline(always)]
            fn batch(slots: &$crate::expansion::Slots) -> i64 {
                let body = |owned: $crate::expansion::Owned| async move {
                    let mut batch = owned.batch(const { KINDS.fixed_items() }, const { KINDS.width() })?;
                    $crate::__each!(batch, $name $first ($($arg)*) .await);
                    $crate::expansion::Outcome::Ok(batch.results.finish())
                };
                // SAFETY: this is what `export!` makes.
                #[allow(unsafe_code)]
                unsafe { $crate::expansion::start_batch(slots, body) }
            }
        });
    };
    ($name:ident ($($arg:ident),* $(,)?)) => {
        $crate::__exported!(alone kinds $name ($($arg)*) { $crate::__call!($name $($arg)*); });
    };
    ($name:ident ($first:ident $(, $arg:ident)* $(,)?), batch) => {
        $crate::__exported!(batch kinds $name ($first $($arg)*) {
            $crate::__call!($name $first $($arg)*);
            $crate::__batch!(|batch| { $crate::__each!(batch, $name $first ($($arg)*)); Ok(()) });
        });
    };
    ($name:ident ($first:ident $(, $arg:ident)* $(,)?), batch = $many:ident ($($given:ident),* $(,)?)) => {
        $crate::__exported!(batch kinds $name ($first $($arg)*) {
            $crate::__call!($name $first $($arg)*);
            $crate::__batch!(|batch| {
                #[allow(unused_mut, unused_variables)]
                let mut frame = batch.rest();
                $(let $given = $crate::Param::take(&mut frame)?;)*
                $many(&mut batch.column, $($given,)* &mut batch.results)
            });
        });
    };
}
