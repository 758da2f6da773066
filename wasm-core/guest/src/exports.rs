//! What stands for an export in the language, and the three exports of every module.

use crate::error::Error;
use crate::state;
use crate::tasks;
use crate::wire::{ANSWER_SLOT, SLOTS, VERSION as TEXT};

/// The parameters of an export.
pub type Slots = [i64; SLOTS];

/// What [`export!`](crate::export) makes beside a function: a type of the same name.
pub trait Exported {
    /// The name.
    const NAME: &'static str;
    /// The line in the record.
    const LINE: &'static str;
    /// What the host calls.
    fn call(slots: &Slots) -> i64;
    /// What the host calls for many items, where there is such a thing.
    fn batch(_: &Slots) -> i64 {
        Error::Protocol.code()
    }
}

/// Declares an export that every module has.
macro_rules! own {
    ($($(#[$doc:meta])* $type:ident = $name:literal, $slots:ident => $body:expr;)*) => { $(
        $(#[$doc])*
        pub enum $type {}
        impl Exported for $type {
            const NAME: &'static str = $name;
            const LINE: &'static str = "";
            #[inline(always)]
            fn call($slots: &Slots) -> i64 {
                $body
            }
        }
    )* };
}

own! {
    /// The addresses of the windows.
    Buffers = "skywasm.buffers", slots => state::buffers(slots[0]);
    /// Room for an input that the window does not hold.
    Reserve = "skywasm.reserve", slots => state::reserve(slots[0]);
    /// Going on.
    Resume = "skywasm.resume", slots => tasks::resume(slots[ANSWER_SLOT]);
}

/// The first line of the record.
pub const VERSION: [u8; TEXT.len()] = {
    let mut bytes = [0; TEXT.len()];
    bytes.copy_from_slice(TEXT.as_bytes());
    bytes
};
