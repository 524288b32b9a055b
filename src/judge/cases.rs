//! The cases that are built in. Each is a script in `src/cases`, and its ID is the name of the file. Those on parsing are
//! also played cut into pieces, because a client must not depend on where a stream is cut.

use crate::script::case::Case;
use crate::script::parse::ParseErrors;
use crate::script::Script;

/// A script that is a test case.
#[derive(Clone, Debug)]
pub struct TestCase {
    /// Its name, such as `P06`; of a variant `P06-1`, `P06-2` or `P06-cuts`.
    pub id: String,
    /// What it tests.
    pub about: Case,
    /// How its stream is played.
    pub variant: Variant,
    text: Vec<u8>,
}

/// How the stream of a case is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// As it is written.
    Written,
    /// In pieces of this many bytes.
    Pieces(u32),
    /// Again and again, each time cut once, at as many places.
    Cuts(u64),
}

impl TestCase {
    /// The case in the text of a script.
    ///
    /// # Errors
    /// Those of the script. A script without `@case` is a case of the level `must` that tests which events the client
    /// dispatches.
    pub fn parse(id: &str, text: &[u8]) -> Result<TestCase, ParseErrors> {
        let script = Script::compile(&format!("{id}.sse"), "/", text)?;
        Ok(TestCase {
            id: id.to_owned(),
            about: script.case.unwrap_or_default(),
            variant: Variant::Written,
            text: text.to_vec(),
        })
    }

    /// The case of a user's own script. One that has neither `@case` nor `@expect` nor `@part`, such as a captured stream, tests
    /// which events the client dispatches; a request after that gets 204.
    ///
    /// # Errors
    /// The text is invalid. This cannot happen, because it was compiled before.
    pub fn of_script(script: &Script) -> Result<TestCase, ParseErrors> {
        let id = script.name.trim_start_matches('/').replace('/', "-");
        let text = script.text();
        let has_parts = text.split(|&byte| byte == b'\n').any(|line| line.starts_with(b"@part "));
        let is_case = script.case.is_some() || script.expectations().next().is_some();
        if has_parts || is_case {
            return TestCase::parse(&id, text);
        }
        let case = format!(
            "@case must 9.2.6 The events of {id} are dispatched\n@part connection 1\n@expect events\n"
        );
        let after_text = if text.ends_with(b"\n") { "" } else { "\n" };
        let end = format!("{after_text}@part otherwise\n@status 204\n");
        TestCase::parse(&id, &[case.as_bytes(), text, end.as_bytes()].concat())
    }

    /// The script, compiled anew, so that it counts requests from 1.
    pub fn script(&self) -> Option<Script> {
        let script = Script::compile(&self.id, "/", &*self.text).ok()?;
        match self.variant {
            Variant::Written => Some(script),
            Variant::Pieces(size) => script.in_pieces(size),
            Variant::Cuts(_) => script.cut_everywhere(),
        }
    }

    /// The same case with its stream cut, in each way that is possible.
    fn variants(&self) -> Vec<TestCase> {
        let places = self.script().and_then(|script| script.places_to_cut());
        let variant = |suffix: &str, how: &str, variant| {
            let about = Case { text: format!("{} ({how})", self.about.text), ..self.about.clone() };
            TestCase { id: format!("{}-{suffix}", self.id), about, variant, text: self.text.clone() }
        };
        let mut variants = vec![
            variant("1", "in pieces of 1 byte", Variant::Pieces(1)),
            variant("2", "in pieces of 2 bytes", Variant::Pieces(2)),
        ];
        variants.extend(
            places.map(|places| variant("cuts", "cut once, at each position", Variant::Cuts(places))),
        );
        variants.retain(|variant| variant.script().is_some());
        variants
    }
}

/// The built-in cases, each followed by its variants.
///
/// # Errors
/// None in a released binary: a test compiles every case.
pub fn built_in() -> Result<Vec<TestCase>, ParseErrors> {
    let mut cases = Vec::new();
    for (id, text) in BUILT_IN {
        let case = TestCase::parse(id, text)?;
        let variants = if id.starts_with('P') { case.variants() } else { Vec::new() };
        cases.push(case);
        cases.extend(variants);
    }
    Ok(cases)
}

