//! Steps are packed and read again.

use super::*;

/// Each step with its lines.
fn all(steps: Iter<'_>) -> Vec<String> {
    let mut steps = steps;
    let mut all = Vec::new();
    while let Some(step) = steps.next() {
        let text = match step {
            NextStep::Text(text) => Some(text),
            NextStep::Other(Step::Chunk(chunk)) => chunk.text().as_plain(),
            _ => None,
        };
        let text = match text {
            Some(text) => format!("{} {}", text.len(), text.last().unwrap().escape_ascii()),
            None => format!("{step:?}"),
        };
        let lines = steps.lines().map_or((0, 0), |lines| (lines.first, lines.last));
        all.push(format!("{text} {lines:?}"));
    }
    all
}

fn lines(first: u32, last: u32) -> Lines {
    Lines { first, last }
}

#[test]
fn steps_are_read_as_they_were_added() {
    let script = SharedBytes::from(vec![b'x'; 1 << 20]);
    let part = |from: usize, to: usize| script.part(&script[from..to]);
    let between = |least, most| Step::Sleep(Wait::Between(least, most));
    let (ms, us) = (Duration::from_millis, Duration::from_micros);
    let mut steps = Steps::new(script.clone());
    for (text, lines) in [
        (part(0, 3), lines(1, 1)),
        (part(3, 4), lines(2, 9)),
        (part(5004, 900_000), lines(9, 70_000)),
        (part(0, 2), lines(70_000, 70_000)),
        (vec![b'y'; 200].into(), lines(70_000, 70_000)),
        (vec![b'z'; MAX_COPIED + 1].into(), lines(70_001, 70_001)),
        (part(900_000, 900_001), lines(70_006, 70_006)),
    ] {
        steps.push_text(text, lines);
    }
    steps.push_flush(lines(70_013, 70_013));
    steps.push_flush(lines(70_013, 70_014));
    for (step, lines) in [
        (Step::Clock, lines(70_022, u32::MAX)),
        (between(ms(0), ms(0)), lines(3, 4)),
        (between(ms(80), ms(80)), Lines::NONE),
        (between(ms(80), ms(81)), lines(5, 5)),
        (between(us(80_500), us(80_500)), lines(6, 6)),
        (between(Duration::MAX, Duration::MAX), lines(7, 7)),
        (Step::Down(ms(1)), lines(8, 8)),
    ] {
        steps.push(step, lines);
    }
    let expected = [
        "3 x (1, 1)",
        "1 x (2, 9)",
        "894996 x (9, 70000)",
        "2 x (70000, 70000)",
        "200 y (70000, 70000)",
        "4097 z (70001, 70001)",
        "1 x (70006, 70006)",
        "Flush (70013, 70013)",
        "Flush (70013, 70014)",
        "Other(Clock) (70022, 4294967295)",
        "Sleep(0ns) (3, 4)",
        "Sleep(80ms) (0, 0)",
        "Other(Sleep(Between(80ms, 81ms))) (5, 5)",
        "Other(Sleep(Between(80.5ms, 80.5ms))) (6, 6)",
        "Other(Sleep(Between(18446744073709551615.999999999s, 18446744073709551615.999999999s))) (7, 7)",
        "Other(Down(1ms)) (8, 8)",
    ];
    assert_eq!(all(steps.iter()), expected);
    assert_eq!(all(steps.chain(&steps)), [expected, expected].concat());
    assert_eq!(steps.len(), expected.len());
    let mut copy = Steps::default();
    steps.iter().for_each(|step| copy.push_copy(step));
    let without_lines = |step: &String| step.split(" (").next().unwrap().to_owned();
    let [copied, original] = [&copy, &steps].map(|steps| all(steps.iter()));
    assert!(copied.iter().map(without_lines).eq(original.iter().map(without_lines)));
}

#[test]
fn a_place_can_be_returned_to() {
    let mut steps = Steps::default();
    (1..=3).for_each(|line| steps.push_text(vec![b'a'; line as usize].into(), lines(line, line)));
    let both = steps.chain(&steps);
    for passed in 0..6 {
        let mut from = both;
        (0..passed).for_each(|_| assert!(from.next().is_some()));
        let place = from;
        assert_eq!(all(from), all(both)[passed..]);
        assert_eq!(all(place), all(both)[passed..]);
    }
}

#[test]
fn a_small_event_with_a_wait_takes_seven_bytes() {
    let script = SharedBytes::from(b"data: 1\n\n@sleep 999ms\n".repeat(1000));
    let mut steps = Steps::new(script.clone());
    for (number, event) in (0..).zip(script.chunks(22)) {
        let line = 3 * number + 1;
        steps.push_text(script.part(&event[..9]), lines(line, line + 1));
        let time = Duration::from_millis(999);
        steps.push(Step::Sleep(Wait::Between(time, time)), lines(line + 2, line + 2));
    }
    assert!(steps.packed.len() <= 7000, "{}", steps.packed.len());
}
