//! A file of one's own beside another one.

/// The file beside `path` whose name has that in its end: `settings.json` with `_2` is `settings_2.json`. No file is no other.
#[must_use]
pub fn beside(path: &str, suffix: &str) -> String {
    match path.rsplit_once('.') {
        _ if path.is_empty() => String::new(),
        Some((stem, end)) if !end.contains('/') => format!("{stem}{suffix}.{end}"),
        _ => format!("{path}{suffix}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_beside_another_one_has_its_folder_and_its_ending() {
        for (path, other) in [
            (".mirror/settings.json", ".mirror/settings_2.json"),
            (".mirror/settings", ".mirror/settings_2"),
            ("settings", "settings_2"),
            ("", ""),
        ] {
            assert_eq!(beside(path, "_2"), other);
            assert_eq!(beside(path, ""), path);
        }
    }
}
