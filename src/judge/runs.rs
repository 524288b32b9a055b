//! Keeps the runs of all clients that are judged.

use super::cases::TestCase;
use super::client::Client;
use super::run::CaseRun;
use std::sync::Arc;

/// Runs that are kept; beyond this number, the oldest are forgotten. A client has about 230, of some kilobytes each.
const MAX_RUNS: usize = 4_000;

/// All runs, client by client.
#[derive(Debug, Default)]
pub struct Runs {
    clients: Vec<Judged>,
    /// The number of the last run that has begun.
    last_number: u64,
}

/// A client and its runs.
#[derive(Debug)]
struct Judged {
    client: Arc<Client>,
    runs: Vec<Arc<CaseRun>>,
}

impl Runs {
    /// The run of this case for this client, if it has begun.
    pub fn find(&self, client: &str, id: &str) -> Option<Arc<CaseRun>> {
        let judged = self.clients.iter().find(|judged| judged.client.name == client)?;
        judged.runs.iter().find(|run| run.id() == id).map(Arc::clone)
    }

    /// All runs, in the order in which they began.
    pub fn all(&self) -> Vec<Arc<CaseRun>> {
        let mut all: Vec<_> = self.clients.iter().flat_map(|judged| &judged.runs).map(Arc::clone).collect();
        all.sort_by_key(|run| run.number);
        all
    }

    /// Begins a run, which replaces an earlier one of this client and this case.
    pub fn begin(&mut self, client: &str, case: &Arc<TestCase>, by_request: bool) -> Option<Arc<CaseRun>> {
        let number = self.last_number + 1;
        let judged = self.judged(client);
        let run = Arc::new(CaseRun::new(case, &judged.client, number, by_request)?);
        judged.runs.retain(|other| other.id() != run.id());
        judged.runs.push(Arc::clone(&run));
        self.last_number = number;
        self.forget_oldest();
        Some(run)
    }

    /// Forgets this client.
    pub fn forget(&mut self, client: &str) {
        self.clients.retain(|judged| judged.client.name != client);
    }

    /// The entry of this client, which is added if there is none.
    fn judged(&mut self, name: &str) -> &mut Judged {
        let found = self.clients.iter().position(|judged| judged.client.name == name);
        let at = found.unwrap_or(self.clients.len());
        if found.is_none() {
            self.clients.push(Judged { client: Arc::new(Client::new(name)), runs: Vec::new() });
        }
        &mut self.clients[at]
    }

    /// Forgets the oldest run if there are too many. The runs of a client are in the order in which they began.
    fn forget_oldest(&mut self) {
        if self.clients.iter().map(|judged| judged.runs.len()).sum::<usize>() <= MAX_RUNS {
            return;
        }
        let oldest = |judged: &&mut Judged| judged.runs.first().map(|run| run.number);
        if let Some(judged) = self.clients.iter_mut().min_by_key(oldest) {
            judged.runs.remove(0);
        }
        self.clients.retain(|judged| !judged.runs.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_runs_are_forgotten_first() {
        let case = Arc::new(TestCase::parse("X", b"data: x\n\n").unwrap());
        let mut runs = Runs::default();
        for number in 0..MAX_RUNS + 2 {
            runs.begin(&number.to_string(), &case, false).unwrap();
        }
        assert_eq!(runs.all().len(), MAX_RUNS);
        assert!(runs.find("1", "X").is_none() && runs.find("2", "X").is_some());
        runs.begin("2", &case, false).unwrap();
        assert_eq!(runs.all().last().unwrap().client(), "2");
        runs.forget("2");
        assert_eq!(runs.all().len(), MAX_RUNS - 1);
    }
}
