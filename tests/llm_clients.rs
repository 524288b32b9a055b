//! What people really use to stream tokens: the `openai` and `anthropic` packages for Python get the text from the server.

mod support;

use std::process::Command;
use support::{demo, skip};

/// Runs a Python program with the server's URL as its argument, and gives what it prints.
///
/// `PYTHON` in the environment names the interpreter of a virtual environment that has the packages.
fn python(package: &str, program: &str) -> Option<String> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let imports = Command::new(&python).args(["-c", &format!("import {package}")]).output();
    if !imports.map_or(false, |output| output.status.success()) {
        skip(&format!("{python} has no package {package}"));
        return None;
    }
    let server = demo("1");
    let output = Command::new(&python).args(["-c", program, &server.url("")]).output().unwrap();
    let (printed, complaint) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{printed}{complaint}");
    Some(printed.into_owned())
}

#[test]
fn openai_streams_words_and_usage() {
    let program = r#"
import sys, time, openai
client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="none", max_retries=0, timeout=10)
stream = client.chat.completions.create(
    model="any", messages=[{"role": "user", "content": "Hi"}], stream=True, stream_options={"include_usage": True})
text, times, usage, reason = "", [], None, None
for chunk in stream:
    usage = chunk.usage or usage
    for choice in chunk.choices:
        reason = choice.finish_reason or reason
        if choice.delta.content:
            text += choice.delta.content
            times.append(time.monotonic())
print(text, usage.total_tokens, reason)
assert times[-1] - times[0] > 0.1, "the words came all at once"
"#;
    if let Some(printed) = python("openai", program) {
        assert_eq!(printed, "Hello from a script! 13 stop\n");
    }
}

#[test]
fn openai_puts_a_tool_call_together_from_its_pieces() {
    let program = r#"
import sys, json, openai
client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="none", max_retries=0, timeout=10)
tool = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}
stream = client.chat.completions.create(
    model="any", messages=[{"role": "user", "content": "Hi"}], tools=[tool], stream=True)
name, arguments, reason = "", "", None
for chunk in stream:
    for choice in chunk.choices:
        reason = choice.finish_reason or reason
        for call in choice.delta.tool_calls or []:
            name += call.function.name or ""
            arguments += call.function.arguments or ""
print(name, json.loads(arguments)["city"], reason)
"#;
    if let Some(printed) = python("openai", program) {
        assert_eq!(printed, "get_weather Paris tool_calls\n");
    }
}

#[test]
fn openai_without_streaming_gets_an_error_object() {
    let program = r#"
import sys, openai
client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="none", max_retries=0, timeout=10)
try:
    client.chat.completions.create(model="any", messages=[{"role": "user", "content": "Hi"}])
except openai.BadRequestError as error:
    print(error.status_code, error.param)
"#;
    if let Some(printed) = python("openai", program) {
        assert_eq!(printed, "400 stream\n");
    }
}

#[test]
fn anthropic_streams_text() {
    let program = r#"
import sys, anthropic
client = anthropic.Anthropic(base_url=sys.argv[1], api_key="none", max_retries=0, timeout=10)
with client.messages.stream(model="any", max_tokens=9, messages=[{"role": "user", "content": "Hi"}]) as stream:
    text = "".join(stream.text_stream)
    message = stream.get_final_message()
print(text, message.stop_reason, message.usage.output_tokens)
"#;
    if let Some(printed) = python("anthropic", program) {
        assert_eq!(printed, "Hello from a script! end_turn 4\n");
    }
}

#[test]
fn anthropic_raises_the_error_in_mid_stream() {
    let program = r#"
import sys, anthropic
client = anthropic.Anthropic(base_url=sys.argv[1], api_key="none", max_retries=0, timeout=10)
text = ""
try:
    with client.messages.stream(model="any", max_tokens=9, messages=[{"role": "user", "content": "Hi"}],
                                extra_query={"fault": "overloaded"}) as stream:
        for piece in stream.text_stream:
            text += piece
except anthropic.APIStatusError as error:
    print(text, error.body["error"]["type"])
"#;
    if let Some(printed) = python("anthropic", program) {
        assert_eq!(printed, "Hello overloaded_error\n");
    }
}
