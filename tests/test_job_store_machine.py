"""The job store under any sequence of what people, workers, crashes and clocks do, beside what it promises."""

from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import text

from pricer import database
from pricer.errors import PricerError
from pricer.runs import jobs, queue
from pricer.runs.jobs import ALIVE, MOST_AT_ONCE, MOST_ATTEMPTS, Job, list_jobs

WORKERS = st.sampled_from(["here:1", "here:2", "there:1", "there:2"])
PLACES = {"here:1": "here:", "here:2": "here:", "there:1": "there:", "there:2": "there:"}
ENDS = st.sampled_from(["done", "failed"])
CRASHES = st.sampled_from(["killed", "frozen", "out of memory"])


class JobStore(RuleBasedStateMachine):
    """Leases are `Job`s as they were claimed or taken over; those that were lost stay around, and are tried in vain."""

    submitted = Bundle("submitted")
    leases = Bundle("leases")

    @initialize()
    def start(self):
        self.clock = datetime.fromisoformat("2026-05-01T12:00:00+00:00")
        self.known: set[str] = set()
        self.owner: dict[str, Job] = {}  # by job: the lease that counts
        self.final: dict[str, tuple] = {}
        self.results: dict[str, int] = {}
        self.late: list[Job] = []  # leases that were taken over from others
        jobs.database_time = lambda connection: self.clock
        with database.engine().begin() as connection:
            connection.execute(text("DELETE FROM jobs"))

    def look(self) -> dict[str, Job]:
        return {job.id: job for job in [*list_jobs(), *list_jobs(deleted=True)]}

    # People

    @rule(target=submitted, name=st.sampled_from("abc"), resources=st.sampled_from(list(MOST_AT_ONCE)))
    def submit(self, name, resources):
        alive = {job.arguments: job.id for job in list_jobs(*ALIVE)}
        job = jobs.submit(["train", name], resources, "key" if resources == "network" else None)
        assert alive.get(("train", name), job.id) == job.id  # a second click is the same job
        self.known.add(job.id)
        return job.id

    @rule(job_id=submitted)
    def cancel(self, job_id):
        before = self.look()[job_id]
        after = jobs.cancel_job(job_id)
        assert after.state == ("cancelled" if before.state == "queued" else before.state)

    @rule(target=submitted, job_id=submitted, resume=st.booleans())
    def retry(self, job_id, resume):
        before = self.look()[job_id]
        try:
            again = queue.retry_job(job_id, resume)
        except PricerError:
            assert before.state in (*ALIVE, "done")
            return job_id
        assert before.state not in (*ALIVE, "done")
        self.known.add(again.id)
        return again.id

    @rule(job_id=submitted, place=st.sampled_from(["up", "down", "first", "last"]))
    def move(self, job_id, place):
        order = [job.id for job in sorted(list_jobs("queued"), key=lambda job: (job.place, job.number))]
        try:
            queue.move_job(job_id, place)
        except PricerError:
            assert job_id not in order
            return
        at = order.index(job_id)
        order.remove(job_id)
        order.insert({"up": max(0, at - 1), "down": at + 1, "first": 0, "last": len(order)}[place], job_id)
        assert [job.id for job in sorted(list_jobs("queued"), key=lambda job: (job.place, job.number))] == order

    @rule(job_id=submitted, deleted=st.booleans())
    def delete(self, job_id, deleted):
        with suppress(PricerError):  # it lives
            (queue.delete_job if deleted else queue.undelete_job)(job_id)
            assert (self.look()[job_id].deleted_at is not None) == deleted

    # Workers

    @rule(target=leases, worker=WORKERS)
    def claim(self, worker):
        queued = [job.id for job in list_jobs("queued")]
        job = jobs.claim(worker)
        if job is None:
            return NO_LEASE
        assert job.id in queued and (job.next_at is None or job.next_at <= self.clock)
        self.owner[job.id] = job
        return job

    @rule(lease=leases)
    def beat(self, lease):
        if lease is not NO_LEASE:
            assert jobs.beat(lease) == self.counts(lease)

    @rule(lease=leases, state=ENDS)
    def finish(self, lease, state):
        if lease is NO_LEASE:
            return
        counts = self.counts(lease)
        assert jobs.finish(lease, state, result={"by": lease.fence}) == counts
        if counts:
            self.results[lease.id] = self.results.get(lease.id, 0) + 1
            del self.owner[lease.id]

    @rule(lease=leases, crash=CRASHES)
    def crash(self, lease, crash):
        if lease is NO_LEASE:
            return
        counts = self.counts(lease)
        state = jobs.end_attempt(lease, crash, "it was killed")
        assert (state is not None) == counts
        if counts:
            del self.owner[lease.id]
            now = self.look()[lease.id]
            assert now.state == state
            if state == "queued":
                assert now.attempt < MOST_ATTEMPTS and now.next_at > self.clock
                assert not lease.crash == crash == "out of memory"

    @rule(worker=WORKERS, crash=CRASHES)
    def claim_and_crash(self, worker, crash):
        self.clock += timedelta(seconds=60)  # what crashed a moment ago is due
        self.crash(self.claim(worker), crash)

    @rule(worker=WORKERS)
    def take_over(self, worker):
        theirs = {job_id for job_id, lease in self.owner.items() if lease.owner != worker}
        theirs &= {job_id for job_id, lease in self.owner.items() if lease.owner.startswith(PLACES[worker])}
        taken = jobs.take_over(worker, PLACES[worker])
        assert {job.id for job in taken} == theirs
        self.owner |= {job.id: job for job in taken}
        self.late += taken

    @rule(first=st.booleans())
    def hand_over_and_back(self, first):
        for worker in ("here:1", "here:2", "here:1") if first else ("there:2", "there:1", "there:2"):
            self.take_over(worker)
        for lease in list(self.late):
            self.beat(lease)

    @rule(place=st.sampled_from(["here:", "there:"]))
    def end_lapsed(self, place):
        gone = jobs.end_lapsed(place)
        for job in gone:
            assert job.lease_until < self.clock and not job.owner.startswith(place)
            assert self.owner.pop(job.id).fence == job.fence

    @rule(seconds=st.sampled_from([1, 5, 15, 60, 86_400, -5]))
    def pass_time(self, seconds):
        self.clock += timedelta(seconds=seconds)

    def counts(self, lease: Job) -> bool:
        held = self.owner.get(lease.id)
        return held is not None and (held.owner, held.attempt, held.fence) == (lease.owner, lease.attempt, lease.fence)

    # What holds at every moment

    @invariant()
    def every_job_is_somewhere_once(self):
        assert set(self.look()) == self.known

    @invariant()
    def a_running_job_has_one_owner_and_others_none(self):
        running = {job.id: (job.owner, job.attempt, job.fence) for job in list_jobs("running")}
        assert running == {job_id: (job.owner, job.attempt, job.fence) for job_id, job in self.owner.items()}

    @invariant()
    def no_more_run_than_may(self):
        running = list_jobs("running")
        for resources, most in MOST_AT_ONCE.items():
            assert sum(job.resources == resources for job in running) <= most
        assert sum(job.key_name is not None for job in running) <= 1

    @invariant()
    def an_end_is_final(self):
        for job in self.look().values():
            if job.state not in ALIVE:
                seen = (job.state, job.attempt, job.fence, job.error, job.why, str(job.result), job.ended_at)
                assert self.final.setdefault(job.id, seen) == seen
            else:
                assert job.id not in self.final and job.deleted_at is None

    @invariant()
    def attempts_and_results_are_bounded(self):
        for job in self.look().values():
            assert job.attempt <= MOST_ATTEMPTS
            assert (job.result is not None) == (self.results.get(job.id, 0) == 1)
            assert len((job.why or "").splitlines()) <= MOST_ATTEMPTS


NO_LEASE = object()


@pytest.mark.slow
def test_the_job_store_keeps_its_promises(home, monkeypatch):
    monkeypatch.setattr(jobs, "database_time", jobs.database_time)  # given back at the end

    run_state_machine_as_test(
        JobStore,
        settings=settings(max_examples=20, stateful_step_count=40, suppress_health_check=list(HealthCheck)),
    )