/// Whether a case with this ID, or the case that it is a variant of, is built in.
pub fn is_built_in(id: &str) -> bool {
    let written = id.split('-').next().unwrap_or_default();
    BUILT_IN.iter().any(|(built_in, _)| *built_in == written)
}

/// ID and text of every case.
const BUILT_IN: &[(&str, &[u8])] = &[
    ("P01", include_bytes!("../cases/P01.sse")),
    ("P02", include_bytes!("../cases/P02.sse")),
    ("P03", include_bytes!("../cases/P03.sse")),
    ("P04", include_bytes!("../cases/P04.sse")),
    ("P05a", include_bytes!("../cases/P05a.sse")),
    ("P05b", include_bytes!("../cases/P05b.sse")),
    ("P05c", include_bytes!("../cases/P05c.sse")),
    ("P05d", include_bytes!("../cases/P05d.sse")),
    ("P06", include_bytes!("../cases/P06.sse")),
    ("P07", include_bytes!("../cases/P07.sse")),
    ("P08", include_bytes!("../cases/P08.sse")),
    ("P09", include_bytes!("../cases/P09.sse")),
    ("P10", include_bytes!("../cases/P10.sse")),
    ("P11", include_bytes!("../cases/P11.sse")),
    ("P12", include_bytes!("../cases/P12.sse")),
    ("P13", include_bytes!("../cases/P13.sse")),
    ("P14", include_bytes!("../cases/P14.sse")),
    ("P15", include_bytes!("../cases/P15.sse")),
    ("P16", include_bytes!("../cases/P16.sse")),
    ("P17a", include_bytes!("../cases/P17a.sse")),
    ("P17b", include_bytes!("../cases/P17b.sse")),
    ("P17c", include_bytes!("../cases/P17c.sse")),
    ("P17d", include_bytes!("../cases/P17d.sse")),
    ("P17e", include_bytes!("../cases/P17e.sse")),
    ("P18", include_bytes!("../cases/P18.sse")),
    ("P19", include_bytes!("../cases/P19.sse")),
    ("P20", include_bytes!("../cases/P20.sse")),
    ("P21", include_bytes!("../cases/P21.sse")),
    ("P22", include_bytes!("../cases/P22.sse")),
    ("P23", include_bytes!("../cases/P23.sse")),
    ("P24", include_bytes!("../cases/P24.sse")),
    ("P25", include_bytes!("../cases/P25.sse")),
    ("P26", include_bytes!("../cases/P26.sse")),
    ("P27", include_bytes!("../cases/P27.sse")),
    ("P28", include_bytes!("../cases/P28.sse")),
    ("P29", include_bytes!("../cases/P29.sse")),
    ("P30", include_bytes!("../cases/P30.sse")),
    ("P31", include_bytes!("../cases/P31.sse")),
    ("P32", include_bytes!("../cases/P32.sse")),
    ("P33", include_bytes!("../cases/P33.sse")),
    ("P34", include_bytes!("../cases/P34.sse")),
    ("P35", include_bytes!("../cases/P35.sse")),
    ("P36", include_bytes!("../cases/P36.sse")),
    ("P37a", include_bytes!("../cases/P37a.sse")),
    ("P37b", include_bytes!("../cases/P37b.sse")),
    ("P38", include_bytes!("../cases/P38.sse")),
    ("P39", include_bytes!("../cases/P39.sse")),
    ("H01", include_bytes!("../cases/H01.sse")),
    ("H02", include_bytes!("../cases/H02.sse")),
    ("H03", include_bytes!("../cases/H03.sse")),
    ("H04a", include_bytes!("../cases/H04a.sse")),
    ("H04b", include_bytes!("../cases/H04b.sse")),
    ("H04c", include_bytes!("../cases/H04c.sse")),
    ("H05a", include_bytes!("../cases/H05a.sse")),
    ("H05b", include_bytes!("../cases/H05b.sse")),
    ("H06", include_bytes!("../cases/H06.sse")),
    ("H07", include_bytes!("../cases/H07.sse")),
    ("H08", include_bytes!("../cases/H08.sse")),
    ("H09", include_bytes!("../cases/H09.sse")),
    ("H10a", include_bytes!("../cases/H10a.sse")),
    ("H10b", include_bytes!("../cases/H10b.sse")),
    ("H10c", include_bytes!("../cases/H10c.sse")),
    ("H10d", include_bytes!("../cases/H10d.sse")),
    ("H10e", include_bytes!("../cases/H10e.sse")),
    ("H10f", include_bytes!("../cases/H10f.sse")),
    ("H10g", include_bytes!("../cases/H10g.sse")),
    ("H11a", include_bytes!("../cases/H11a.sse")),
    ("H11b", include_bytes!("../cases/H11b.sse")),
    ("H12a", include_bytes!("../cases/H12a.sse")),
    ("H12b", include_bytes!("../cases/H12b.sse")),
    ("H12c", include_bytes!("../cases/H12c.sse")),
    ("H12d", include_bytes!("../cases/H12d.sse")),
    ("H12e", include_bytes!("../cases/H12e.sse")),
    ("H13", include_bytes!("../cases/H13.sse")),
    ("H14a", include_bytes!("../cases/H14a.sse")),
    ("H14b", include_bytes!("../cases/H14b.sse")),
    ("H15", include_bytes!("../cases/H15.sse")),
    ("H16", include_bytes!("../cases/H16.sse")),
    ("H17", include_bytes!("../cases/H17.sse")),
    ("H18a", include_bytes!("../cases/H18a.sse")),
    ("H18b", include_bytes!("../cases/H18b.sse")),
    ("H19", include_bytes!("../cases/H19.sse")),
    ("H20a", include_bytes!("../cases/H20a.sse")),
    ("H20b", include_bytes!("../cases/H20b.sse")),
    ("H21a", include_bytes!("../cases/H21a.sse")),
    ("H21b", include_bytes!("../cases/H21b.sse")),
    ("H22", include_bytes!("../cases/H22.sse")),
    ("H23", include_bytes!("../cases/H23.sse")),
    ("H24", include_bytes!("../cases/H24.sse")),
    ("H25", include_bytes!("../cases/H25.sse")),
    ("H26", include_bytes!("../cases/H26.sse")),
    ("H27", include_bytes!("../cases/H27.sse")),
    ("H28", include_bytes!("../cases/H28.sse")),
    ("H29", include_bytes!("../cases/H29.sse")),
    ("H30a", include_bytes!("../cases/H30a.sse")),
    ("H30b", include_bytes!("../cases/H30b.sse")),
    ("H31", include_bytes!("../cases/H31.sse")),
    ("R01", include_bytes!("../cases/R01.sse")),
    ("R02", include_bytes!("../cases/R02.sse")),
    ("R03", include_bytes!("../cases/R03.sse")),
    ("R04", include_bytes!("../cases/R04.sse")),
    ("R05", include_bytes!("../cases/R05.sse")),
    ("R06", include_bytes!("../cases/R06.sse")),
    ("R07", include_bytes!("../cases/R07.sse")),
    ("R08", include_bytes!("../cases/R08.sse")),
    ("R09", include_bytes!("../cases/R09.sse")),
    ("R10", include_bytes!("../cases/R10.sse")),
    ("R11", include_bytes!("../cases/R11.sse")),
    ("R12", include_bytes!("../cases/R12.sse")),
    ("R13", include_bytes!("../cases/R13.sse")),
    ("R14", include_bytes!("../cases/R14.sse")),
    ("R15", include_bytes!("../cases/R15.sse")),
    ("L01", include_bytes!("../cases/L01.sse")),
    ("L02", include_bytes!("../cases/L02.sse")),
    ("L03", include_bytes!("../cases/L03.sse")),
    ("L04", include_bytes!("../cases/L04.sse")),
    ("L05", include_bytes!("../cases/L05.sse")),
    ("L06", include_bytes!("../cases/L06.sse")),
];
