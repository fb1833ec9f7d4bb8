//! Who may send the next picture into the graph: whatever happens, nobody's picture is overwritten, nobody has more in the
//! graph than he may, and everybody has his turn.

use proptest::prelude::*;
use std::collections::HashMap;
use std::sync::Arc;
use web::streams::admission::{Admission, Admitted, IN_FLIGHT, Name};

const MS: i64 = 1_000_000;

fn names(count: usize) -> Vec<Name> {
    (0..count).map(|number| Arc::from(format!("visitor/{number}"))).collect()
}

fn opened(hears: bool, names: &[Name]) -> Admission<i64> {
    let mut admission = Admission::new(hears);
    names.iter().for_each(|name| admission.open(name));
    admission
}

/// A graph that takes a picture up when it has done so with the one before, and paints them in order: two are in it.
#[derive(Default)]
struct Graph {
    inside: Vec<(Name, i64)>,
}

impl Graph {
    /// One turn of the graph, at that time: the picture that went in.
    fn turn(&mut self, admission: &mut Admission<i64>, now_ns: i64) -> Option<i64> {
        let next = admission.next(now_ns);
        if let Some(Admitted { stream, number, .. }) = &next {
            admission.taken(stream, *number);
            self.inside.push((stream.clone(), *number));
        }
        if self.inside.len() == 2 {
            let (stream, number) = self.inside.remove(0);
            assert!(admission.painted(&stream, number, now_ns));
        }
        next.map(|next| next.picture)
    }
}

/// What so many streams get of so many turns, if each sends a picture whenever it is granted one.
fn shares(count: usize, turns: i64, mut sends: impl FnMut(&str, i64) -> bool) -> Vec<u64> {
    let names = names(count);
    let (mut admission, mut graph) = (opened(true, &names), Graph::default());
    for turn in 0..turns {
        let now_ns = turn * 33 * MS;
        admission.grant(now_ns);
        for name in &names {
            if admission.is_granted(name) && sends(name, turn) {
                admission.offer(name, now_ns);
            }
        }
        graph.turn(&mut admission, now_ns);
    }
    names.iter().map(|name| admission.tally(name).expect("it is open").painted).collect()
}

#[test]
fn sixty_four_streams_get_the_same_share() {
    let shares = shares(64, 6400, |_, _| true);
    let (least, most) = (shares.iter().min().expect("64"), shares.iter().max().expect("64"));
    assert!(*least >= 98 && most - least <= 2, "{shares:?}");
}

/// What so many streams get of a graph that loses pictures: those that `is_lost` says, of a stream and its so many-th one. Three
/// pictures are in the graph at a time, and each takes 10 ms.
fn shares_under_loss(count: usize, turns: i64, mut is_lost: impl FnMut(usize, i64) -> bool) -> Vec<u64> {
    let names = names(count);
    let mut admission = opened(true, &names);
    let mut inside: Vec<(Name, i64)> = Vec::new();
    for turn in 0..turns {
        let now_ns = turn * 10 * MS;
        admission.expire(now_ns);
        for name in admission.grant(now_ns) {
            admission.offer(&name, now_ns);
        }
        if let Some(Admitted { stream, number, .. }) = admission.next(now_ns) {
            admission.taken(&stream, number);
            let at = names.iter().position(|name| *name == stream).expect("one of them");
            if !is_lost(at, number) {
                inside.push((stream, number));
            }
        }
        if inside.len() == 3 || (turn % 3 == 0 && !inside.is_empty()) {
            let (stream, number) = inside.remove(0);
            admission.painted(&stream, number, now_ns);
        }
    }
    names.iter().map(|name| admission.tally(name).expect("it is open").painted).collect()
}

fn are_even(shares: &[u64]) -> bool {
    let (least, most) = (shares.iter().min().expect("some"), shares.iter().max().expect("some"));
    2 * most <= 3 * least
}

