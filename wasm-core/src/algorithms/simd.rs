//! Four 32-bit lanes: wasm's 128-bit vectors in the artifact, plain arrays elsewhere, so that native tests run the
//! same algorithms.
#![allow(unsafe_code)]

#[cfg(all(target_family = "wasm", target_feature = "simd128"))]
mod backend {
    use core::arch::wasm32 as wasm;

    /// Four lanes.
    pub type Lanes = wasm::v128;

    pub use wasm::{
        i32x4_add as add, u32x4_splat as splat, v128_and as and, v128_not as not, v128_or as or, v128_xor as xor,
    };

    #[inline(always)]
    pub fn rotate<const N: u32>(value: Lanes) -> Lanes {
        or(wasm::u32x4_shl(value, N), wasm::u32x4_shr(value, 32 - N))
    }

    /// Keeps the compiler from moving what makes `value` past the next pin.
    #[inline(always)]
    pub fn pin(value: Lanes) {
        let mut place = core::mem::MaybeUninit::<Lanes>::uninit();
        // SAFETY: the place is this function's own. The volatile store is the point: its order is kept.
        unsafe { core::ptr::write_volatile(place.as_mut_ptr(), value) }
    }

    /// The sixteen little-endian words at `at` of four messages, word by word.
    #[inline(always)]
    pub fn transpose(messages: &[&[u8]; 4], at: usize, words: &mut [Lanes; 16]) {
        for quarter in 0..4 {
            let rows = messages.map(|message| {
                let bytes = &message[at + quarter * 16..][..16];
                // SAFETY: the slice is 16 bytes long, and wasm loads need no alignment.
                unsafe { wasm::v128_load(bytes.as_ptr().cast()) }
            });
            let low = [
                wasm::i32x4_shuffle::<0, 4, 1, 5>(rows[0], rows[1]),
                wasm::i32x4_shuffle::<0, 4, 1, 5>(rows[2], rows[3]),
            ];
            let high = [
                wasm::i32x4_shuffle::<2, 6, 3, 7>(rows[0], rows[1]),
                wasm::i32x4_shuffle::<2, 6, 3, 7>(rows[2], rows[3]),
            ];
            words[quarter * 4] = wasm::i64x2_shuffle::<0, 2>(low[0], low[1]);
            words[quarter * 4 + 1] = wasm::i64x2_shuffle::<1, 3>(low[0], low[1]);
            words[quarter * 4 + 2] = wasm::i64x2_shuffle::<0, 2>(high[0], high[1]);
            words[quarter * 4 + 3] = wasm::i64x2_shuffle::<1, 3>(high[0], high[1]);
        }
    }

    /// What each lane holds over four vectors, as little-endian bytes.
    #[inline(always)]
    pub fn columns(rows: &[Lanes; 4]) -> [[u8; 16]; 4] {
        let low =
            [wasm::i32x4_shuffle::<0, 4, 1, 5>(rows[0], rows[1]), wasm::i32x4_shuffle::<0, 4, 1, 5>(rows[2], rows[3])];
        let high =
            [wasm::i32x4_shuffle::<2, 6, 3, 7>(rows[0], rows[1]), wasm::i32x4_shuffle::<2, 6, 3, 7>(rows[2], rows[3])];
        [
            bytes(wasm::i64x2_shuffle::<0, 2>(low[0], low[1])),
            bytes(wasm::i64x2_shuffle::<1, 3>(low[0], low[1])),
            bytes(wasm::i64x2_shuffle::<0, 2>(high[0], high[1])),
            bytes(wasm::i64x2_shuffle::<1, 3>(high[0], high[1])),
        ]
    }

    #[inline(always)]
    fn bytes(value: Lanes) -> [u8; 16] {
        let mut out = [0u8; 16];
        // SAFETY: the array is as long as what is written, and needs no alignment.
        unsafe { wasm::v128_store(out.as_mut_ptr().cast(), value) }
        out
    }

