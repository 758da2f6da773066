//! `host!`.

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
            const { assert!(CELLS <= $crate::wire::ARGUMENTS, "a request takes seven cells at most") };
            $crate::__record!(LINE.bytes::<{ LINE.length() }>());
        };
    };
}
