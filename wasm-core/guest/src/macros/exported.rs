//! What `export!` is made of.

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

/// The next parameter.
#[doc(hidden)]
#[macro_export]
macro_rules! __take {
    ($arg:ident $frame:ident) => {
        $crate::Param::take(&mut $frame)
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
                    // In a block of its own, so that the future keeps the parameters alone.
                    #[allow(clippy::unused_unit)]
                    let ($($arg,)*) = {
                        #[allow(unused_mut, unused_variables)]
                        let mut frame = owned.frame();
                        ($($crate::__take!($arg frame)?,)*)
                    };
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
            unsafe {
                $crate::expansion::run_batch(slots, fixed, width, body)
            }
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
                    #[allow(clippy::unused_unit)]
                    let ($($arg,)*) = {
                        #[allow(unused_mut, unused_variables)]
                        let mut frame = $batch.rest();
                        ($($crate::__take!($arg frame)?,)*)
                    };
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
