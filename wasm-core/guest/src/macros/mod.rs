//! The macros: `export!`, `host!`, `module!`. What begins with two underscores is theirs alone.

mod export;
mod exported;
mod host;
mod module;
