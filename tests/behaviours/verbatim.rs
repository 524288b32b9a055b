//! A captured stream is a script: text without a line that begins with `@` and without a known placeholder is sent byte
//! for byte.

use crate::support::{serve, Exchange, Random, PATIENCE};

/// The pieces of random texts: sequences that mean something to a parser. Random bytes come between them.
const PIECES: &[&[u8]] = &[
    b"\n",
    b"\n",
    b"\n\n",
    b"\r",
    b"\r\n",
    b"\r\n\r\n",
    b"\xEF\xBB\xBF",
    b"\0",
    b"\xFF",
    b"\xE2\x99",
    b"data: ",
    b"id: 1",
    b"event:",
    b":",
    b"{{",
    b"}}",
    b"{{x}}",
    b"{{elapsed",
    b"a@b",
    b" @",
    b"\\n",
    b"0\r\n\r\n",
];

fn random_text(random: &mut Random) -> Vec<u8> {
    let mut text = Vec::new();
    for _ in 0..random.below(60) {
        if random.below(4) == 0 {
            text.push(random.below(256) as u8);
        } else {
            text.extend_from_slice(PIECES[random.below(PIECES.len())]);
        }
    }
    let has_direction = text.split(|&byte| byte == b'\n').any(|line| line.starts_with(b"@"));
    let has_placeholder =
        text.windows(9).any(|window| window == b"{{elapsed") && text.windows(2).any(|window| window == b"}}");
    if has_direction || has_placeholder {
        return random_text(random);
    }
    text
}

#[test]
fn any_bytes_without_directions_arrive_unchanged() {
    let mut random = Random(7);
    let mut texts: Vec<Vec<u8>> = (0..400).map(|_| random_text(&mut random)).collect();
    texts.extend(
        [&b""[..], b"\n", b"\r", b"\xEF\xBB\xBF", b"unterminated", b"a\r\n\r\nb", b"\0\0"]
            .map(<[u8]>::to_vec),
    );
    let names: Vec<String> = (0..texts.len()).map(|n| format!("/{n}")).collect();
    for prefix in ["", "@chunk line\n", "@chunk whole\n", "@chunk 3\n"] {
        let scripts: Vec<Vec<u8>> = texts.iter().map(|text| [prefix.as_bytes(), text].concat()).collect();
        let scripts: Vec<(&str, &[u8])> =
            names.iter().zip(&scripts).map(|(name, script)| (name.as_str(), script.as_slice())).collect();
        let server = serve("max", &scripts);
        for (name, text) in names.iter().zip(&texts) {
            let response = Exchange::new(server.address(), format!("GET {name} HTTP/1.0\r\n\r\n"), PATIENCE);
            assert_eq!(response.wire, *text, "{prefix:?} {}", text.escape_ascii());
        }
    }
}

#[test]
fn literal_text_keeps_its_placeholders_as_text() {
    let script = "@literal on\n{{elapsed}} {{i}}\n@send {{path}}\\n\n@literal off\n{{path}}\n";
    let response = crate::support::play(script, "max");
    assert_eq!(response.data(), (b"{{elapsed}} {{i}}\n{{path}}\n/script\n".to_vec(), true));
}
