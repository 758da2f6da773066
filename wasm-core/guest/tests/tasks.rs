//! Functions that ask and pause: resumed, dropped, and several requests at once.

use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use skywasm_guest::expansion::{Reserve, Resume};
use skywasm_guest::testing::{self, Argument, Value, call};
use skywasm_guest::wire::{AGAIN, ASK, FORM_FIXED8};
use skywasm_guest::{Error, Exported, Out, Text, export, host, pause};
use std::cell::Cell;
use std::thread_local;

host! {
    capability Sums = "sums" {
        /// Both together.
        fn sum(a: i64, b: i64) -> i64;
        /// The opposite, or 0.
        fn negated(a: i64, really: bool) -> i64;
    }
    /// Everything that has a length.
    capability Letters = "letters" {
        /// Of both.
        fn length(bytes: &[u8], text: &str) -> i64;
        /// Fills the room.
        fn filled(letter: i64, room: &mut Vec<u8>) -> i64;
        /// Fills two.
        fn both(one: &mut Vec<u8>, two: &mut Vec<u8>) -> i64;
    }
}

thread_local! {
    static DROPPED: Cell<usize> = const { Cell::new(0) };
}

struct Counts;

impl Drop for Counts {
    fn drop(&mut self) {
        DROPPED.set(DROPPED.get() + 1);
    }
}

async fn three_sums(a: i64, sums: Sums) -> i64 {
    let _counts = Counts;
    let once = sums.sum(a, 1).await;
    pause().await;
    sums.negated(sums.sum(once, 1).await, true).await
}
export!(async three_sums(a, sums), batch);

async fn repeated(text: Text<'_>, letters: Letters, mut out: Out<'_, Text<'_>>) -> Result<(), Error> {
    let length = letters.length(&text, "abc").await;
    if length > 100 {
        return Err(Error::Limit);
    }
    for _ in 0..length {
        out.extend_from_slice(&text);
    }
    Ok(())
}
export!(async repeated(text, letters, out), batch);

async fn filled(letter: i64, size: i64, letters: Letters) -> Result<Vec<u8>, Error> {
    let mut room = vec![b'.'; usize::try_from(size).map_err(|_| Error::Input)?];
    let length = usize::try_from(letters.filled(letter, &mut room).await).map_err(|_| Error::Protocol)?;
    room.get(..length).map(<[u8]>::to_vec).ok_or(Error::Protocol)
}
export!(async filled(letter, size, letters));

async fn swapped(letters: Letters) -> String {
    let (mut one, mut two) = (b"1".to_vec(), b"22".to_vec());
    letters.both(&mut one, &mut two).await;
    format!("{} {}", String::from_utf8_lossy(&one), String::from_utf8_lossy(&two))
}
export!(async swapped(letters));

/// Both futures at the same time.
struct Both<A: Future<Output = i64>, B: Future<Output = i64>>(Pin<Box<A>>, Pin<Box<B>>, [Option<i64>; 2]);

impl<A: Future<Output = i64>, B: Future<Output = i64>> Future for Both<A, B> {
    type Output = [i64; 2];
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<[i64; 2]> {
        let Both(a, b, answers) = &mut *self;
        for (answer, future) in answers.iter_mut().zip([a.as_mut() as Pin<&mut dyn Future<Output = i64>>, b.as_mut()]) {
            if answer.is_none()
                && let Poll::Ready(value) = future.poll(context)
            {
                *answer = Some(value);
            }
        }
        if let [Some(a), Some(b)] = *answers { Poll::Ready([a, b]) } else { Poll::Pending }
    }
}

async fn two_at_once(a: i64, sums: Sums) -> i64 {
    let [one, two] = Both(Box::pin(sums.sum(a, 10)), Box::pin(sums.sum(a, 100)), [None, None]).await;
    sums.sum(one, two).await
}
export!(async two_at_once(a, sums));

