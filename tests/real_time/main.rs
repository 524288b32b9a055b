//! Tests that mostly wait: timeouts, disconnecting clients, crowds, overload, third-party packages and compilers, and the
//! documents' commands. They run side by side, so that together they take as long as the slowest.
#![cfg(target_os = "linux")]

#[path = "../support/mod.rs"]
mod support;

mod built_in_scripts;
mod crowd;
mod disconnect;
mod documents;
mod limits;
mod llm_clients;
mod overload;
mod small_machines;
mod transcript;

use std::thread;

/// The cases with their names. (The compiler warns of one that is missing here, because it is never used.)
macro_rules! cases {
    ($($module:ident: $($case:ident),+;)+) => {
        [$($((stringify!($case), $module::$case as fn())),+),+]
    };
}

#[test]
fn the_cases_pass_side_by_side() {
    let cases = cases! {
        small_machines:
            the_distributions_compiler_builds_it_without_cargo,
            it_runs_on_32_bit_arm,
            it_runs_on_64_bit_arm,
            one_core_and_32_mb_are_enough_for_every_script,
            a_large_capture_takes_little_more_memory_than_its_text_and_is_loaded_soon,
            it_runs_under_wine,
            a_hundred_clients_fit_into_the_limits;
        limits:
            a_client_that_sends_nothing_gets_408_after_10_s,
            sending_a_head_slowly_does_not_extend_its_time_limit,
            an_incomplete_body_is_408_after_10_s,
            an_idle_connection_is_closed_without_a_response_after_10_s,
            a_request_on_an_idle_connection_has_a_new_time_limit,
            a_client_that_reads_nothing_is_disconnected_after_10_s,
            a_client_that_reads_slowly_is_served_to_the_end;
        disconnect:
            a_reset_is_noticed_within_a_second_during_a_sleep_of_an_hour,
            a_reset_is_noticed_when_request_bytes_are_unread,
            a_reset_is_noticed_in_a_series_of_short_sleeps,
            a_close_is_noticed_at_the_second_write,
            clients_that_disconnect_at_once_leave_nothing_behind;
        crowd:
            thousands_of_bad_clients_leave_nothing_behind;
        overload:
            a_client_over_max_clients_gets_503_until_another_leaves,
            without_descriptors_connected_clients_are_served_and_new_ones_wait,
            without_threads_a_new_client_gets_503_and_the_others_are_served,
            a_max_clients_above_what_the_system_can_serve_is_an_error_that_names_the_limit;
        llm_clients:
            openai_streams_text_and_a_tool_call_and_gets_an_error_without_streaming,
            openai_gets_429_and_then_an_answer_and_streams_that_are_cut_off,
            openai_reads_the_stream_of_the_responses_api,
            anthropic_streams_text_a_tool_call_and_thinking_and_raises_errors,
            google_genai_streams_text_and_a_function_call,
            ollama_reads_lines_of_json,
            mcp_calls_a_tool_and_resumes_a_call_that_is_cut_off;
    };
    let start = |(name, case): (&'static str, fn())| {
        (name, thread::Builder::new().name(name.to_owned()).spawn(case).unwrap())
    };
    let running = cases.map(start);
    let failed: Vec<_> =
        running.into_iter().filter_map(|(name, case)| case.join().is_err().then_some(name)).collect();
    assert!(failed.is_empty(), "{failed:?}");
}
