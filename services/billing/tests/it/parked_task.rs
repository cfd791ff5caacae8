//! Parked tasks: what a job could not do is kept, once, until it is mended or given up.

use futures::future::{join, join_all};
use prost::Message as _;
use tonic::{Code, Response, Status};
use trato_proto::{
    billing::v1::{
        CreateDunningPolicyRequest, CreateInvoiceFromSourceRequest, DropParkedTaskRequest, DunningPolicy,
        GetParkedTaskRequest, Invoice, ListParkedTasksRequest, ParkedTask, RetryParkedTaskRequest,
        RunDunningRequest,
        create_invoice_from_source_request::Line,
        dunning_policy::{Action, Step},
        parked_task::State,
    },
    customers::v1::Account,
};
use trato_types::time::to_microseconds;

use crate::{
    harness::{Billing, Desk, days_ago, eur, field, refusal, violations},
    payment::request_id,
};

impl Billing {
    /// An account that owes something for a month, and is deleted.
    async fn gone(&self) -> String {
        let desk = self.desk().await;
        self.goes(&desk).await;
        desk.account
    }

    /// The same of the account of a desk.
    async fn goes(&self, desk: &Desk) {
        let policy = DunningPolicy {
            display_name: "Late payers".into(),
            steps: vec![Step { after_days: 5, action: Action::Collection.into(), ..Default::default() }],
            ..Default::default()
        };
        let request = CreateDunningPolicyRequest { dunning_policy: Some(policy), ..Default::default() };
        self.dunning_policies().create_dunning_policy(self.admin.request(request)).await.expect("a policy");
        let ledger = self.ledger(desk).await;
        self.open_balance(&ledger, &desk.account, eur("40.00"), days_ago(30)).await.expect("taken over");
        self.hear_account(&desk.account, true).await;
    }

    async fn comes_back(&self, name: &str) {
        let account = Account { name: name.into(), ..Default::default() };
        let kind = "trato.customers.v1.account.undeleted";
        self.service.hear(self.admin.tenant, kind, name, 3, &account).await;
    }

    async fn run_job(&self) -> trato_types::Result<usize> {
        trato_billing::run_dunning(&self.service.database, to_microseconds(chrono::Utc::now())).await
    }

    pub async fn parked(&self, filter: &str) -> Vec<ParkedTask> {
        let request = ListParkedTasksRequest { filter: filter.into(), ..Default::default() };
        let page = self.parked_tasks().list_parked_tasks(self.admin.request(request)).await;
        page.expect("a page").into_inner().parked_tasks
    }

