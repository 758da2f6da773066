//! Why a function gave no answer.

use core::fmt;

/// Why a function gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The arguments are not ones this function answers; the host asks the reference, whose own exception counts.
    Input,
    /// More memory would be needed than there may be.
    Limit,
    /// The call does not follow the calling convention: a length beyond the input, an unknown number.
    Protocol,
}

impl Error {
    /// The error as the result of an export: negative, so that it is never taken for an answer.
    pub const fn code(self) -> i64 {
        match self {
            Error::Input => -1,
            Error::Limit => -2,
            Error::Protocol => -3,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::Input => "the arguments are not ones this function answers",
            Error::Limit => "more memory would be needed than there may be",
            Error::Protocol => "the call does not follow the calling convention",
        })
    }
}

impl core::error::Error for Error {}

impl From<alloc::collections::TryReserveError> for Error {
    fn from(_: alloc::collections::TryReserveError) -> Error {
        Error::Limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use alloc::string::ToString;

    #[test]
    fn codes_are_negative_and_texts_differ() {
        let all = [Error::Input, Error::Limit, Error::Protocol];
        let codes: BTreeSet<i64> = all.iter().map(|error| error.code()).collect();
        assert!(codes.iter().all(|&code| code < 0 && code != crate::wire::AGAIN && code != crate::wire::ASK));
        assert_eq!(codes.len(), all.len());
        assert_eq!(all.iter().map(ToString::to_string).collect::<BTreeSet<_>>().len(), all.len());
    }
}
