//! What Python can call: a file a subject, each function exported just below itself.

#[cfg(test)]
mod fake;
pub mod files;
pub mod hashing;
pub mod machine;
pub mod numbers;
pub mod processes;
pub mod text;
