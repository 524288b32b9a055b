//! What takes its real time: the limits, clients that vanish, crowds, other people's packages, and the README's commands.
//! All of it waits far more than it works, so it waits side by side.
#![cfg(target_os = "linux")]

#[path = "../support/mod.rs"]
mod support;

mod crowd;
mod limits;
mod llm_clients;
mod readme;
mod vanishing;

use std::thread;

#[test]
fn what_has_to_be_waited_for_comes_in_time() {
    let cases: [(&str, fn()); 15] = [
        ("a_client_that_sends_nothing_gets_408_after_10_s", limits::a_client_that_sends_nothing_gets_408_after_10_s),
        ("dribbling_a_head_gains_no_time", limits::dribbling_a_head_gains_no_time),
        ("a_body_that_does_not_come_is_408_after_10_s", limits::a_body_that_does_not_come_is_408_after_10_s),
        ("a_kept_connection_is_closed_without_a_word_after_10_idle_seconds", limits::a_kept_connection_is_closed_without_a_word_after_10_idle_seconds),
        ("a_request_may_take_its_own_10_s_after_an_idle_time", limits::a_request_may_take_its_own_10_s_after_an_idle_time),
        ("a_client_that_reads_nothing_is_given_up_after_10_s", limits::a_client_that_reads_nothing_is_given_up_after_10_s),
        ("a_client_that_reads_a_little_now_and_then_is_given_up_too", limits::a_client_that_reads_a_little_now_and_then_is_given_up_too),
        ("a_reset_is_noticed_within_a_second_in_the_middle_of_an_hour", vanishing::a_reset_is_noticed_within_a_second_in_the_middle_of_an_hour),
        ("a_reset_is_noticed_although_request_bytes_lie_unread", vanishing::a_reset_is_noticed_although_request_bytes_lie_unread),
        ("a_reset_is_noticed_in_a_row_of_short_sleeps", vanishing::a_reset_is_noticed_in_a_row_of_short_sleeps),
        ("a_client_that_closes_is_noticed_at_the_second_write", vanishing::a_client_that_closes_is_noticed_at_the_second_write),
        ("connecting_and_vanishing_leaves_nothing_behind", vanishing::connecting_and_vanishing_leaves_nothing_behind),
        ("a_crowd_of_bad_clients_leaves_no_trace", crowd::a_crowd_of_bad_clients_leaves_no_trace),
        ("openai_streams_words_puts_a_tool_call_together_and_gets_an_error_object_without_streaming", llm_clients::openai_streams_words_puts_a_tool_call_together_and_gets_an_error_object_without_streaming),
        ("anthropic_streams_text_and_raises_the_error_in_mid_stream", llm_clients::anthropic_streams_text_and_raises_the_error_in_mid_stream),
    ];
    let running: Vec<_> = cases.iter().map(|(name, case)| (name, thread::spawn(*case))).collect();
    let failed: Vec<_> =
        running.into_iter().filter_map(|(name, case)| case.join().is_err().then_some(name)).collect();
    assert!(failed.is_empty(), "{failed:?}");
}
