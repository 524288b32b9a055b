//! The page's model of what an EventSource has to do, and how that is matched with what the browser does, run by Node.

use crate::support::has_tool;
use std::path::Path;
use std::process::Command;

#[test]
fn expected_and_actual_actions_are_merged_in_order() {
    if !has_tool("node") {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("node")
        .args([root.join("tests/page/matcher.js"), root.join("src/server/pages")])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "passed\n", "{errors}");
}
