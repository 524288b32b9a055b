//! Suggests the known word that a mistyped one was meant to be: "did you mean".

/// The candidate that differs from `word` least, if at most a third of its letters differ.
///
/// Differences are counted as insertions, removals and replacements of one byte (Levenshtein distance). The case of letters
/// makes no difference.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let ranked = candidates.into_iter().map(|candidate| (distance(word, candidate), candidate));
    let (distance, best) = ranked.min_by_key(|(distance, _)| *distance)?;
    (distance <= best.len().max(3) / 3).then_some(best)
}

/// ` (did you mean X?)` with the nearest candidate, or nothing.
pub fn hint<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates).map_or_else(String::new, |best| format!(" (did you mean `{best}`?)"))
}

fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(!from.eq_ignore_ascii_case(&to));
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_single_letter_changes() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn only_a_near_word_is_suggested() {
        let words = ["sleep", "status", "header"];
        assert_eq!(nearest("slep", words), Some("sleep"));
        assert_eq!(nearest("headr", words), Some("header"));
        assert_eq!(nearest("SLEEP", words), Some("sleep"));
        assert_eq!(nearest("zebra", words), None);
        assert_eq!(hint("slep", words), " (did you mean `sleep`?)");
        assert_eq!(hint("zebra", words), "");
    }
}
