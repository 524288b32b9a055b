//! The `openai` and `anthropic` packages for Python read the built-in token streams.

use crate::support::{demo, skip};
use std::process::Command;

/// Runs a Python program with the server's URL as its argument and returns what it prints.
///
/// `PYTHON` in the environment names the interpreter of a virtual environment that has the packages.
fn python(package: &str, program: &str) -> Option<String> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    // Finding the package is much faster than importing it, which takes a second.
    let find = format!("import importlib.util as i; exit(i.find_spec('{package}') is None)");
    if !Command::new(&python).args(["-c", &find]).output().map_or(false, |found| found.status.success()) {
        skip(&format!("{python} has no package {package}"));
        return None;
    }
    let server = demo("1");
    let output = Command::new(&python).args(["-c", program, &server.url("")]).output().unwrap();
    let (printed, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{printed}{errors}");
    Some(printed.into_owned())
}

pub fn openai_streams_text_and_a_tool_call_and_gets_an_error_without_streaming() {
    let program = r#"
import sys, json, time, openai
client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="none", max_retries=0, timeout=10)
question = dict(model="any", messages=[{"role": "user", "content": "Hi"}])

text, times, usage, reason = "", [], None, None
for chunk in client.chat.completions.create(**question, stream=True, stream_options={"include_usage": True}):
    usage = chunk.usage or usage
    for choice in chunk.choices:
        reason = choice.finish_reason or reason
        if choice.delta.content:
            text += choice.delta.content
            times.append(time.monotonic())
print(text, usage.total_tokens, reason)
assert times[-1] - times[0] > 0.1, "the words came all at once"

tool = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}
name, arguments, reason = "", "", None
for chunk in client.chat.completions.create(**question, stream=True, tools=[tool]):
    for choice in chunk.choices:
        reason = choice.finish_reason or reason
        for call in choice.delta.tool_calls or []:
            name += call.function.name or ""
            arguments += call.function.arguments or ""
print(name, json.loads(arguments)["city"], reason)

try:
    client.chat.completions.create(**question)
except openai.BadRequestError as error:
    print(error.status_code, error.param)
"#;
    if let Some(printed) = python("openai", program) {
        assert_eq!(printed, "Hello from a script! 13 stop\nget_weather Paris tool_calls\n400 stream\n");
    }
}

pub fn anthropic_streams_text_and_raises_an_error_in_the_middle_of_the_stream() {
    let program = r#"
import sys, anthropic
client = anthropic.Anthropic(base_url=sys.argv[1], api_key="none", max_retries=0, timeout=10)
question = dict(model="any", max_tokens=9, messages=[{"role": "user", "content": "Hi"}])

with client.messages.stream(**question) as stream:
    text = "".join(stream.text_stream)
    message = stream.get_final_message()
print(text, message.stop_reason, message.usage.output_tokens)

text = ""
try:
    with client.messages.stream(**question, extra_query={"fault": "overloaded"}) as stream:
        for piece in stream.text_stream:
            text += piece
except anthropic.APIStatusError as error:
    print(text, error.body["error"]["type"])
"#;
    if let Some(printed) = python("anthropic", program) {
        assert_eq!(printed, "Hello from a script! end_turn 4\nHello overloaded_error\n");
    }
}
