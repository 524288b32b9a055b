//! Imports run down: between rooms as the table allows, and never in a circle, whether of rooms, of files or of folders.

use super::{read, rust_files};
use std::collections::{BTreeMap, BTreeSet};

/// The rooms from the top down, and the rooms that each may import.
const ROOMS: &[(&str, &[&str])] = &[
    ("main", &["cli", "capture", "judge_command", "lib"]),
    ("cli", &["judge_command", "lib"]),
    ("capture", &["lib"]),
    ("judge_command", &["lib"]),
    ("lib", &["server", "judge", "trace", "event_source", "script", "http", "text"]),
    ("server", &["judge", "trace", "script", "http", "text"]),
    ("judge", &["trace", "script", "http", "text"]),
    ("trace", &["event_source", "http", "text"]),
    ("event_source", &["http", "text"]),
    ("script", &["http", "text"]),
    ("http", &["text"]),
    ("text", &[]),
];

/// Each file under `src` as a module path (`script::parse::body`), and the files that it imports.
type Imports = BTreeMap<String, BTreeSet<String>>;

#[test]
fn every_room_imports_only_the_rooms_that_the_table_allows() {
    for (place, (room, allowed)) in ROOMS.iter().enumerate() {
        let is_below = |import: &&str| ROOMS[place + 1..].iter().any(|(below, _)| below == import);
        assert!(allowed.iter().all(is_below), "the table lets {room} import a room that is not below it");
    }
    let mut forbidden = Vec::new();
    for (module, imports) in imports() {
        let room = first_segments(&module, 1);
        let (_, allowed) = ROOMS.iter().find(|(name, _)| *name == room).unwrap_or_else(|| panic!("{module}"));
        for import in imports {
            let other = first_segments(&import, 1);
            if other != room && !allowed.contains(&other.as_str()) {
                forbidden.push(format!("{module} imports {import}"));
            }
        }
    }
    assert!(forbidden.is_empty(), "{forbidden:#?}");
}

#[test]
fn no_imports_run_in_a_circle() {
    let imports = imports();
    let circles: BTreeSet<_> = (1..=3).filter_map(|depth| circle(&shortened(&imports, depth))).collect();
    assert!(circles.is_empty(), "{circles:#?}");
}

/// The imports between paths of at most `depth` segments. A folder counts as one module there, with all of its files.
fn shortened(imports: &Imports, depth: usize) -> Imports {
    let mut short = Imports::new();
    for (module, imports) in imports {
        let module = first_segments(module, depth);
        let imports =
            imports.iter().map(|import| first_segments(import, depth)).filter(|import| *import != module);
        short.entry(module.clone()).or_default().extend(imports.collect::<Vec<_>>());
    }
    short
}

/// The modules of a circle, in order. Modules that import nothing, or only such modules, are in none.
fn circle(imports: &Imports) -> Option<Vec<String>> {
    let mut left = imports.clone();
    loop {
        let leaf = left.iter().find(|(_, imports)| imports.iter().all(|import| !left.contains_key(import)));
        match leaf.map(|(module, _)| module.clone()) {
            Some(leaf) => drop(left.remove(&leaf)),
            None => break,
        }
    }
    // Every module that is left imports another one that is left, so this walk comes back to a module that it has seen.
    let mut path = vec![left.keys().next()?.clone()];
    loop {
        let next = left[&path[path.len() - 1]].iter().find(|import| left.contains_key(*import))?;
        if let Some(start) = path.iter().position(|module| module == next) {
            return Some(path.split_off(start));
        }
        path.push(next.clone());
    }
}

fn imports() -> Imports {
    let files = rust_files("src");
    let files: Vec<_> = files.iter().filter(|file| !file.ends_with("tests.rs")).collect();
    let module = |file: &String| file.trim_end_matches(".rs").replace('/', "::");
    let modules: BTreeSet<String> = files.iter().map(|file| module(file)).collect();
    let imports_of = |file: &String| {
        let module = module(file);
        let paths = paths(&code(&read(format!("src/{file}"))));
        let imports = paths.iter().filter_map(|path| resolve(&module, path, &modules));
        imports.filter(|import| *import != module).collect()
    };
    files.iter().map(|file| (module(file), imports_of(file))).collect()
}

