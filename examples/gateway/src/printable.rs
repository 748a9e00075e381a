//! Text from files, for people to read on a terminal.

/// The text with its control characters escaped, so that it cannot pass for another line.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            c if c.is_control() => c.escape_default().to_string(),
            c => c.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_control_characters_are_escaped() {
        assert_eq!(
            printable("caf\u{e9} `a`: \"b\" \\"),
            "caf\u{e9} `a`: \"b\" \\"
        );
        assert_eq!(
            printable("a\r\n\u{1b}[2K\u{85}\0"),
            "a\\r\\n\\u{1b}[2K\\u{85}\\u{0}"
        );
    }
}
