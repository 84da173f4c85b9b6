"""One number's way out: claim, commit, send with no transaction open, record.

Meta has no idempotency key. So what was claimed and has no answer is never sent again by itself: it becomes
`unknown` after a while in which a status webhook may still tell. The rules of what an answer means are in
`outcomes.py`, how fast and in which order in `pace.py`.
"""

import asyncio
import logging
import random
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import psycopg
from psycopg_pool import PoolTimeout

from aerostic.core import clock, crypto, live
from aerostic.core.crypto import CannotDecrypt
from aerostic.core.lanes import LanePool
from aerostic.core.settings import settings
from aerostic.core.tenancy import lane_transaction
from aerostic.domain.channels.service import token_place
from aerostic.domain.inbox.drafts import with_files
from aerostic.domain.sending import claims, consequences, leases, records
from aerostic.domain.sending.attachments import Attachments
from aerostic.domain.sending.claims import Channel
from aerostic.domain.sending.outcomes import STOPS, Fate, Item, Outcome, outcome_of, put_back
from aerostic.domain.sending.pace import Pace
from aerostic.domain.sending.rows import Place
from aerostic.integrations.meta.client import Access, GraphClient, SendResult
from aerostic.integrations.meta.errors import TOKEN_UNREADABLE, Action

log = logging.getLogger(__name__)