#[test]
fn losses_cost_nobody_his_share_whomever_they_hit() {
    // A tenth of all, one after the other as they come: thirteen rounds, as a visitor of a short evening sees them.
    let mut count = 0;
    let scattered = shares_under_loss(64, 13 * 64, |_, _| {
        count += 1;
        count % 10 == 7
    });
    assert!(are_even(&scattered), "{scattered:?}");
    // Always the same ones: those behind whom a camera comes in, or whose pictures are fast where others are slow.
    let every_other = shares_under_loss(64, 13 * 64, |at, number| at % 16 == 3 && number % 2 == 0);
    assert!(are_even(&every_other), "{every_other:?}");
    // Two in a row, again and again: nobody waits for a clock.
    let pairs = shares_under_loss(64, 26 * 64, |at, number| at == 5 && number % 6 < 2);
    assert!(are_even(&pairs), "{pairs:?}");
    let few = shares_under_loss(3, 600, |at, number| at == 1 && number % 3 == 0);
    assert!(are_even(&few), "{few:?}");
}

#[test]
fn a_stream_of_which_nothing_ever_comes_back_takes_no_more_than_its_turn() {
    let shares = shares_under_loss(8, 1600, |at, _| at == 2);
    let others: Vec<u64> = shares.iter().enumerate().filter(|(at, _)| *at != 2).map(|(_, share)| *share).collect();
    assert_eq!(shares[2], 0);
    assert!(are_even(&others) && others.iter().sum::<u64>() >= 1600 * 7 / 8 - 60, "{shares:?}");
}

#[test]
fn a_stream_alone_that_loses_both_its_pictures_goes_on_as_soon_as_they_are_overdue() {
    let name = &names(1)[0];
    let mut admission = opened(true, std::slice::from_ref(name));
    let send = |admission: &mut Admission<i64>, now_ns| {
        admission.offer(name, now_ns);
        let number = admission.next(now_ns).expect("there is room").number;
        admission.taken(name, number);
        number
    };
    let first = send(&mut admission, 0);
    assert!(admission.painted(name, first, 100 * MS));
    send(&mut admission, 100 * MS);
    send(&mut admission, 110 * MS);
    // A picture takes 100 ms here: after 600 ms nobody expects these any more.
    assert_eq!((admission.expire(700 * MS), admission.expire(711 * MS)), (0, 2));
    send(&mut admission, 711 * MS);
}

#[test]
fn a_stream_alone_gets_every_turn() {
    assert!(shares(1, 1000, |_, _| true)[0] >= 998);
}

#[test]
fn streams_that_are_granted_a_picture_and_send_none_hold_up_nobody() {
    let shares = shares(40, 4000, |name, _| name.ends_with('7'));
    let (busy, idle): (Vec<u64>, Vec<u64>) = shares.iter().partition(|share| **share > 0);
    assert_eq!((busy.len(), idle.len()), (4, 36));
    // Every half second of silence is one look at somebody else.
    assert!(busy.iter().all(|share| *share >= 900), "{busy:?}");
}

#[test]
fn a_picture_is_asked_for_shortly_before_its_turn_and_not_a_whole_round_before() {
    let names = names(64);
    let (mut admission, mut graph) = (opened(true, &names), Graph::default());
    let mut oldest_ns = 0;
    for turn in 0..1000 {
        let now_ns = turn * 33 * MS;
        for name in admission.grant(now_ns) {
            admission.offer(&name, now_ns);
        }
        let picture_ns = graph.turn(&mut admission, now_ns);
        if turn >= 200 {
            oldest_ns = oldest_ns.max(now_ns - picture_ns.expect("somebody waits"));
        }
    }
    // A round takes 2.1 s.
    assert!((1..=400 * MS).contains(&oldest_ns), "{} ms", oldest_ns / MS);
}

