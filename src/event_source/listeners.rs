//! The listeners of an EventSource, and which of them an event is passed to.

use super::stream::Event;
use crate::text::lock::lock;
use std::sync::{Arc, Mutex};

/// The listeners, in the order in which they were added.
#[derive(Default)]
pub(super) struct Listeners(Mutex<Vec<Arc<Mutex<Listener>>>>);

struct Listener {
    /// The event type that it listens to; `None` for every type.
    event_type: Option<String>,
    call: Box<dyn FnMut(&Event) + Send>,
}

impl Listeners {
    /// Adds a listener for this event type, or for every type.
    pub fn add(&self, event_type: Option<String>, listener: impl FnMut(&Event) + Send + 'static) {
        let listener = Listener { event_type, call: Box::new(listener) };
        lock(&self.0).push(Arc::new(Mutex::new(listener)));
    }

    /// Passes an event to the listeners for its type. The list is not locked meanwhile, so a listener can add another one.
    pub fn call(&self, event: &Event) {
        let listeners = lock(&self.0).clone();
        for listener in listeners {
            let mut listener = lock(&listener);
            if listener.event_type.is_none() || listener.event_type == event.event {
                (listener.call)(event);
            }
        }
    }
}
