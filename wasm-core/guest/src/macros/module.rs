//! `module!`, and what becomes of exports and records in an artifact.

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
