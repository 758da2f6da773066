//! `export!`, `host!`, `module!`.

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

/// The call of an ordinary function.
#[doc(hidden)]
#[macro_export]
macro_rules! __call {
    ($name:ident $($arg:ident)*) => {
        #[inline(always)]
        fn call(slots: &$crate::expansion::Slots) -> i64 {
            #[allow(unused_variables)]
            let body = |frame: &mut $crate::expansion::Frame<'_>| -> Result<_, $crate::Error> {
                $(let $arg = $crate::Param::take(frame)?;)*
                Ok($name($($arg),*))
            };
            // SAFETY: this is what `export!` makes.
            #[allow(unsafe_code)]
            unsafe { $crate::expansion::run(slots, body) }
        }
    };
}

/// The call of an asynchronous function.
#[doc(hidden)]
#[macro_export]
macro_rules! __async_call {
    ($name:ident $($arg:ident)*) => {
        #[inline(always)]
        fn call(slots: &$crate::expansion::Slots) -> i64 {
            let body = |mut owned: $crate::expansion::Owned| async move {
                let finished = {
                    #[allow(unused_mut, unused_variables)]
                    let mut frame = owned.frame();
                    $(let $arg = $crate::Param::take(&mut frame)?;)*
                    let answer = $name($($arg),*).await;
                    $crate::Answer::finish(answer, owned.output())?
                };
                owned.end(finished)
            };
            // SAFETY: this is what `export!` makes.
            #[allow(unsafe_code)]
            unsafe { $crate::expansion::start(slots, const { KINDS.lengths() }, body) }
        }
    };
}

/// The batch of an ordinary function, by this loop.
#[doc(hidden)]
#[macro_export]
macro_rules! __batch {
    (|$batch:ident| $body:block) => {
        #[inline(always)]
        fn batch(slots: &$crate::expansion::Slots) -> i64 {
            let body = |$batch: &mut $crate::expansion::Batch<'_>| -> Result<(), $crate::Error> { $body };
            let (fixed, width) = const { (KINDS.fixed_items(), KINDS.width()) };
            // SAFETY: this is what `export!` makes.
            #[allow(unsafe_code)]
            unsafe { $crate::expansion::run_batch(slots, fixed, width, body) }
        }
    };
}

/// The loop over the items of a batch.
#[doc(hidden)]
#[macro_export]
macro_rules! __each {
    ($batch:ident, $name:ident $first:ident ($($arg:ident)*) $($wait:tt)*) => {
        while let Some(item) = $batch.column.next() {
            let mark = $batch.results.mark();
            let result = match item?.map($crate::Item::item) {
                Some(Ok($first)) => {
                    #[allow(unused_mut, unused_variables)]
                    let mut frame = $batch.rest();
                    $(let $arg = $crate::Param::take(&mut frame)?;)*
                    let answer = $name($first, $($arg),*) $($wait)*;
                    $crate::Answer::push(answer, $batch.results.output())
                }
                Some(Err(error)) => Err(error),
                None => Ok(()),
            };
            $batch.results.end(mark, result)?;
        }
    };
}

/// What all exports have: a type that stands for the function, the functions of the artifact, and the line.
#[doc(hidden)]
#[macro_export]
macro_rules! __exported {
    ($batch:ident $kinds:ident $name:ident ($($arg:ident)*) { $($body:tt)* }) => {
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        pub enum $name {}
        const _: () = {
            const KINDS: $crate::expansion::Kinds =
                $crate::expansion::$kinds(&($name as fn($($crate::__any!($arg)),*) -> _));
            const LINE: $crate::expansion::Line<'static> = $crate::expansion::Line::Function(
                stringify!($name), &[$(stringify!($arg)),*], &KINDS, $crate::__words!($batch),
            );
            const BYTES: [u8; LINE.length()] = LINE.bytes();
            impl $crate::Exported for $name {
                const NAME: &'static str = stringify!($name);
                const LINE: &'static str = $crate::expansion::text(&BYTES);
                $($body)*
            }
            $crate::__artifact!($batch $name BYTES);
        };
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __words {
    (alone) => {
        ""
    };
    (batch) => {
        " batch"
    };
}

/// What an export is in the artifact; natively nothing, so that names do not meet those of the C library.
#[doc(hidden)]
#[macro_export]
macro_rules! __artifact {
    (alone $name:ident $bytes:ident) => {
        $crate::__uniform!($name, call, stringify!($name));
        $crate::__record!($bytes);
    };
    (batch $name:ident $bytes:ident) => {
        $crate::__artifact!(alone $name $bytes);
        const _: () = {
            $crate::__uniform!($name, batch, concat!(stringify!($name), "[]"));
        };
    };
}

/// A function of the one type that all exports have.
#[doc(hidden)]
#[macro_export]
macro_rules! __uniform {
    ($name:ty, $run:ident, $($label:tt)*) => {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code)]
        #[unsafe(export_name = $($label)*)]
        extern "C" fn exported(a: i64, b: i64, c: i64, d: i64, e: i64, f: i64, g: i64, h: i64) -> i64 {
            <$name as $crate::Exported>::$run(&[a, b, c, d, e, f, g, h])
        }
    };
}

