//! No code: see Cargo.toml, which asks for the same features whichever part of the workspace is built.
