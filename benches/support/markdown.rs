//! Tables in a document, between marks that tell whose they are.

use std::path::Path;

use anyhow::Context;

/// Returns a table in Markdown, with columns that stand below each other. Every row has a cell for each heading.
pub(crate) fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([headings[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("| {} |\n", padded.collect::<Vec<_>>().join(" | "))
    };
    let mut table = line(&mut headings.iter().copied());
    table += &format!("|{}|\n", widths.iter().map(|width| "-".repeat(width + 2)).collect::<Vec<_>>().join("|"));
    rows.iter().for_each(|row| table += &line(&mut row.iter().map(String::as_str)));
    table
}

/// Puts `text` between the marks of `whose` in the file at `path`.
pub(crate) fn write_into(path: &Path, whose: &str, text: &str) -> anyhow::Result<()> {
    let (begin, end) = (format!("<!-- {whose}:begin -->"), format!("<!-- {whose}:end -->"));
    let before = std::fs::read_to_string(path)?;
    let (head, rest) = before.split_once(&begin).with_context(|| format!("{} lacks {begin}", path.display()))?;
    let (_, tail) = rest.split_once(&end).with_context(|| format!("{} lacks {end}", path.display()))?;
    std::fs::write(path, format!("{head}{begin}\n{text}{end}{tail}"))?;
    Ok(())
}