/// A line of the record. Without `#[used]`, which would put the bytes into the data too.
#[doc(hidden)]
#[macro_export]
macro_rules! __record {
    ($bytes:expr) => {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code)]
        #[unsafe(link_section = "skywasm.interface")]
        static RECORD: [u8; $bytes.len()] = $bytes;
    };
}

/// Declares what the module may ask of its host; once in a module, because requests are numbered in their order.
///
/// A capability is a type. A function reaches its requests through a parameter of that type alone, and safe code cannot
/// make one outside an export: what a function's line in the record says of its capabilities is proved by the compiler.
///
/// ```
/// use skywasm_guest::{export, host, testing};
///
/// host! {
///     capability Clock = "clock" {
///         /// Seconds since 1970.
///         fn clock_seconds() -> i64;
///     }
///     capability Files = "files" {
///         /// Reads on from an open file; the bytes read, 0 at its end.
///         fn file_read(handle: i64, room: &mut Vec<u8>) -> i64;
///     }
/// }
///
/// async fn is_monday(clock: Clock) -> bool {
///     clock.clock_seconds().await.div_euclid(86_400).rem_euclid(7) == 4
/// }
/// export!(async is_monday(clock));
///
/// # fn main() {
/// assert_eq!(testing::record::<is_monday>(), "fn is_monday(clock:+clock)->bool\n");
/// testing::host(|request| match request.name {
///     "clock_seconds" => 4 * 86_400,
///     other => panic!("{other} is not expected"),
/// });
/// assert!(testing::run(is_monday(testing::capability())));
/// # }
/// ```
#[macro_export]
macro_rules! host {
    ($(
        $(#[doc = $about:literal])*
        capability $capability:ident = $label:literal {
            $($(#[doc = $doc:literal])* fn $name:ident($($arg:ident: $type:ty),* $(,)?) -> i64;)*
        }
    )*) => {
        /// The numbers of the requests.
        #[allow(non_camel_case_types)]
        #[repr(i64)]
        enum __Request {
            $($($name,)*)*
        }
        $(
            $(#[doc = $about])*
            #[doc = concat!("What may be asked with the capability `", $label, "`.")]
            #[derive(Clone, Copy, Debug)]
            pub struct $capability($crate::expansion::Token);

            impl<'a> $crate::Param<'a> for $capability {
                const KIND: &'static str = concat!("+", $label);
                #[inline(always)]
                fn take(frame: &mut $crate::expansion::Frame<'a>) -> Result<Self, $crate::Error> {
                    Ok($capability(frame.token()))
                }
            }

            impl $capability {
                $($crate::__request!($(#[doc = $doc])* $name($($arg: $type),*));)*
            }

            $($crate::__asked!($label $name($($arg: $type),*));)*
        )*
    };
}

/// A request as a method.
#[doc(hidden)]
#[macro_export]
macro_rules! __request {
    ($(#[doc = $doc:literal])* $name:ident($($arg:ident: $type:ty),*)) => {
        $(#[doc = $doc])*
        pub async fn $name(&self, $($arg: $type),*) -> i64 {
            let question = $crate::expansion::Turn::new(__Request::$name as i64, stringify!($name)).await;
            $(let $arg = $crate::expansion::Sent::put($arg, &question);)*
            let answer = question.answer().await;
            $(<$type as $crate::expansion::Sent>::back($arg, &question);)*
            answer
        }
    };
}

/// A request's line.
#[doc(hidden)]
#[macro_export]
macro_rules! __asked {
    ($label:literal $name:ident($($arg:ident: $type:ty),*)) => {
        const _: () = {
            const LINE: $crate::expansion::Line<'static> = $crate::expansion::Line::Ask(
                __Request::$name as i64,
                stringify!($name),
                &[$(stringify!($arg)),*],
                &[$(<$type as $crate::expansion::Sent>::KIND),*],
                $label,
            );
            const CELLS: usize = 0 $(+ <$type as $crate::expansion::Sent>::CELLS)*;
            const { assert!(CELLS <= $crate::wire::ARGUMENTS, "a request takes six cells at most") };
            $crate::__record!(LINE.bytes::<{ LINE.length() }>());
        };
    };
}

/// Once a module: what serves the crossing itself. `module!()` for a module without the standard library also brings
/// the allocator and the panic handler; `module!(std)` leaves them to the standard library.
#[macro_export]
macro_rules! module {
    () => {
        $crate::module!(std);
        #[cfg(target_family = "wasm")]
        const _: () = {
            #[global_allocator]
            static ALLOCATOR: $crate::expansion::Allocator = $crate::expansion::Allocator;

            #[panic_handler]
            fn panic(_: &::core::panic::PanicInfo<'_>) -> ! {
                ::core::arch::wasm32::unreachable()
            }
        };
    };
    (std) => {
        const _: () = {
            $crate::__uniform!($crate::expansion::Buffers, call, "skywasm.buffers");
            $crate::__record!($crate::expansion::VERSION);
        };
        const _: () = {
            $crate::__uniform!($crate::expansion::Reserve, call, "skywasm.reserve");
        };
        const _: () = {
            $crate::__uniform!($crate::expansion::Resume, call, "skywasm.resume");
        };
    };
}