#[test]
fn a_picture_that_is_lost_gives_its_place_back_after_a_while() {
    let name = &names(1)[0];
    let mut admission = opened(true, std::slice::from_ref(name));
    for number in 0..2 {
        assert_eq!(admission.offer(name, 0), Some(number));
        assert!(admission.next(0).is_some());
        admission.taken(name, number);
    }
    admission.offer(name, 0);
    assert!(admission.next(1500 * MS).is_none());
    assert_eq!(admission.expire(1500 * MS), 0);
    assert_eq!(admission.expire(1501 * MS), 2);
    assert_eq!(admission.next(1501 * MS).map(|next| next.number), Some(2));
    let tally = admission.tally(name).expect("it is open");
    assert_eq!((tally.lost, tally.dropped()), (2, 2));
    // The second one comes after all, and is shown; the first one would be older.
    assert!(admission.painted(name, 1, 1600 * MS) && !admission.painted(name, 0, 1601 * MS));
    assert!(admission.painted(name, 2, 1602 * MS));
    assert_eq!(admission.tally(name).map(|tally| [tally.painted, tally.lost]), Some([3, 0]));
}

#[test]
fn a_picture_that_never_gets_through_the_door_does_not_close_it_for_ever() {
    let names = names(2);
    let mut admission = opened(true, &names);
    admission.offer(&names[0], 0);
    admission.offer(&names[1], 0);
    assert!(admission.next(0).is_some() && admission.next(1000 * MS).is_none());
    assert_eq!(admission.expire(1501 * MS), 1);
    assert_eq!(admission.next(1501 * MS).map(|next| next.stream), Some(names[1].clone()));
}

#[test]
fn a_slow_graph_is_known_to_be_slow_after_its_first_picture_and_loses_none() {
    let name = &names(1)[0];
    let mut admission = opened(true, std::slice::from_ref(name));
    for turn in 0..10 {
        let now_ns = turn * 10_000 * MS;
        admission.offer(name, 0);
        let next = admission.next(now_ns).expect("it is its turn");
        admission.taken(name, next.number);
        // Only the first one is given up: a picture takes nine seconds.
        assert_eq!(admission.expire(now_ns + 8_000 * MS), usize::from(turn == 0));
        assert!(admission.painted(name, next.number, now_ns + 9_000 * MS));
    }
    assert_eq!(admission.tally(name).map(|tally| [tally.painted, tally.lost]), Some([10, 0]));
}

#[test]
fn what_later_pictures_have_overtaken_is_lost_at_once() {
    let names = names(6);
    let mut admission = opened(true, &names);
    for name in &names {
        admission.offer(name, 0);
        assert_eq!(admission.next(0).map(|next| next.stream), Some(name.clone()));
        admission.taken(name, 0);
    }
    assert!(admission.painted(&names[5], 0, MS));
    let lost: Vec<u64> = names.iter().map(|name| admission.tally(name).expect("it is open").lost).collect();
    assert_eq!(lost, [1, 1, 0, 0, 0, 0]);
}

#[test]
fn a_picture_of_a_stream_that_has_ended_is_not_one_of_the_stream_that_has_its_name_now() {
    let name = &names(1)[0];
    let mut admission = opened(true, std::slice::from_ref(name));
    admission.offer(name, 0);
    assert!(admission.next(0).is_some());
    admission.taken(name, 0);
    admission.close(name);
    admission.open(name);
    admission.offer(name, 0);
    assert!(admission.next(0).is_some());
    admission.taken(name, 0);
    assert!(!admission.painted(name, 0, MS), "the first one's");
    assert!(admission.painted(name, 0, 2 * MS), "the second one's");
}

#[test]
fn without_the_graphs_word_one_picture_at_a_time_is_in_it() {
    let names = names(3);
    let mut admission = opened(false, &names);
    assert!(names.iter().all(|name| admission.offer(name, 0) == Some(0)));
    let first = admission.next(0).expect("one may");
    assert!(admission.next(0).is_none());
    assert!(admission.painted(&first.stream, first.number, MS));
    assert_eq!(admission.next(MS).map(|next| next.stream), Some(names[1].clone()));
}

