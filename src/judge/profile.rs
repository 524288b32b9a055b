//! Chooses the cases for a kind of client.

use super::cases::is_built_in;
use std::str::FromStr;

/// A kind of client, which decides the cases that apply to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    name: &'static str,
    /// Patterns for the names of the cases.
    cases: &'static str,
    /// Patterns for those among them that do not apply.
    except: &'static str,
}

/// All profiles, the default first. The cases H27 to H30 need what only browsers have: cookies and CORS. R12 is about POST.
pub const PROFILES: [Profile; 4] = [
    Profile { name: "eventsource", cases: "P*,H*,R*", except: "H27,H28,H29,H30*,R12" },
    Profile { name: "browser", cases: "P*,H*,R*", except: "R12" },
    Profile { name: "library", cases: "P*,H*,R*,L*", except: "H27,H28,H29,H30*" },
    Profile { name: "parser", cases: "P*", except: "" },
];

impl Profile {
    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether the case of this name applies.
    pub fn includes(&self, id: &str) -> bool {
        matches_any(self.cases, id) && !matches_any(self.except, id)
    }
}

impl Default for Profile {
    fn default() -> Profile {
        PROFILES[0]
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(name: &str) -> Result<Profile, String> {
        let names: Vec<&str> = PROFILES.iter().map(Profile::name).collect();
        let found = PROFILES.iter().find(|profile| profile.name == name);
        found.copied().ok_or_else(|| format!("one of {}", names.join(", ")))
    }
}

/// Which cases to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The kind of client.
    pub profile: Profile,
    /// Names of cases, separated by commas, in which `*` stands for any characters; `None` for those of the profile.
    pub cases: Option<String>,
}

impl Selection {
    /// Whether the case with this name is selected.
    pub fn includes(&self, id: &str) -> bool {
        match &self.cases {
            Some(patterns) => matches_any(patterns, id),
            // A user's own case is for every kind of client.
            None => self.profile.includes(id) || !is_built_in(id),
        }
    }
}

/// Whether a name matches one of the patterns, which are separated by commas. `*` stands for any characters.
pub fn matches_any(patterns: &str, name: &str) -> bool {
    patterns.split(',').any(|pattern| matches(pattern, name))
}

/// A loop over the pieces between the stars, because a client can send any number of them: each piece is best where it is
/// found first, since that leaves the most to the pieces after it.
fn matches(pattern: &str, name: &str) -> bool {
    let (start, rest) = match pattern.split_once('*') {
        Some(parts) => parts,
        None => return pattern == name,
    };
    let mut pieces = rest.split('*');
    let end = pieces.next_back().unwrap_or_default();
    let tail = pieces.try_fold(name.strip_prefix(start), |tail, piece| {
        let tail = tail?;
        let at = tail.find(piece)?;
        Some(Some(&tail[at + piece.len()..]))
    });
    tail.flatten().map_or(false, |tail| tail.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        assert!(matches_any("R*,P0*", "P06"));
        assert!(matches_any("P06", "P06"));
        assert!(matches_any("*6*", "P06"));
        assert!(!matches_any("P0,H*", "P06"));
        assert!(!matches_any("", "P06"));
        assert!(matches_any("P*6", "P06") && matches_any("*P*0*6*", "P06") && matches_any("***", ""));
        assert!(!matches_any("P0*06", "P06") && !matches_any("*6*0*", "P06") && !matches_any("*0", "P06"));
    }

    #[test]
    fn many_stars_take_neither_much_time_nor_much_of_the_stack() {
        assert!(matches_any(&"*".repeat(100_000), "P06"));
        assert!(!matches_any(&("*".repeat(100_000) + "x"), "P06"));
    }

    #[test]
    fn a_profile_includes_the_cases_that_apply() {
        let ids = ["P01", "H28", "R12", "L01"];
        let included = |name: &str| {
            let profile: Profile = name.parse().unwrap();
            ids.iter().filter(|id| profile.includes(id)).copied().collect::<Vec<_>>()
        };
        assert_eq!(included("eventsource"), ["P01"]);
        assert_eq!(included("browser"), ["P01", "H28"]);
        assert_eq!(included("library"), ["P01", "R12", "L01"]);
        assert_eq!(included("parser"), ["P01"]);
        assert_eq!("x".parse::<Profile>(), Err("one of eventsource, browser, library, parser".to_owned()));
    }
}