/// The text of a file without comments and without its unit tests, which come last.
fn code(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let is_tests = |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1].contains("mod tests");
    let end = lines.windows(2).position(is_tests).unwrap_or(lines.len());
    let code = lines[..end].iter().filter(|line| !line.trim_start().starts_with("//"));
    code.map(|line| format!("{line}\n")).collect()
}

/// Every path in the code, with those of `use` declarations written out.
fn paths(code: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let mut rest = String::new();
    for statement in code.split_inclusive(';') {
        match statement
            .rfind("use ")
            .filter(|at| is_visibility(statement[..*at].rsplit('\n').next().unwrap_or("")))
        {
            Some(at) => {
                rest += &statement[..at];
                expand("", &statement[at + 4..statement.len() - 1], &mut paths);
            }
            None => rest += statement,
        }
    }
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    paths.extend(rest.split(|c| !is_path(c)).filter(|word| word.contains("::")).map(str::to_owned));
    paths
}

/// Whether nothing but a visibility such as `pub(crate)` is before a `use`.
fn is_visibility(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || text == "pub" || (text.starts_with("pub(") && text.ends_with(')'))
}

/// Writes out `a::{b, c::{d, e}}` as `a::b`, `a::c::d` and `a::c::e`.
fn expand(before: &str, tree: &str, paths: &mut Vec<String>) {
    let tree = tree.trim();
    let (prefix, group) = match tree.split_once('{') {
        Some((prefix, group)) => (prefix, group.strip_suffix('}').unwrap_or(group)),
        None => return paths.push(format!("{before}{tree}")),
    };
    let mut depth = 0;
    let items = group.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    for item in items.filter(|item| !item.trim().is_empty()) {
        expand(&format!("{before}{prefix}"), item, paths);
    }
}

/// The module of the project that a path in `module` leads to; `None` for a path into another crate.
fn resolve(module: &str, path: &str, modules: &BTreeSet<String>) -> Option<String> {
    let is_root = matches!(module, "lib" | "main");
    let mut found: Vec<&str> = if is_root { Vec::new() } else { module.split("::").collect() };
    let mut segments =
        path.split("::").map(|segment| segment.split(' ').next().unwrap_or_default()).peekable();
    match *segments.peek()? {
        "rust_sse_server" => return Some("lib".to_owned()),
        "crate" => found.clear(),
        "self" | "super" => {}
        child if modules.contains(&[&found[..], &[child]].concat().join("::")) => {}
        _ => return None,
    }
    for segment in segments {
        match segment {
            "crate" | "self" => {}
            "super" => drop(found.pop()),
            name if modules.contains(&[&found[..], &[name]].concat().join("::")) => found.push(name),
            _ => break,
        }
    }
    Some(if found.is_empty() { "lib".to_owned() } else { found.join("::") })
}

/// The first segments of a path.
fn first_segments(path: &str, count: usize) -> String {
    path.split("::").take(count).collect::<Vec<_>>().join("::")
}

#[test]
fn paths_are_found_and_resolved() {
    let code = "use std::fmt;\npub(crate) use super::{part::{Part, Settings as S}, Script};\n\
        fn f() { body::Cut::new(crate::http::chunk::size(1)); Duration::new(0, 0) }\nuse crate::VERSION;";
    let modules = [
        "lib",
        "http",
        "http::chunk",
        "script",
        "script::parse",
        "script::parse::part",
        "script::parse::body",
    ];
    let modules: BTreeSet<String> = modules.map(str::to_owned).into();
    let found: Vec<_> =
        paths(code).iter().filter_map(|path| resolve("script::parse", path, &modules)).collect();
    assert_eq!(found, ["script", "script", "script", "lib", "script::parse::body", "http::chunk"]);
}