MOST_IN_FLIGHT = 2000
CALLBACK = "biz_opaque_callback_data"  # comes back with each status: it heals a lost answer
BEHIND = timedelta(
    milliseconds=20
)  # who waits for an earlier message of the same person comes after it
NO_DATABASE = (psycopg.OperationalError, PoolTimeout)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, in seconds, for what."""

    lane: float = 30  # a lane belongs to nobody when its sender has been silent for so long
    item: float = 120  # a claimed message without an answer is lost after
    turn: float = 60  # of those, the time in which it must have been sent, or it goes back
    heal: float = 60  # an answer that was lost may still come as a status webhook
    stopped: float = 60  # a number that needs attention is looked at again
    linger: float = 5  # an idle lane is kept
    look: float = 1  # without being told, look for messages
    recover: float = 15  # look for what a lost sender left
    gather: float = 0.02  # answers are written together
    leave: float = 12  # when told to stop: for what is in flight


@dataclass(slots=True)
class Lane:
    """Sends the messages of one number until told to stop, or until there are none."""

    place: Place
    owner: str
    pool: LanePool
    client: GraphClient
    pace: Pace
    patience: Patience
    held_until: float = float(
        "inf"
    )  # by the lane's clock: later the number may be another sender's
    channel: Channel | None = None
    _access: Access | None = None
    _awake: asyncio.Event = field(default_factory=asyncio.Event)
    _answered: asyncio.Event = field(default_factory=asyncio.Event)
    _turns: asyncio.Lock = field(default_factory=asyncio.Lock)
    _mine: dict[UUID, Item] = field(default_factory=dict)  # claimed and not yet recorded
    _queues: dict[str, deque[Item]] = field(default_factory=dict)  # by recipient, in their order
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _told: list[Outcome] = field(default_factory=list)
    _attachments: Attachments | None = None
    _waiting: int = 0
    _has_more: bool = False  # the last claim found as many as it might take
    _is_stopping: bool = False
    _is_stopped: bool = False  # Meta refused the number: until someone has looked
    _recovered_at: float = float("-inf")
    _busy_at: float = 0.0

    def wake(self) -> None:
        """There may be something new."""
        self._awake.set()

    def stop(self) -> None:
        """Claim nothing more; what is in flight is awaited."""
        self._is_stopping = True
        self._awake.set()

    async def run(self) -> None:
        """Send until nothing is due, then give the lane back."""
        self._attachments = Attachments(self.place, self.pool, self.client)
        self._busy_at = self._now()
        self.pace.bucket.begin(self._now())
        recorder = asyncio.create_task(self._keep_recording())
        recorder.add_done_callback(self._ended)
        try:
            while not await self._is_over():
                await self._step()
            await self._await_answers()
        finally:
            recorder.cancel()
            await asyncio.gather(recorder, return_exceptions=True)
        await self._settle()

    @property
    def tenant_id(self) -> UUID:
        return self.place[0]

    def _now(self) -> float:
        return self.pace.clock()

    @property
    def _is_ours(self) -> bool:
        """Whether nobody else may serve the number now. Two at once would send at twice its rate."""
        return self._now() < self.held_until

    # Claiming

    async def _is_over(self) -> bool:
        if self._is_stopping:
            return True
        idle = self._now() - self._busy_at
        is_closed = self._is_stopped or not (self.channel is None or self.channel.is_open)
        if self._mine or (idle < self.patience.linger and not is_closed):
            return False
        try:
            return await self._rest(is_closed)
        except NO_DATABASE as error:
            log.warning("the database does not answer: %s", error)
            await asyncio.sleep(1)
            return False

    async def _rest(self, is_closed: bool) -> bool:
        """Give the lane back, unless there is something to do after all."""
        pause = max(self.patience.stopped if is_closed else 0.0, self.pace.pause)
        self._busy_at, self._is_stopped = self._now(), False
        now = clock.now()
        async with lane_transaction(self.pool, tenant_id=self.tenant_id) as cursor:
            if not await leases.hold(cursor, self.place, owner=self.owner):
                return False
            self.channel = await claims.channel(cursor, self.place)
            due_at = await leases.next_due(cursor, self.place)
            if due_at and pause:
                due_at = max(due_at, now + timedelta(seconds=pause))
            is_open = self.channel is not None and self.channel.is_open
            if due_at and (due_at <= now or (is_closed and is_open)):
                return False
            await leases.give_back(cursor, self.place, due_at=due_at)
        return True

    async def _step(self) -> None:
        """Claim what there is room for; with nothing to claim, wait."""
        self._awake.clear()
        try:
            await self._recover_now_and_then()
            claimed = await self._claim() if self._has_room() else []
        except NO_DATABASE as error:
            log.warning("the database does not answer: %s", error)
            await asyncio.sleep(1)
            return
        for item in claimed:
            self._dispatch(item)
        if claimed:
            self._busy_at = self._now()
        else:
            await self._until_awake()

    async def _until_awake(self) -> None:
        try:
            await asyncio.wait_for(self._awake.wait(), self.patience.look)
        except TimeoutError:
            return

    def _has_room(self) -> bool:
        return (
            not self._is_stopped
            and self._is_ours
            and self.pace.pause == 0
            and self._waiting * 2 <= self.pace.ahead()
            and len(self._mine) < MOST_IN_FLIGHT
        )

    async def _claim(self) -> list[Item]:
        now = clock.now()
        async with lane_transaction(self.pool, tenant_id=self.tenant_id) as cursor:
            channel = await claims.channel(cursor, self.place)
            if channel is None or channel.is_gone:
                changes = await consequences.fail_everything(cursor, self.place, now)
                claimed: list[Item] = []
            elif channel.is_open and not self._use(channel):
                changes = await consequences.stop(cursor, channel, self.tenant_id, TOKEN_UNREADABLE)
                claimed = []
            elif not channel.is_open:
                changes, claimed = set(), []
            else:
                changes = set()
                most = min(self.pace.ahead(), MOST_IN_FLIGHT - len(self._mine))
                until = now + timedelta(seconds=self.patience.item)
                claimed = await claims.claim(cursor, self.place, now=now, until=until, most=most)
                self._has_more = len(claimed) == most
            self.channel = channel
        await self._announce(changes)
        return claimed

    def _use(self, channel: Channel) -> bool:
        """Take over the number's token and rate. False: the token can not be read."""
        if channel == self.channel and self._access is not None:
            return True
        self._access = None
        try:
            self._access = access_of(channel)
        except CannotDecrypt:
            log.error("the token of account %s can not be read", channel.account_id)
            return False
        self.pace.bucket.grant(float(max(1, channel.messages_per_second)))
        return True

    async def _recover_now_and_then(self) -> None:
        if self._now() - self._recovered_at < self.patience.recover:
            return
        now = clock.now()
        async with lane_transaction(self.pool, tenant_id=self.tenant_id) as cursor:
            touched = await claims.recover(cursor, self.place, now=now, in_flight=self._mine)
        self._recovered_at = self._now()
        await self._announce({("conversation", str(one)) for one in touched})

    # Sending

    def _dispatch(self, item: Item) -> None:
        """Behind those to the same person: what was written first arrives first."""
        self._mine[item.id] = item
        self._waiting += 1
        queue = self._queues.get(item.recipient)
        if queue is not None:
            queue.append(item)
            return
        queue = self._queues[item.recipient] = deque([item])
        task = asyncio.create_task(self._serve(item.recipient, queue))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A bug must not hold the lane: another takes it over, and what was on its way is unsettled."""
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a lane broke", exc_info=task.exception())
            self.stop()

    async def _serve(self, recipient: str, queue: deque[Item]) -> None:
        while queue:
            outcome = await self._attempt(queue.popleft())
            self.pace.learn(outcome, clock.now())
            if outcome.rule is not None and outcome.rule.action in STOPS:
                self._is_stopped = True
            self._told.append(outcome)
            self._answered.set()
        del self._queues[recipient]

    async def _attempt(self, item: Item) -> Outcome:
        access = self._access
        try:
            if access is None or self.pace.pause:
                return put_back(item)
            if (wait := self.pace.pairs.wait(item.recipient, self._now())) > 0:
                return put_back(item, clock.now() + timedelta(seconds=wait) + BEHIND)
            files = await self._files(item, access)
            if isinstance(files, Outcome):
                return files
            if not await self._turn(item):
                return put_back(item)
        finally:
            self._waiting -= 1
            self._wake_for_more()
        self.pace.pairs.take(item.recipient, self._now())
        body = with_files(item.body, files) if files else item.body
        return await self._send(item, access, {**body, CALLBACK: str(item.id)})

    async def _files(self, item: Item, access: Access) -> dict[UUID, str] | Outcome:
        if not item.files:
            return {}
        assert self._attachments is not None, "made when the lane began"
        try:
            return await self._attachments.of(item, access)
        except NO_DATABASE as error:
            log.warning("a file could not be looked up: %s", error)
            return put_back(item, clock.now() + timedelta(seconds=1))

    async def _send(self, item: Item, access: Access, body: dict[str, object]) -> Outcome:
        uses_other = self.pace.uses_marketing_messages and body.get("type") == "template"
        result = await self.client.send(access, body, marketing=uses_other)
        outcome = self._outcome(item, result)
        rule = outcome.rule
        if rule is not None and rule.action is Action.SWITCH_ENDPOINT and not uses_other:
            self.pace.uses_marketing_messages = True
            if not await self._turn(item):  # a second request counts as one more
                return put_back(item)
            return self._outcome(item, await self.client.send(access, body, marketing=True))
        return outcome

    def _outcome(self, item: Item, result: SendResult) -> Outcome:
        return outcome_of(item, result, now=clock.now(), jitter=random.random())  # noqa: S311 - no secret

    async def _turn(self, item: Item) -> bool:
        """Wait until the number's rate allows one more. False: it should not be sent now."""
        async with self._turns:
            while self._is_ours and not (self._is_stopping or self._is_stopped or self.pace.pause):
                left = (item.leased_until - clock.now()).total_seconds()
                if left < self.patience.item - self.patience.turn:
                    return False
                wait = self.pace.bucket.take(self._now())
                if wait == 0:
                    return True
                await asyncio.sleep(min(wait, 0.5))
        return False

    def _wake_for_more(self) -> None:
        if self._has_more and self._has_room():
            self._awake.set()

    # Recording

    async def _keep_recording(self) -> None:
        while True:
            await self._answered.wait()
            self._answered.clear()
            await asyncio.sleep(self.patience.gather)
            while self._told:
                await self._record()

    async def _record(self) -> None:
        """Write down what is known, all of it or none; again until the database takes it."""
        batch, self._told = self._told, []
        try:
            changes = await self._write(batch)
        except (*NO_DATABASE, asyncio.CancelledError) as error:
            self._told = batch + self._told
            if isinstance(error, asyncio.CancelledError):
                raise
            log.warning("answers are kept until the database takes them: %s", error)
            await asyncio.sleep(1)
            return
        except psycopg.Error:
            await self._record_one_by_one(batch)
            return
        self._is_recorded(batch)
        await self._announce(changes)

    async def _record_one_by_one(self, batch: list[Outcome]) -> None:
        """One of them the database will never take: it must not take the others along."""
        for outcome in batch:
            try:
                changes = await self._write([outcome])
            except psycopg.Error:
                log.exception("the answer to message %s can not be kept", outcome.item.id)
                changes = set()
            self._is_recorded([outcome])
            await self._announce(changes)

    def _is_recorded(self, batch: list[Outcome]) -> None:
        for outcome in batch:
            self._mine.pop(outcome.item.id, None)
        self._busy_at = self._now()
        self._wake_for_more()

    async def _write(self, batch: list[Outcome]) -> set[tuple[str, str]]:
        assert self.channel is not None, "whoever claimed has read it"
        now = clock.now()
        async with lane_transaction(self.pool, tenant_id=self.tenant_id) as cursor:
            return await records.record(
                cursor,
                self.channel,
                self.tenant_id,
                batch,
                now=now,
                heal_until=now + timedelta(seconds=self.patience.heal),
            )

    async def _announce(self, changes: set[tuple[str, str]]) -> None:
        if changes:
            await asyncio.to_thread(live.announce, self.tenant_id, changes)

    # The end

    async def _await_answers(self) -> None:
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=self.patience.leave)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _settle(self) -> None:
        """Write down what is known. What did not answer in time is unsettled."""
        known = {one.item.id for one in self._told}
        self._told += [
            Outcome(item, Fate.UNSETTLED) for item in self._mine.values() if item.id not in known
        ]
        tries = 5
        while self._told and tries:
            await self._record()
            tries -= 1


def access_of(channel: Channel) -> Access:
    """How the number speaks to Meta. Raises CannotDecrypt."""
    token = crypto.decrypt(channel.sealed_token, bound_to=token_place(channel.account_id))
    version = channel.graph_version or settings().meta_graph_version
    return Access(channel.phone_number_id, token, version)
