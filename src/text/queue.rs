//! Sends nothing: a bounded queue from many threads to one. The standard library's channels do more, and are many times
//! the code.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What waits to be taken.
#[derive(Debug)]
pub struct Queue<T> {
    waiting: Mutex<Waiting<T>>,
    changed: Condvar,
    most: usize,
}

#[derive(Debug)]
struct Waiting<T> {
    items: VecDeque<T>,
    closed: bool,
}

/// Why nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nothing {
    /// Nothing came in time.
    Yet,
    /// Nothing will come any more.
    EverMore,
}

impl<T> Queue<T> {
    /// A queue in which `most` can wait.
    pub fn new(most: usize) -> Queue<T> {
        let waiting = Mutex::new(Waiting { items: VecDeque::new(), closed: false });
        Queue { waiting, changed: Condvar::new(), most }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an item, or gives it back when the queue is full or closed; never waits.
    ///
    /// # Errors
    /// The item, for which there is no room.
    pub fn offer(&self, item: T) -> Result<(), T> {
        let mut waiting = self.lock();
        if waiting.closed || waiting.items.len() >= self.most {
            return Err(item);
        }
        waiting.items.push_back(item);
        drop(waiting);
        self.changed.notify_one();
        Ok(())
    }

    /// Lets whoever takes know that nothing will come after what waits now.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Takes the next item, and waits for it so long at most.
    ///
    /// # Errors
    /// There was none.
    pub fn take(&self, time: Duration) -> Result<T, Nothing> {
        let empty = |waiting: &mut Waiting<T>| waiting.items.is_empty() && !waiting.closed;
        let waited = self.changed.wait_timeout_while(self.lock(), time, empty);
        let (mut waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let nothing = if waiting.closed { Nothing::EverMore } else { Nothing::Yet };
        waiting.items.pop_front().ok_or(nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    #[test]
    fn what_is_offered_is_taken_in_order_until_there_is_no_room() {
        let queue = Queue::new(2);
        assert_eq!([queue.offer(1), queue.offer(2), queue.offer(3)], [Ok(()), Ok(()), Err(3)]);
        assert_eq!([queue.take(NOW), queue.take(NOW), queue.take(NOW)], [Ok(1), Ok(2), Err(Nothing::Yet)]);
    }

    #[test]
    fn what_waits_is_still_taken_after_the_end() {
        let queue = Queue::new(2);
        assert_eq!(queue.offer(1), Ok(()));
        queue.close();
        assert_eq!(queue.offer(2), Err(2));
        assert_eq!([queue.take(NOW), queue.take(NOW)], [Ok(1), Err(Nothing::EverMore)]);
    }

    #[test]
    fn whoever_waits_is_woken() {
        let queue = Queue::new(1);
        std::thread::scope(|scope| {
            let taker = scope.spawn(|| queue.take(Duration::from_secs(10)));
            assert_eq!(queue.offer(7), Ok(()));
            assert_eq!(taker.join().unwrap(), Ok(7));
        });
    }
}
