//! The official clients for Python, `openai`, `anthropic`, `google-genai`, `ollama` and `mcp`, read the built-in streams.

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

# After the result of the call comes text. No chunk is without a choice if the client does not request the usage.
call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}
messages = question["messages"] + [{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}]
answer = client.chat.completions.create(model="any", messages=messages, stream=True, tools=[tool])
print("".join(chunk.choices[0].delta.content or "" for chunk in answer))

try:
    client.chat.completions.create(**question)
except openai.BadRequestError as error:
    print(error.status_code, error.param)
"#;
    if let Some(printed) = python("openai", program) {
        assert_eq!(
            printed,
            "Hello from a script! 13 stop\nget_weather Paris tool_calls\nHello from a script!\n400 stream\n"
        );
    }
}

pub fn openai_gets_429_and_then_an_answer_and_streams_that_are_cut_off() {
    let program = r#"
import sys, json, time, openai
client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="none", max_retries=0, timeout=10)
question = dict(messages=[{"role": "user", "content": "Hi"}], stream=True)

def text(client, model, **more):
    text = ""
    for chunk in client.chat.completions.create(model=model, **question, **more):
        for choice in chunk.choices:
            text += choice.delta.content or ""
    return text

try:
    text(client, "rate-limit")
except openai.RateLimitError as error:
    headers = error.response.headers
    print(error.code, headers["retry-after"], headers["x-ratelimit-remaining-requests"], text(client, "rate-limit"))
start = time.monotonic()
print(text(client.with_options(max_retries=1), "rate-limit"), time.monotonic() - start > 0.9)
print(text(client, "no-end"))
tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]
for model in ["busy", "busy", "overloaded", "overloaded", "cut"]:
    try:
        # Tools make no difference to a fault.
        print(model, text(client, model, tools=tools if model == "cut" else []))
    except openai.APIStatusError as error:
        print(model, error.status_code, error.type)
    except Exception as error:
        print(model, type(error).__name__)
"#;
    if let Some(printed) = python("openai", program) {
        assert_eq!(
            printed,
            "rate_limit_exceeded 1 0 Hello from a script!\n\
             Hello from a script! True\n\
             Hello\n\
             busy 503 server_error\n\
             busy Hello from a script!\n\
             overloaded 503 server_error\n\
             overloaded 503 server_error\n\
             cut APIConnectionError\n"
        );
    }
}

pub fn openai_reads_the_stream_of_the_responses_api() {
    let program = r#"
import sys, json, openai
client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="none", max_retries=0, timeout=10)
words, response = [], None
for event in client.responses.create(model="any", input="Hi", stream=True):
    if event.type == "response.output_text.delta": words.append(event.delta)
    if event.type == "response.completed": response = event.response
print(words, response.output_text, response.usage.total_tokens, response.model)
tool = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}
with client.responses.stream(model="any", input="Hi", tools=[tool]) as stream:
    for event in stream: pass
    call = stream.get_final_response().output[0]
