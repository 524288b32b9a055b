//! What takes its real time: the limits, clients that vanish, crowds, a full house, other people's packages and compilers,
//! and the README's commands. All of it waits far more than it works, so it waits side by side.
#![cfg(target_os = "linux")]

#[path = "../support/mod.rs"]
mod support;

mod crowd;
mod full_house;
mod limits;
mod llm_clients;
mod readme;
mod small_machines;
mod vanishing;

use std::thread;

/// The cases with their names. (Whoever forgets one here is told by the compiler that it is never used.)
macro_rules! cases {
    ($($module:ident: $($case:ident),+;)+) => {
        [$($((stringify!($case), $module::$case as fn())),+),+]
    };
}

#[test]
fn what_has_to_be_waited_for_comes_in_time() {
    let cases = cases! {
        small_machines:
            the_distributions_compiler_builds_it_without_cargo,
            it_runs_on_32_bit_arm,
            a_hundred_clients_fit_into_the_readmes_limits;
        limits:
            a_client_that_sends_nothing_gets_408_after_10_s,
            dribbling_a_head_gains_no_time,
            a_body_that_does_not_come_is_408_after_10_s,
            a_kept_connection_is_closed_without_a_word_after_10_idle_seconds,
            a_request_may_take_its_own_10_s_after_an_idle_time,
            a_client_that_reads_nothing_is_given_up_after_10_s,
            a_client_that_reads_a_little_now_and_then_is_given_up_too;
        vanishing:
            a_reset_is_noticed_within_a_second_in_the_middle_of_an_hour,
            a_reset_is_noticed_although_request_bytes_lie_unread,
            a_reset_is_noticed_in_a_row_of_short_sleeps,
            a_client_that_closes_is_noticed_at_the_second_write,
            connecting_and_vanishing_leaves_nothing_behind;
        crowd:
            a_crowd_of_bad_clients_leaves_no_trace;
        full_house:
            one_client_more_than_max_clients_gets_503_and_later_a_place,
            out_of_descriptors_the_clients_inside_are_served_and_the_others_wait,
            out_of_threads_a_client_gets_503_and_nothing_else_happens,
            more_clients_than_the_machine_can_carry_are_refused_at_start_with_the_figure_it_can_have;
        llm_clients:
            openai_streams_words_puts_a_tool_call_together_and_gets_an_error_object_without_streaming,
            anthropic_streams_text_and_raises_the_error_in_mid_stream;
    };
    let start = |(name, case): (&'static str, fn())| {
        (name, thread::Builder::new().name(name.to_owned()).spawn(case).unwrap())
    };
    let running = cases.map(start);
    let failed: Vec<_> =
        running.into_iter().filter_map(|(name, case)| case.join().is_err().then_some(name)).collect();
    assert!(failed.is_empty(), "{failed:?}");
}