/// Asks, and changes its mind before the answer is there; or forgets that it asked.
async fn fickle(forgets: bool, letters: Letters, sums: Sums) -> i64 {
    let mut room = vec![0; 1000];
    let mut asking = Box::pin(async move { letters.filled(1, &mut room).await });
    core::future::poll_fn(|context| {
        assert!(asking.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
    if forgets {
        core::mem::forget(asking);
        return 0;
    }
    drop(asking);
    pause().await;
    sums.sum(20, 22).await
}
export!(async fickle(forgets, letters, sums));

fn start<E: Exported>(first: i64) -> i64 {
    E::call(&[first, 0, 0, 0, 0, 0, 0, 0])
}

fn resume() -> i64 {
    Resume::call(&[0; 8])
}

fn install() {
    testing::host(|request| match request.name {
        "sum" => request.arguments[0] + request.arguments[1],
        "negated" => -request.arguments[0] * request.arguments[1],
        "length" => (request.bytes[0].len() + request.bytes[1].len()) as i64,
        "filled" => {
            let letter = request.arguments[0] as u8;
            request.rooms[0].fill(letter);
            request.arguments[2]
        }
        "both" => {
            let [one, two, ..] = request.rooms else { panic!("{request:?}") };
            one.fill(b'a');
            two.fill(b'b');
            0
        }
        other => panic!("{other}"),
    });
}

#[test]
fn requests_are_answered() {
    install();
    assert_eq!(call::<three_sums>(&[Argument::Int(5)]), Ok(Value::Int(-7)));
    assert_eq!(testing::counted(three_sums(5, testing::capability())), (-7, 1));
    assert_eq!(call::<repeated>(&[Argument::Bytes(b"ab")]), Ok(Value::Bytes(b"ababababab".to_vec())));
    assert_eq!(call::<repeated>(&[Argument::Bytes(&[b'x'; 200])]), Err(Error::Limit));
    assert_eq!(call::<filled>(&[Argument::Int(65), Argument::Int(3)]), Ok(Value::Bytes(b"AAA".to_vec())));
    assert_eq!(call::<filled>(&[Argument::Int(65), Argument::Int(-1)]), Err(Error::Input));
    assert_eq!(call::<swapped>(&[]), Ok(Value::Bytes(b"a bb".to_vec())));
}

#[test]
fn a_host_that_lies_about_lengths_is_found_out() {
    for lie in [-1, 4, i64::MAX] {
        testing::host(move |_| lie);
        assert_eq!(call::<filled>(&[Argument::Int(65), Argument::Int(3)]), Err(Error::Protocol));
    }
}

#[test]
fn large_inputs_are_copied_whole() {
    testing::host(|request| i64::from(request.bytes[0].iter().all(|&byte| byte == b'y')));
    let large = vec![b'y'; 100_000];
    assert_eq!(call::<repeated>(&[Argument::Bytes(&large)]), Ok(Value::Bytes(large)));
    let mut slots = [0; 8];
    slots[0] = 100_001;
    slots[7] = Reserve::call(&[100_000, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(repeated::call(&slots), Error::Protocol.code());
    slots[0] = -1;
    assert_eq!(repeated::call(&slots), Error::Protocol.code());
    slots[0] = 1;
    slots[7] += 1;
    assert_eq!(repeated::call(&slots), Error::Protocol.code());
}

#[test]
fn codes_say_whose_turn_it_is() {
    install();
    assert_eq!(resume(), Error::Protocol.code(), "nothing is pending");
    assert_eq!(start::<three_sums>(5), ASK);
    assert_eq!(resume(), AGAIN, "an answer, whatever it is");
    assert_eq!(resume(), ASK);
    assert_eq!(resume(), ASK);
    assert_eq!(resume(), 0);
    assert_eq!(resume(), Error::Protocol.code());
}

#[test]
fn a_call_drops_what_is_pending() {
    DROPPED.set(0);
    for next in [start::<three_sums>, start::<sync>, |_| Reserve::call(&[1, 0, 0, 0, 0, 0, 0, 0])] {
        let before = DROPPED.get();
        assert_eq!(start::<three_sums>(5), ASK);
        assert_eq!(DROPPED.get(), before);
        let code = next(1);
        assert_eq!(DROPPED.get(), before + 1);
        if code == ASK {
            assert_eq!(start::<sync>(1), 0);
        }
        assert_eq!(resume(), Error::Protocol.code());
    }
    install();
    assert_eq!(call::<three_sums>(&[Argument::Int(1)]), Ok(Value::Int(-3)), "and the next has its turn");
}

fn sync(n: i64) -> i64 {
    n
}
export!(sync(n));

#[test]
fn batches_ask_for_each_item() {
    install();
    let numbers: Vec<u8> = [5i64, 6].iter().flat_map(|number| number.to_le_bytes()).collect();
    let want: Vec<u8> = [-7i64, -8].iter().flat_map(|number| number.to_le_bytes()).collect();
    assert_eq!(testing::batch::<three_sums>(&numbers, FORM_FIXED8, &[]).unwrap().output, want);
    let got = testing::batch::<repeated>(b"a\0\0bc", 0, &[]).unwrap();
    assert_eq!((&got.output[..], got.items), (&b"aaaa\0\0bcbcbcbcbc"[..], 3));
    assert_eq!(testing::batch::<repeated>(&[b'x'; 98], 0, &[]), Err(Error::Limit));
    assert_eq!(testing::batch::<three_sums>(b"1234", FORM_FIXED8, &[]), Err(Error::Protocol));
    assert_eq!(testing::batch::<three_sums>(&numbers, 0, &[]), Err(Error::Protocol));
}

#[test]
fn requests_at_the_same_time_take_turns() {
    install();
    assert_eq!(call::<two_at_once>(&[Argument::Int(1)]), Ok(Value::Int(112)));
}

#[test]
fn a_request_that_was_dropped_is_not_asked() {
    install();
    assert_eq!(start::<fickle>(0), AGAIN, "what was asked for is no longer wanted");
    assert_eq!(resume(), ASK);
    assert_eq!(call::<fickle>(&[Argument::Bool(false)]), Ok(Value::Int(42)));
}

#[test]
fn a_request_that_was_forgotten_ends_with_its_task() {
    install();
    assert_eq!(call::<fickle>(&[Argument::Bool(true)]), Ok(Value::Int(0)));
    assert_eq!(call::<three_sums>(&[Argument::Int(5)]), Ok(Value::Int(-7)));
}

#[test]
#[should_panic(expected = "sum is asked, and no host is set")]
fn a_test_without_a_host_says_so() {
    testing::run(three_sums(1, testing::capability()));
}

#[test]
#[should_panic(expected = "int is no capability")]
fn only_capabilities_can_be_had() {
    let _: i64 = testing::capability();
}

#[test]
fn pauses_are_counted() {
    let paused = pin!(async {
        pause().await;
        pause().await;
        7
    });
    assert_eq!(testing::counted(paused), (7, 2));
}
