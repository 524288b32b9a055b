//! The page's model of what an EventSource has to do, and how that is matched with what the browser does, run by Node.

use crate::support::has_tool;
use std::path::Path;
use std::process::Command;

#[test]
fn what_has_to_be_done_and_what_was_done_are_put_in_one_order() {
    if !has_tool("node") {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("node")
        .args([root.join("tests/page/matcher.js"), root.join("src/server/page")])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "passed\n", "{errors}");
}