print(call.name, json.loads(call.arguments)["city"])
result = [{"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}]
with client.responses.stream(model="any", input=[{"role": "user", "content": "Hi"}] + result, tools=[tool]) as stream:
    for event in stream: pass
    print(stream.get_final_response().output_text)
def text(model, client=client):
    words = ""
    for event in client.responses.create(model=model, input="Hi", stream=True):
        if event.type == "response.output_text.delta": words += event.delta
        if event.type == "response.completed": words += "."
        if event.type == "error": words += " " + event.code
    return words
for model in ["rate-limit", "rate-limit", "busy", "busy", "overloaded", "cut", "no-end"]:
    try:
        print(model, text(model))
    except openai.APIStatusError as error:
        print(model, error.status_code, error.code, error.response.headers.get("retry-after"))
    except Exception as error:
        print(model, type(error).__name__)
print(text("rate-limit", client.with_options(max_retries=1)))
"#;
    if let Some(printed) = python("openai", program) {
        assert_eq!(
            printed,
            "['Hello', ' from', ' a', ' script!'] Hello from a script! 13 any\n\
             f Paris\n\
             Hello from a script!\n\
             rate-limit 429 rate_limit_exceeded 1\n\
             rate-limit Hello from a script!.\n\
             busy 503 None None\n\
             busy Hello from a script!.\n\
             overloaded Hello server_error\n\
             cut APIConnectionError\n\
             no-end Hello\n\
             Hello from a script!.\n"
        );
    }
}

pub fn anthropic_streams_text_a_tool_call_and_thinking_and_raises_errors() {
    let program = r#"
import sys, json, anthropic
client = anthropic.Anthropic(base_url=sys.argv[1], api_key="none", max_retries=0, timeout=10)
hi = [{"role": "user", "content": "Hi"}]
def ask(client=client, model="any", messages=hi, **more):
    with client.messages.stream(model=model, max_tokens=2048, messages=messages, **more) as stream:
        for event in stream: pass
        return stream.get_final_message()
m = ask()
print(m.content[0].text, m.stop_reason, m.usage.output_tokens, m.model)
tools = [{"name": "f", "input_schema": {"type": "object", "properties": {}}}]
m = ask(tools=tools)
print(m.content[0].name, m.content[0].input, m.stop_reason)
result = {"type": "tool_result", "tool_use_id": m.content[0].id, "content": "sunny"}
m = ask(tools=tools, messages=hi + [{"role": "assistant", "content": m.content}, {"role": "user", "content": [result]}])
print(m.content[0].text, m.stop_reason)
for thinking in [{"type": "enabled", "budget_tokens": 1024}, {"type": "adaptive"}, {"type": "disabled"}]:
    print([block.type for block in ask(thinking=thinking).content])
try:
    client.messages.create(model="any", max_tokens=9, messages=hi)
except anthropic.BadRequestError as error:
    print(error.body["error"]["type"])
for model in ["rate-limit", "busy", "overloaded", "cut", "no-end"]:
    try:
        m = ask(model=model)
        print(model, m.content[0].text, m.stop_reason)
    except anthropic.APIStatusError as error:
        print(model, error.status_code, error.body["error"]["type"], error.response.headers.get("retry-after"))
    except Exception as error:
        print(model, type(error).__name__)
print(ask(model="rate-limit").content[0].text, ask(client.with_options(max_retries=1), "rate-limit").content[0].text)
"#;
    if let Some(printed) = python("anthropic", program) {
        assert_eq!(
            printed,
            "Hello from a script! end_turn 4 any\n\
             f {'city': 'Paris'} tool_use\n\
             Hello from a script! end_turn\n\
             ['thinking', 'text']\n\
             ['thinking', 'text']\n\
             ['text']\n\
             invalid_request_error\n\
             rate-limit 429 rate_limit_error 1\n\
             busy 529 overloaded_error None\n\
             overloaded 200 overloaded_error None\n\
             cut RemoteProtocolError\n\
             no-end Hello None\n\
             Hello from a script! Hello from a script!\n"
        );
    }
}

pub fn google_genai_streams_text_and_a_function_call() {
    let program = r#"
import sys
from google import genai
from google.genai import types
client = genai.Client(api_key="none", vertexai=False, http_options={"base_url": sys.argv[1]})
stream = client.models.generate_content_stream(model="any", contents="Hi")
chunks = list(stream)
print("".join(c.text for c in chunks), chunks[-1].candidates[0].finish_reason.value, chunks[-1].usage_metadata.total_token_count)
f = types.FunctionDeclaration(name="f", description="x", parameters={"type": "OBJECT", "properties": {}})
config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[f])])
for chunk in client.models.generate_content_stream(model="any", contents="Hi", config=config):
    print(chunk.function_calls[0].name, chunk.function_calls[0].args)
    call = chunk.candidates[0].content
result = types.Content(role="user", parts=[types.Part.from_function_response(name="f", response={"sky": "blue"})])
stream = client.models.generate_content_stream(model="any", contents=["Hi", call, result], config=config)
print("".join(chunk.text for chunk in stream))
search = types.GenerateContentConfig(tools=[types.Tool(google_search=types.GoogleSearch())])
print("".join(chunk.text for chunk in client.models.generate_content_stream(model="any", contents="Hi", config=search)))
try:
    client.models.generate_content(model="any", contents="Hi")
except genai.errors.ClientError as error:
    print(error.code, error.status)