    /// Sixteen bytes as hexadecimal digits.
    #[inline(always)]
    pub fn hex(bytes: &[u8; 16]) -> [u8; 32] {
        let digits = wasm::u8x16(48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 97, 98, 99, 100, 101, 102);
        // SAFETY: both arrays are as long as what is read and written, and need no alignment.
        unsafe {
            let value = wasm::v128_load(bytes.as_ptr().cast());
            let high = wasm::i8x16_swizzle(digits, wasm::u8x16_shr(value, 4));
            let low = wasm::i8x16_swizzle(digits, and(value, wasm::u8x16_splat(15)));
            let first = wasm::i8x16_shuffle::<0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23>(high, low);
            let second = wasm::i8x16_shuffle::<8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31>(high, low);
            let mut out = [0u8; 32];
            wasm::v128_store(out.as_mut_ptr().cast(), first);
            wasm::v128_store(out.as_mut_ptr().add(16).cast(), second);
            out
        }
    }

    fn array(value: Lanes) -> [u32; 4] {
        [
            wasm::u32x4_extract_lane::<0>(value),
            wasm::u32x4_extract_lane::<1>(value),
            wasm::u32x4_extract_lane::<2>(value),
            wasm::u32x4_extract_lane::<3>(value),
        ]
    }

    /// One lane's value.
    pub fn lane(value: Lanes, index: usize) -> u32 {
        array(value)[index]
    }

    /// The lanes with one of them replaced.
    pub fn with_lane(value: Lanes, index: usize, new: u32) -> Lanes {
        match index {
            0 => wasm::u32x4_replace_lane::<0>(value, new),
            1 => wasm::u32x4_replace_lane::<1>(value, new),
            2 => wasm::u32x4_replace_lane::<2>(value, new),
            _ => wasm::u32x4_replace_lane::<3>(value, new),
        }
    }
}

#[cfg(not(all(target_family = "wasm", target_feature = "simd128")))]
mod backend {
    use core::array::from_fn;

    /// Four lanes.
    pub type Lanes = [u32; 4];

    pub fn splat(value: u32) -> Lanes {
        [value; 4]
    }

    pub fn add(a: Lanes, b: Lanes) -> Lanes {
        from_fn(|i| a[i].wrapping_add(b[i]))
    }

    pub fn and(a: Lanes, b: Lanes) -> Lanes {
        from_fn(|i| a[i] & b[i])
    }

    pub fn or(a: Lanes, b: Lanes) -> Lanes {
        from_fn(|i| a[i] | b[i])
    }

    pub fn xor(a: Lanes, b: Lanes) -> Lanes {
        from_fn(|i| a[i] ^ b[i])
    }

    pub fn not(a: Lanes) -> Lanes {
        a.map(|word| !word)
    }

    pub fn rotate<const N: u32>(value: Lanes) -> Lanes {
        value.map(|word| word.rotate_left(N))
    }

    /// Nothing to keep in order here.
    pub fn pin(_: Lanes) {}

    /// The sixteen little-endian words at `at` of four messages, word by word.
    pub fn transpose(messages: &[&[u8]; 4], at: usize, words: &mut [Lanes; 16]) {
        for (index, word) in words.iter_mut().enumerate() {
            *word = messages.map(|message| {
                let bytes = &message[at + index * 4..][..4];
                u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
            });
        }
    }

    /// What each lane holds over four vectors, as little-endian bytes.
    pub fn columns(rows: &[Lanes; 4]) -> [[u8; 16]; 4] {
        from_fn(|lane| from_fn(|i| rows[i / 4][lane].to_le_bytes()[i % 4]))
    }

    /// Sixteen bytes as hexadecimal digits.
    pub fn hex(bytes: &[u8; 16]) -> [u8; 32] {
        let digits = b"0123456789abcdef";
        from_fn(|i| digits[usize::from(if i % 2 == 0 { bytes[i / 2] >> 4 } else { bytes[i / 2] & 15 })])
    }

    /// One lane's value.
    pub fn lane(value: Lanes, index: usize) -> u32 {
        value[index]
    }

    /// The lanes with one of them replaced.
    pub fn with_lane(mut value: Lanes, index: usize, new: u32) -> Lanes {
        value[index] = new;
        value
    }
}

pub(crate) use backend::{Lanes, add, and, columns, hex, lane, not, or, pin, rotate, splat, transpose, with_lane, xor};
