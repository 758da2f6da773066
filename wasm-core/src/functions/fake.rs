//! A machine with settable facts, for tests.

use crate::host::Fact;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;
use skywasm_guest::testing::{self, Request};

#[derive(Clone)]
pub(crate) struct Machine {
    pub(crate) signal: i64,
    pub(crate) online: Option<i64>,
    pub(crate) affinity: Option<i64>,
    pub(crate) count: Option<i64>,
    pub(crate) cgroup_version: i64,
    pub(crate) texts: Vec<(Fact, String)>,
    /// What the machine says a text's length is, if that is a lie.
    pub(crate) claims: Option<i64>,
    pub(crate) taken: Vec<i64>,
    pub(crate) entries: Vec<Option<i64>>,
    pub(crate) limit: String,
    pub(crate) content: Vec<u8>,
    /// The requests, and the first argument of each.
    pub(crate) asked: Rc<RefCell<Vec<(String, i64)>>>,
}

impl Default for Machine {
    fn default() -> Self {
        Machine {
            signal: 0,
            online: Some(8),
            affinity: Some(8),
            count: Some(8),
            cgroup_version: 1,
            texts: Vec::new(),
            claims: None,
            taken: Vec::new(),
            entries: Vec::new(),
            limit: "1024".into(),
            content: Vec::new(),
            asked: Rc::default(),
        }
    }
}

impl Machine {
    pub(crate) fn with_text(fact: Fact, text: &str) -> Machine {
        Machine { texts: alloc::vec![(fact, text.into())], ..Machine::default() }
    }

    /// Makes this the host of the thread.
    pub(crate) fn install(&self) {
        let mut machine = self.clone();
        testing::host(move |request| machine.answer(request));
    }

    /// How often it was asked for this.
    pub(crate) fn times(&self, name: &str) -> usize {
        self.asked.borrow().iter().filter(|(asked, _)| asked == name).count()
    }

    fn answer(&mut self, request: &mut Request<'_>) -> i64 {
        let first = request.arguments[0];
        self.asked.borrow_mut().push((request.name.into(), first));
        match request.name {
            "process_signal" => -self.signal,
            "cpu_online" => self.online.unwrap_or(-1),
            "cpu_affinity" => self.affinity.unwrap_or(-1),
            "cpu_count" => self.count.unwrap_or(-1),
            "cpu_cgroup_version" | "memory_cgroup_version" => self.cgroup_version,
            "cpu_text" | "memory_text" => self.text(request),
            "port_bind" => -i64::from(self.taken.contains(&first)) * 98,
            "file_read" => {
                let length = request.fill(&self.content);
                self.content.drain(..length as usize);
                length
            }
            "dir_entries" => self.entries.get(first as usize).copied().flatten().unwrap_or(-1),
            "limits_open_files" => request.fill(self.limit.as_bytes()),
            other => panic!("{other} is no request"),
        }
    }

    fn text(&self, request: &mut Request<'_>) -> i64 {
        match self.texts.iter().find(|(fact, _)| *fact as i64 == request.arguments[0]) {
            Some((_, text)) => {
                let length = request.fill(text.as_bytes());
                self.claims.unwrap_or(length)
            }
            None => -1,
        }
    }
}