/// What may happen, in any order.
#[derive(Debug, Clone)]
enum Event {
    Open(usize),
    Close(usize),
    Pause(usize),
    Offer(usize),
    Next,
    Taken(usize),
    Painted(usize),
    Broken(usize),
    Grant,
    Wait(i64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        1 => (0..5usize).prop_map(Event::Open),
        1 => (0..5usize).prop_map(Event::Close),
        1 => (0..5usize).prop_map(Event::Pause),
        8 => (0..5usize).prop_map(Event::Offer),
        8 => Just(Event::Next),
        6 => (0..4usize).prop_map(Event::Taken),
        6 => (0..4usize).prop_map(Event::Painted),
        1 => (0..4usize).prop_map(Event::Broken),
        3 => Just(Event::Grant),
        2 => (1..4000i64).prop_map(Event::Wait),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_nobody_has_too_much_in_the_graph_and_every_picture_is_accounted_for(
        events in prop::collection::vec(event(), 1..400),
    ) {
        let names = names(5);
        let mut admission = opened(true, &names);
        let mut now_ns = 0;
        // What the graph holds: `true` once it has been taken up.
        let mut graph: Vec<(Name, i64, bool)> = Vec::new();
        let mut last: HashMap<Name, i64> = HashMap::new();
        for event in events {
            now_ns += MS;
            match event {
                Event::Open(at) => admission.open(&names[at]),
                Event::Close(at) => {
                    admission.close(&names[at]);
                    last.remove(&names[at]);
                    graph.retain(|(stream, ..)| *stream != names[at]);
                }
                Event::Pause(at) => admission.pause(&names[at]),
                Event::Offer(at) => prop_assert_eq!(admission.offer(&names[at], 0).is_some(), admission.tally(&names[at]).is_some()),
                Event::Next => {
                    if let Some(Admitted { stream, number, .. }) = admission.next(now_ns) {
                        // A stream's pictures never go backwards.
                        prop_assert!(last.insert(stream.clone(), number).is_none_or(|before| before < number));
                        // Nobody else stands at the door.
                        prop_assert!(graph.iter().all(|(.., taken)| *taken));
                        graph.push((stream.clone(), number, false));
                        prop_assert!(graph.iter().filter(|(of, ..)| *of == stream).count() <= IN_FLIGHT);
                    }
                }
                Event::Taken(at) => {
                    if let Some((stream, number, taken)) = graph.get_mut(at) {
                        *taken = true;
                        admission.taken(stream, *number);
                    }
                }
                Event::Painted(at) if at < graph.len() => {
                    let (stream, number, _) = graph.remove(at);
                    admission.painted(&stream, number, now_ns);
                    // What it has overtaken may be given up.
                    graph.retain(|(of, number, _)| admission.is_in_flight(of, *number));
                }
                Event::Broken(at) if at < graph.len() => {
                    let (stream, number, _) = graph.remove(at);
                    admission.broken(&stream, number);
                }
                Event::Painted(_) | Event::Broken(_) => {}
                Event::Grant => drop(admission.grant(now_ns)),
                Event::Wait(ms) => {
                    now_ns += ms * MS;
                    admission.expire(now_ns);
                    graph.retain(|(of, number, _)| admission.is_in_flight(of, *number));
                }
            }
            for name in &names {
                let Some(tally) = admission.tally(name) else { continue };
                prop_assert!(tally.dropped() + tally.painted <= tally.offered);
                let open = tally.offered - tally.dropped() - tally.painted;
                prop_assert!(open <= IN_FLIGHT as u64 + 1, "{tally:?}");
            }
        }
    }

    #[test]
    fn whoever_waits_has_his_turn_within_one_round(
        offers in prop::collection::vec(prop::collection::vec(0..8usize, 0..8), 50..200),
    ) {
        let names = names(8);
        let (mut admission, mut graph) = (opened(true, &names), Graph::default());
        let mut waits: HashMap<usize, usize> = HashMap::new();
        for (turn, offers) in offers.into_iter().enumerate() {
            let now_ns = turn as i64 * 33 * MS;
            for at in offers {
                admission.offer(&names[at], now_ns);
                waits.entry(at).or_insert(0);
            }
            let before: Vec<u64> = names.iter().map(|name| admission.sent(name)).collect();
            graph.turn(&mut admission, now_ns);
            for (at, name) in names.iter().enumerate() {
                if admission.sent(name) > before[at] {
                    waits.remove(&at);
                }
            }
            for wait in waits.values_mut() {
                *wait += 1;
                prop_assert!(*wait <= 8 + IN_FLIGHT, "{waits:?}");
            }
        }
    }
}
