//! The hash algorithms of the artifact, each from the crate that its authors or RustCrypto keep.

#![forbid(unsafe_code)]

use crate::Error;
use alloc::vec::Vec;
use digest::{ExtendableOutput, FixedOutput, Update, XofReader};

/// The most bytes an extendable output function is asked for at once.
pub const XOF_LIMIT: usize = 16 * 1024 * 1024;
/// MD5's number, for those who have another way to compute it.
pub const MD5: i64 = 0;

/// One line an algorithm: variant, number that crosses the boundary, type, whether the length is free.
macro_rules! algorithms {
    ($($variant:ident = $number:literal, $type:ty, $kind:ident;)*) => {
        /// A hash under way. It holds no pointer, so its bytes can be carried out of linear memory and back.
        #[derive(Clone)]
        // A box would be a pointer, and the bytes of a hasher must mean the same in another instance.
        #[allow(clippy::large_enum_variant)]
        pub enum Hasher {
            $(#[doc = stringify!($variant)] $variant($type),)*
        }

        impl Hasher {
            /// Starts the algorithm with this number (`skywasm/_hashes.py` names them).
            ///
            /// # Errors
            /// `Error::Protocol` for a number that is none.
            pub fn new(algorithm: i64) -> Result<Hasher, Error> {
                match algorithm {
                    $($number => Ok(Hasher::$variant(Default::default())),)*
                    _ => Err(Error::Protocol),
                }
            }

            /// The number of the algorithm.
            pub fn algorithm(&self) -> i64 {
                match self { $(Hasher::$variant(_) => $number,)* }
            }

            /// Takes in more bytes.
            pub fn update(&mut self, data: &[u8]) {
                match self { $(Hasher::$variant(hasher) => algorithms!(update $kind hasher data),)* }
            }

            /// Writes the digest of all bytes so far. `length` counts for extendable outputs only.
            ///
            /// # Errors
            /// `Error::Limit` for a length above `XOF_LIMIT`.
            pub fn finish(self, length: i64, out: &mut Vec<u8>) -> Result<(), Error> {
                match self { $(Hasher::$variant(hasher) => algorithms!(finish $kind hasher length out),)* }
            }
        }
    };
    (update blake3 $hasher:ident $data:ident) => {{
        $hasher.update($data);
    }};
    (update $kind:ident $hasher:ident $data:ident) => {
        Update::update($hasher, $data)
    };
    (finish fixed $hasher:ident $length:ident $out:ident) => {{
        $out.extend_from_slice(&$hasher.finalize_fixed());
        Ok(())
    }};
    (finish xof $hasher:ident $length:ident $out:ident) => {{
        let length = usize::try_from($length).ok().filter(|&l| l <= XOF_LIMIT).ok_or(Error::Limit)?;
        let start = $out.len();
        $out.resize(start + length, 0);
        $hasher.finalize_xof().read(&mut $out[start..]);
        Ok(())
    }};
    (finish blake3 $hasher:ident $length:ident $out:ident) => {{
        $out.extend_from_slice($hasher.finalize().as_bytes());
        Ok(())
    }};
}

algorithms! {
    Md5 = 0, md5::Md5, fixed;
    Sha1 = 1, sha1::Sha1, fixed;
    Sha224 = 2, sha2::Sha224, fixed;
    Sha256 = 3, sha2::Sha256, fixed;
    Sha384 = 4, sha2::Sha384, fixed;
    Sha512 = 5, sha2::Sha512, fixed;
    Sha512_224 = 6, sha2::Sha512_224, fixed;
    Sha512_256 = 7, sha2::Sha512_256, fixed;
    Sha3_224 = 8, sha3::Sha3_224, fixed;
    Sha3_256 = 9, sha3::Sha3_256, fixed;
    Sha3_384 = 10, sha3::Sha3_384, fixed;
    Sha3_512 = 11, sha3::Sha3_512, fixed;
    Shake128 = 12, shake::Shake128, xof;
    Shake256 = 13, shake::Shake256, xof;
    Blake2b = 14, blake2::Blake2b512, fixed;
    Blake2s = 15, blake2::Blake2s256, fixed;
    Blake3 = 16, blake3::Hasher, blake3;
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn hex(algorithm: i64, length: i64, parts: &[&[u8]]) -> String {
        let mut hasher = Hasher::new(algorithm).unwrap();
        assert_eq!(hasher.algorithm(), algorithm);
        for part in parts {
            hasher.update(part);
        }
        let mut out = Vec::new();
        hasher.finish(length, &mut out).unwrap();
        out.iter().map(|byte| alloc::format!("{byte:02x}")).collect()
    }

    #[test]
    fn empty_digests_are_the_published_ones() {
        assert_eq!(hex(0, 0, &[]), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(hex(1, 0, &[]), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        assert_eq!(hex(3, 0, &[]), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(hex(9, 0, &[]), "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
        assert_eq!(hex(15, 0, &[]), "69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9");
        assert_eq!(hex(16, 0, &[]), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
    }

    #[test]
    fn every_algorithm_gives_the_same_digest_in_parts() {
        let data: Vec<u8> = (0..5000u32).map(|i| (i % 251) as u8).collect();
        for algorithm in 0..17 {
            let whole = hex(algorithm, 64, &[&data]);
            for cut in [0, 1, 55, 64, 128, 1024, 1025, 4999] {
                assert_eq!(hex(algorithm, 64, &[&data[..cut], &data[cut..]]), whole, "{algorithm} {cut}");
            }
        }
    }

    #[test]
    fn a_copy_goes_its_own_way() {
        let mut first = Hasher::new(3).unwrap();
        first.update(b"a");
        let mut second = first.clone();
        second.update(b"b");
        let (mut a, mut ab) = (Vec::new(), Vec::new());
        first.finish(0, &mut a).unwrap();
        second.finish(0, &mut ab).unwrap();
        assert_ne!(a, ab);
    }

    #[test]
    fn extendable_outputs_have_a_free_length() {
        assert_eq!(hex(12, 0, &[b"x"]), "");
        assert_eq!(hex(12, 200, &[b"x"])[..64], hex(12, 32, &[b"x"]));
        let mut out = Vec::new();
        for length in [-1, XOF_LIMIT as i64 + 1] {
            assert_eq!(Hasher::new(13).unwrap().finish(length, &mut out), Err(Error::Limit));
        }
    }

    #[test]
    fn unknown_numbers_are_refused() {
        for number in [-1, 17, i64::MAX] {
            assert!(matches!(Hasher::new(number), Err(Error::Protocol)));
        }
    }
}
