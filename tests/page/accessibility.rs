//! The page fits windows of any size, and can be used with a keyboard and a screen reader.

use super::{connect, open_page, rows, wait_for_state};
use crate::browser::Browser;
use crate::chromium::Chromium;
use crate::support::{has_tool, skip, Program};
use std::fs;
use std::path::PathBuf;

/// Shows the introduction.
const INTRODUCE: &str = "introduce(true)";

/// The number of pixels by which the page is wider than the window.
const OVERFLOW: &str = "String(document.documentElement.scrollWidth - document.documentElement.clientWidth)";

/// Whether the whole element with this id is in view.
fn is_in_view(id: &str) -> String {
    format!(
        "(() => {{ const {{ left, top, right, bottom }} = document.getElementById('{id}').getBoundingClientRect(); \
         return String(left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight && right - left > 150 && bottom - top > 100) }})()"
    )
}

#[test]
fn nothing_is_wider_than_the_window_and_a_projector_shows_all_columns() {
    if !has_tool("chromium") {
        return;
    }
    let program = Program::start(&["--speed", "100"]);
    let mut page = open_page(&program);
    // The second is 1280×720 at 150 %, the third at 200 %.
    for (width, height) in [(400, 800), (853, 480), (640, 360), (1400, 900)] {
        page.resize(width, height);
        page.act(INTRODUCE);
        assert_eq!(page.run(OVERFLOW), "0", "the introduction at {width} px");
        connect(&mut page, "/unicode");
        wait_for_state(&mut page, |state| state.starts_with("The response is complete"));
        assert_eq!(page.run(OVERFLOW), "0", "the columns at {width} px");
        if width >= 853 {
            for column in ["wire", "stream", "dispatched", "axis"] {
                let is_in_view = if column == "axis" {
                    is_in_view(column).replace("> 100", "> 10")
                } else {
                    is_in_view(column)
                };
                assert_eq!(page.run(&is_in_view), "true", "{column} at {width} × {height}");
            }
        }
    }
}

#[test]
fn the_arrow_keys_go_from_row_to_row_and_to_the_same_chunk_in_the_next_column() {
    if !has_tool("chromium") {
        return;
    }
    let program = Program::start(&["--speed", "100"]);
    let mut page = open_page(&program);
    connect(&mut page, "/slow");
    wait_for_state(&mut page, |state| state.starts_with("The response is complete"));
    let focused = "document.activeElement.closest('.log').id + ' ' + document.activeElement.textContent";
    page.act("[...document.querySelectorAll('#dispatched li')].find(row => row.textContent.includes('slowly')).focus()");
    for (key, wanted) in [
        ("ArrowLeft", "stream empty line"),
        ("ArrowLeft", "wire chunk-size1\\r\\n"),
        ("ArrowDown", "wire chunk-data\\n"),
        ("ArrowUp", "wire chunk-size1\\r\\n"),
        ("ArrowRight", "stream empty line"),
        ("Home", "stream fieldid: 1"),
        ("End", "stream empty line"),
        ("ArrowRight", "dispatched messagebut it gets there"),
    ] {
        page.act(&format!(
            "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {{ key: '{key}', bubbles: true }}))"
        ));
        let focused = page.run(focused);
        assert!(focused.starts_with(wanted), "{key}: {focused}");
    }
    let details = page.run("document.getElementById('details').textContent");
    assert!(details.starts_with("MessageEvent, WHATWG HTML, section 9.2.6: type \"message\""), "{details}");
    // The name of a row is its own text.
    let names = "String([...document.querySelectorAll('.log li')].every(row => row.getAttribute('aria-labelledby') == row.id))";
    assert_eq!(page.run(names), "true");
}

#[test]
fn the_introduction_lists_the_scripts_and_a_link_connects() {
    if !has_tool("chromium") {
        return;
    }
    let program = Program::start(&["--speed", "100"]);
    let mut page = open_page(&program);
    let entry = page.run("[...document.querySelectorAll('#scripts li')].find(li => li.textContent.startsWith('/drop')).innerText");
    assert!(
        entry.starts_with(
            "/drop The connection is closed in the middle of an event: curl exits with status 18."
        ),
        "{entry}"
    );
    assert!(entry.contains("would dispatch half an event."), "{entry}");
    assert!(entry.ends_with(&format!("curl -N {}; echo $?", program.url("/drop"))), "{entry}");
    page.act(
        "[...document.querySelectorAll('#scripts a')].find(link => link.textContent == '/fields').click()",
    );
    page.wait_for(&rows("dispatched", "[data-kind=event]"), |rows| rows.contains("greeting"));
    assert_eq!(page.run("location.hash"), "#/fields");
    assert!(page.run("document.getElementById('about').textContent").contains("Every field and every way"));
}

/// Runs axe-core, and returns what it found.
fn check(page: &mut Chromium) -> String {
    page.act(
        "globalThis.violations = null; axe.run().then(({ violations: found }) => { violations = found })",
    );
    let found =
        "violations && JSON.stringify(violations.map(({ id, nodes }) => [id, nodes.length, nodes[0].html]))";
    page.wait_for(found, |found| !found.is_empty())
}

#[test]
fn an_accessibility_checker_finds_nothing_in_both_colour_schemes() {
    if !has_tool("chromium") {
        return;
    }
    let folder = std::env::var_os("NODE_PATH").map(PathBuf::from).unwrap_or_default();
    let axe = match fs::read_to_string(folder.join("axe-core/axe.min.js")) {
        Ok(axe) => axe,
        Err(_) => return skip("axe-core is not in the folder NODE_PATH"),
    };
    let program = Program::start(&["--speed", "100"]);
    let mut page = open_page(&program);
    page.inject(&axe);
    for scheme in ["light", "dark"] {
        page.emulate("prefers-color-scheme", scheme);
        page.act(INTRODUCE);
        assert_eq!(check(&mut page), "[]", "the introduction, {scheme}");
        connect(&mut page, "/drop");
        wait_for_state(&mut page, |state| state.starts_with("The connection was lost"));
        page.act("document.querySelector('#wire li:last-child').focus()");
        assert_eq!(check(&mut page), "[]", "the columns, {scheme}");
    }
}