    pub async fn retry(&self, task: &ParkedTask, request_id: &str) -> Result<ParkedTask, Status> {
        let request = RetryParkedTaskRequest {
            name: task.name.clone(),
            request_id: request_id.into(),
            ..Default::default()
        };
        self.parked_tasks().retry_parked_task(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn give_up(&self, task: &ParkedTask, reason: &str) -> Result<ParkedTask, Status> {
        let request =
            DropParkedTaskRequest { name: task.name.clone(), reason: reason.into(), ..Default::default() };
        self.parked_tasks().drop_parked_task(self.admin.request(request)).await.map(Response::into_inner)
    }

    async fn count(&self, event: &str) -> usize {
        let events = self.service.events(self.admin.tenant).await;
        events.iter().filter(|(kind, ..)| kind == &format!("trato.billing.v1.{event}")).count()
    }
}

/// XTR-05: what a job could not do is parked once, however many try, with its reason; it is tried again until it is mended, and
/// then done.
#[tokio::test]
async fn what_a_job_could_not_do_is_parked_until_it_is_mended() {
    let billing = Billing::start().await;
    let account = billing.gone().await;

    let runs = join_all((0..4).map(|_| billing.run_job())).await;
    let parked = billing.parked("state = PARKED AND reason = \"ACCOUNT_DELETED\"").await;
    let [task] = &parked[..] else { panic!("{parked:?}") };
    let id = request_id();
    let again = billing.retry(task, &id).await.expect("it fails again");
    let repeated = billing.retry(task, &id).await.expect("the same answer");
    billing.comes_back(&account).await;
    let done = billing.retry(task, "").await.expect("it is done");
    let over = billing.retry(task, "").await;

    assert!(runs.iter().all(Result::is_ok), "{runs:?}");
    assert_eq!((task.kind.as_str(), &task.subject, task.try_count), ("run-dunning", &account, 1));
    assert_eq!((again.state(), again.try_count), (State::Parked, 2));
    assert_eq!(repeated, again);
    assert_eq!((done.state(), done.try_count), (State::Done, 3));
    let last = [task, &done].map(|task| task.last_try_time.map(|time| (time.seconds, time.nanos)));
    assert!(done.first_try_time == task.first_try_time && last[0] < last[1]);
    assert_eq!(refusal(over), (Code::FailedPrecondition, "TASK_NOT_PARKED".to_owned()));
    let counts = [
        billing.count("parked_task.parked").await,
        billing.count("parked_task.done").await,
        billing.count("dunning_state.step_entered").await,
    ];
    assert_eq!(counts, [2, 1, 1], "that it failed again as before is no news");
}

/// XTR-05: the job itself notes that what was parked is done; what a trial finds is parked nowhere.
#[tokio::test]
async fn the_job_finishes_what_was_parked() {
    let billing = Billing::start().await;
    let account = billing.gone().await;
    let trial = RunDunningRequest { validate_only: true, ..Default::default() };
    billing.dunning_states().run_dunning(billing.admin.request(trial)).await.expect("a trial");
    assert!(billing.parked("").await.is_empty());

    billing.run_job().await.expect("it runs");
    let parked = billing.parked("").await;
    billing.comes_back(&account).await;
    billing.run_job().await.expect("it runs");
    let request = GetParkedTaskRequest { name: parked[0].name.clone() };
    let done =
        billing.parked_tasks().get_parked_task(billing.admin.request(request)).await.expect("it is there");

    assert_eq!(parked.len(), 1);
    assert_eq!(done.into_inner().state(), State::Done);
    assert_eq!(billing.count("dunning_state.step_entered").await, 1);
}

/// XTR-05: who tries a task that a run has finished meanwhile hears that it is done, also when they ask once more.
#[tokio::test]
async fn what_a_run_has_finished_meanwhile_is_done() {
    let billing = Billing::start().await;
    let account = billing.gone().await;
    billing.run_job().await.expect("it runs");
    let task = billing.parked("").await.remove(0);
    billing.comes_back(&account).await;
    let turn = billing.hold_turn(&account).await;
    let id = request_id();

    let finish = async {
        billing.is_waited_for().await;
        billing.tamper("update parked_task set state = 'DONE'", true).await.expect("it is finished");
        turn.roll_back().await.expect("the turn is given back");
    };
    let (done, ()) = join(billing.retry(&task, &id), finish).await;
    let done = done.expect("it is done");
    let repeated = billing.retry(&task, &id).await.expect("the same answer");

    assert_eq!((done.state(), &repeated), (State::Done, &done));
    assert_eq!(billing.count("dunning_state.step_entered").await, 1);
}

/// XTR-05: what was given up for a reason is not parked again for the same one.
#[tokio::test]
async fn what_was_given_up_stays_so() {
    let billing = Billing::start().await;
    billing.gone().await;
    billing.run_job().await.expect("it runs");
    let task = billing.parked("").await.remove(0);

    let silent = billing.give_up(&task, " ").await;
    let dropped = billing.give_up(&task, "Settled in court").await.expect("it is parked");
    billing.run_job().await.expect("it runs");

    assert_eq!(violations(silent), [field("reason", "REQUIRED")]);
    assert_eq!((dropped.state(), dropped.drop_reason.as_str()), (State::Dropped, "Settled in court"));
    assert_eq!(billing.parked("").await, std::slice::from_ref(&dropped));
    assert_eq!(
        refusal(billing.give_up(&dropped, "Again").await),
        (Code::FailedPrecondition, "TASK_NOT_PARKED".to_owned())
    );
}

/// What a task keeps of a request, in hexadecimal.
fn kept(content: &[u8]) -> String {
    let mut asked: Vec<u8> = Vec::new();
    for (tag, value) in [(0x0a, b"members/ana".as_slice()), (0x12, b"1".as_slice()), (0x1a, content)] {
        asked.extend([tag, u8::try_from(value.len()).expect("it is short")]);
        asked.extend(value);
    }
    asked.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// XTR-05: a task whose request cannot be read any more, or is not taken any more, stays parked, and an invoice of its document is issued
/// nevertheless.
#[tokio::test]
async fn a_request_that_cannot_be_read_stops_no_invoice() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    billing.goes(&desk).await;
    billing.run_job().await.expect("it runs");
    billing.comes_back(&desk.account).await;
    let refused = CreateInvoiceFromSourceRequest {
        lines: vec![Line { source_line: "1".into(), quantity: "-1".into() }],
        ..Default::default()
    };

    for content in [vec![0xff], refused.encode_to_vec()] {
        let statement = format!(
            "update parked_task set kind = 'create-invoice-from-source', subject = 'orders/a', asked = '\\x{}'",
            kept(&content)
        );
        billing.tamper(&statement, true).await.expect("it is another task");
        let draft =
            Invoice { source_document: "orders/a".into(), ..desk.invoice(vec![desk.line("1", "1", "10")]) };
        let draft = billing.create_invoice(draft).await.expect("a draft");
        billing.issue(&draft, &desk.series).await.expect("issued");

        let tasks = billing.parked("").await;
        let [task] = &tasks[..] else { panic!("{tasks:?}") };
        assert_eq!((task.subject.as_str(), task.state()), ("orders/a", State::Parked));
    }
}
