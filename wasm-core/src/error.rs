//! Everything that can go wrong, and the status code each case crosses the boundary as.

use core::fmt;

/// Why a function gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The arguments are not ones this function answers; the host asks the reference, whose own exception counts.
    Input,
    /// A buffer would have to be larger than the memory allows.
    Limit,
    /// A host function failed; the host kept the exception.
    Host,
    /// A host function was cut short before it wrote an answer.
    CutShort,
    /// The call does not follow the calling convention (a length beyond the buffer, an unknown number).
    Protocol,
}

impl Error {
    /// The status code of this error: negative, so that it is never taken for an answer.
    pub const fn code(self) -> i64 {
        match self {
            Error::Input => -1,
            Error::Limit => -2,
            Error::Host => -3,
            Error::CutShort => -4,
            Error::Protocol => -5,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::Input => "the arguments are not ones this function answers",
            Error::Limit => "a buffer would exceed the memory limit",
            Error::Host => "a host function failed",
            Error::CutShort => "a host function was cut short",
            Error::Protocol => "the call does not follow the calling convention",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use alloc::string::ToString;

    #[test]
    fn codes_are_negative_and_texts_differ() {
        let all = [Error::Input, Error::Limit, Error::Host, Error::CutShort, Error::Protocol];
        assert!(all.iter().all(|error| error.code() < 0 && error.code() != crate::abi::AGAIN));
        assert_eq!(all.iter().map(|error| error.code()).collect::<BTreeSet<_>>().len(), all.len());
        assert_eq!(all.iter().map(ToString::to_string).collect::<BTreeSet<_>>().len(), all.len());
    }
}
