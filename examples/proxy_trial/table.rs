//! Formats the rows of the table.

use crate::trials::Grade;

/// The columns of a terminal. A longer row continues on the next line, below its words.
const WIDTH: usize = 80;
/// The columns before the words: a grade and a name.
const INDENT: usize = 29;

/// A row: a grade, the name of what was tried, and the outcome in words.
pub fn row(grade: Grade, name: &str, words: &str) -> String {
    let grade = match grade {
        Grade::Pass => "pass",
        Grade::Info => "info",
        Grade::Fail => "FAIL",
    };
    let mut text = format!("{grade}  {name:22}");
    let mut column = INDENT - 1;
    for word in words.split(' ') {
        let length = word.chars().count();
        if column > INDENT && column + 1 + length > WIDTH {
            text += &format!("\n{:1$}", "", INDENT - 1);
            column = INDENT - 1;
        }
        text += &format!(" {word}");
        column += 1 + length;
    }
    text + "\n"
}
