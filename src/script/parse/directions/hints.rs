//! Says what to write instead of an unknown direction.

use crate::text::suggest;

/// Words that people write in place of a direction.
struct Hint {
    words: &'static [&'static str],
    /// What to do instead.
    instead: &'static str,
}

const HINTS: &[Hint] = &[
    Hint { words: &["data", "event", "id", "retry"], instead: "fields are written without `@`" },
    Hint { words: &["wait", "delay"], instead: "write `@sleep T`" },
    Hint { words: &["interval", "rate", "throttle"], instead: "write `@pace T`" },
    Hint { words: &["loop", "for", "while", "times"], instead: "write `@repeat N`" },
    Hint { words: &["endrepeat", "endloop", "next", "done"], instead: "write `@again`" },
    Hint { words: &["disconnect", "abort", "cut_off"], instead: "write `@drop`" },
    Hint { words: &["close_connection", "kill"], instead: "write `@drop`, or `@close` for a complete body" },
    Hint { words: &["stop", "finish", "exit", "quit"], instead: "write `@end`" },
    Hint { words: &["timeout", "stall", "block"], instead: "write `@hang`" },
    Hint { words: &["otherwise", "else", "default"], instead: "write `@part otherwise`" },
    Hint { words: &["if", "when", "match"], instead: "write `@part COND`" },
    Hint { words: &["connection", "method", "query", "cookie", "body"], instead: "write `@part COND`" },
    Hint { words: &["route", "path", "url", "get", "post"], instead: "write `@on METHOD TARGET`" },
    Hint { words: &["code", "response", "reason"], instead: "write `@status 503`" },
    Hint { words: &["field", "content-type", "set-cookie"], instead: "write `@header Name: v`" },
    Hint {
        words: &["comment", "ping", "heartbeat"],
        instead: "write `@keepalive T`, or `: text` for one comment",
    },
    Hint { words: &["write", "print", "echo", "text"], instead: "write `@send TEXT`" },
    Hint { words: &["flush", "split"], instead: "write `@cut`" },
    Hint { words: &["raw", "bytes"], instead: "write `@wire TEXT`" },
];

/// What to write instead of an unknown direction; `names` are the known ones.
pub(super) fn instead_of(name: &str, names: impl Iterator<Item = &'static str>) -> String {
    if name.is_empty() {
        return "write its name directly after `@`".to_owned();
    }
    // `@sleep(1s)`, `@sleep=1s` and `@sleep: 1s` mean `@sleep 1s`.
    let end = name.find(|c| "(=:;,".contains(c)).unwrap_or(name.len());
    let word = name[..end].to_ascii_lowercase();
    if let Some(hint) = HINTS.iter().find(|hint| hint.words.contains(&word.as_str())) {
        return hint.instead.to_owned();
    }
    match suggest::nearest(&word, names) {
        Some(near) => format!("did you mean `@{near}`?"),
        None => format!("write `@@{name}` to send a line that begins with `@`"),
    }
}