for model in ["rate-limit", "busy", "rate-limit", "busy", "overloaded", "cut", "no-end"]:
    words, reason = "", None
    try:
        for chunk in client.models.generate_content_stream(model=model, contents="Hi"):
            words += chunk.text or ""
            reason = chunk.candidates[0].finish_reason
        print(model, words, reason and reason.value)
    except genai.errors.APIError as error:
        print(model, words, error.code, error.status)
    except Exception as error:
        print(model, words, type(error).__name__)
"#;
    if let Some(printed) = python("google.genai", program) {
        assert_eq!(
            printed,
            "Hello from a script! STOP 13\n\
             f {'city': 'Paris'}\n\
             Hello from a script!\n\
             Hello from a script!\n\
             400 INVALID_ARGUMENT\n\
             rate-limit  429 RESOURCE_EXHAUSTED\n\
             busy  503 UNAVAILABLE\n\
             rate-limit Hello from a script! STOP\n\
             busy Hello from a script! STOP\n\
             overloaded Hello 503 UNAVAILABLE\n\
             cut Hello RemoteProtocolError\n\
             no-end Hello None\n"
        );
    }
}

pub fn ollama_reads_lines_of_json() {
    let program = r#"
import sys, ollama
client = ollama.Client(host=sys.argv[1])
hi = [{"role": "user", "content": "Hi"}]
parts = list(client.chat("any", hi, stream=True))
print("".join(p.message.content for p in parts), parts[-1].done_reason, parts[-1].eval_count, parts[-1].model)
print(client.chat("any", hi).message.content)
tool = {"type": "function", "function": {"name": "f", "description": "x", "parameters": {"type": "object", "properties": {}}}}
parts = list(client.chat("any", hi, tools=[tool], stream=True))
print(parts[0].message.tool_calls[0].function.name, parts[0].message.tool_calls[0].function.arguments)
print(client.chat("any", hi, tools=[tool]).message.tool_calls[0].function.name)
for stream in [True, False]:
    answer = client.chat("any", hi + [parts[0].message, {"role": "tool", "content": "sunny"}], tools=[tool], stream=stream)
    print("".join(part.message.content for part in (answer if stream else [answer])))
for model in ["rate-limit", "rate-limit", "busy", "busy", "overloaded", "cut", "no-end"]:
    words, done = "", False
    try:
        for part in client.chat(model, hi, stream=True):
            words += part.message.content
            done = part.done
        print(model, words, done)
    except ollama.ResponseError as error:
        print(model, words, error.status_code, error.error)
    except Exception as error:
        print(model, words, type(error).__name__)
"#;
    if let Some(printed) = python("ollama", program) {
        assert_eq!(
            printed,
            "Hello from a script! stop 4 any\n\
             Hello from a script!\n\
             f {'city': 'Paris'}\n\
             f\n\
             Hello from a script!\n\
             Hello from a script!\n\
             rate-limit  429 too many requests\n\
             rate-limit Hello from a script! True\n\
             busy  503 server busy, please try again\n\
             busy Hello from a script! True\n\
             overloaded Hello -1 server busy, please try again\n\
             cut Hello RemoteProtocolError\n\
             no-end Hello False\n"
        );
    }
}

pub fn mcp_calls_a_tool_and_resumes_a_call_that_is_cut_off() {
    let program = r#"
import sys, asyncio, mcp
from mcp.client.streamable_http import streamable_http_client
async def main():
    async with streamable_http_client(sys.argv[1] + "/mcp") as streams:
        async with mcp.ClientSession(streams[0], streams[1]) as session:
            result = await session.initialize()
            print(result.server_info.name)
            print([tool.name for tool in (await session.list_tools()).tools])
            seen = []
            async def progress(done, total, message): seen.append((done, total))
            result = await session.call_tool("echo", {"text": "a\"b"}, progress_callback=progress)
            print(result.content[0].text, seen)
            try:
                await session.call_tool("none", {})
            except Exception as error:
                print(type(error).__name__, error)
            try:
                await session.call_tool("echo", {})
            except Exception as error:
                print(type(error).__name__, error)
            print((await session.call_tool("flaky", {})).content[0].text)
            await session.send_ping()
asyncio.run(main())
"#;
    if let Some(printed) = python("mcp", program) {
        assert_eq!(
            printed,
            "scripted\n['echo', 'flaky']\na\"b [(1.0, 3.0), (2.0, 3.0)]\nMCPError Unknown tool\n\
             MCPError Missing argument: text\nresumed\n"
        );
    }
}
