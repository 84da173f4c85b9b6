"""Posts to a workflow's public address: where it leads, whether they are proven, how many there may be.

Asked for many posts at a time: what a batch waits for is one statement. Every post is answered by what stood
in the database after it had come, so a workflow that was switched off stays off.
"""

import asyncio
import hmac
import logging
import secrets
import time
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from pydantic import ValidationError
from redis.asyncio import Redis

from aerostic.core import arrays, clock
from aerostic.core.errors import NotFound
from aerostic.core.ids import new_id
from aerostic.core.lanes import LanePool
from aerostic.core.pipes import Pipe
from aerostic.core.tenancy import lane_transaction, unit_of_work
from aerostic.domain.automation import scope
from aerostic.domain.automation.actor import AUTOMATION
from aerostic.domain.automation.attempts import Lost
from aerostic.domain.automation.graph import Graph
from aerostic.domain.automation.models import ExecutionStatus
from aerostic.domain.automation.nodes import BY_KIND
from aerostic.domain.automation.nodes.triggers import Proof
from aerostic.domain.automation.plans import Plan, plan_of
from aerostic.domain.automation.posting_rates import PostingRates, TooMany
from aerostic.domain.automation.runner import Runner
from aerostic.domain.automation.runs import Run
from aerostic.domain.automation.saver import NO_DATABASE
from aerostic.domain.vault import service as vault

log = logging.getLogger(__name__)

KIND = "trigger.webhook"
KNOWN = 1_000  # addresses in memory
FRESH = 5.0  # seconds for which what does not change with a publication is remembered
SECRET_HEADER, SIGNATURE_HEADER = "x-webhook-secret", "x-webhook-signature"


@dataclass(frozen=True, slots=True)
class Target:
    """What an address leads to. `entry` is its line in the directory: another one after a publication."""

    entry: bytes
    tenant_id: UUID
    workflow_id: UUID
    version_id: UUID
    version_number: int
    node_id: str
    plan: Plan
    waits: bool
    rate: int
    workspace: str
    proof: Proof
    secret: bytes | None
    known_at: float

    def run(self, payload: Mapping[str, Any], *, status: ExecutionStatus) -> Run:
        """A new run for a post. `payload` is `webhookPayload`."""
        now = clock.now()
        trigger = {"kind": KIND, "at": scope.clock(now)}
        return Run(
            tenant_id=self.tenant_id,
            id=new_id(),
            workflow_id=self.workflow_id,
            plan=self.plan,
            at=self.node_id,
            given={"webhookPayload": dict(payload), "trigger": trigger},
            version_id=self.version_id,
            version_number=self.version_number,
            trigger_kind=KIND,
            trigger_node=self.node_id,
            status=status,
            created_at=now,
            started_at=now if status == ExecutionStatus.RUNNING else None,
            is_new=True,
            around={"workspace": {"name": self.workspace}},
        )

    def is_proven(self, headers: Mapping[str, str], body: bytes) -> bool | None:
        """Whether whoever posts knows the secret. None: they did not try to prove it."""
        if self.secret is None:
            return True
        if self.proof is Proof.HMAC:
            told = headers.get(SIGNATURE_HEADER)
            expected = b"sha256=" + hmac.digest(self.secret, body, "sha256").hex().encode()
        else:
            told, expected = headers.get(SECRET_HEADER), self.secret
        if not told:
            return None
        return hmac.compare_digest(told.encode("utf-8", "surrogateescape"), expected)


@dataclass(frozen=True, slots=True)
class Entered:
    """What becomes of a post: where it leads, and in how many seconds it may come again if it is too many."""

    target: Target | None
    retry_after: int = 0


@dataclass(slots=True, eq=False)
class _Waiting:
    workflow_id: UUID
    entered: asyncio.Future[Entered]


_ENTRIES = """
    select uuid_send(workflow_id) || uuid_send(tenant_id) || uuid_send(stamp) from workflow_directory
    where workflow_id = any(%b::uuid[])
"""
_TARGET = """
    select v.id, v.number, t.node_id, t.config, v.graph::text, w.webhook_waits, w.webhook_rate, n.name
    from workflow_triggers t
    join workflows w on w.tenant_id = t.tenant_id and w.id = t.workflow_id and w.is_enabled
    join workflow_versions v on v.tenant_id = t.tenant_id and v.id = t.version_id
    join tenants n on n.id = t.tenant_id
    where t.tenant_id = %s and t.workflow_id = %s and t.kind = %s order by t.id limit 1
"""


@dataclass(eq=False)
class Gate:
    """Lets posts in. Belongs to one event loop."""

    pool: LanePool
    redis: Redis
    runner: Runner
    _pipe: Pipe = field(default_factory=lambda: Pipe(name="posts"))
    _rates: PostingRates = field(init=False)
    _known: OrderedDict[UUID, Target] = field(default_factory=OrderedDict)
    _waiting: list[_Waiting] = field(default_factory=list)
    _asking: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self._rates = PostingRates(self.redis)

    async def close(self) -> None:
        """Let go of what is its own."""
        await self._rates.close()
        await self._pipe.close()

    async def enter(self, workflow_id: UUID) -> Entered:
        """Count a post, and say what it leads to. Raises psycopg.Error, PoolTimeout."""
        entered: asyncio.Future[Entered] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(workflow_id, entered))
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_all())
        return await entered

    async def _ask_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._ask(batch)
        finally:
            self._asking = None

    async def _ask(self, batch: Sequence[_Waiting]) -> None:
        error: BaseException | None = asyncio.CancelledError()
        found: dict[UUID, Target] = {}
        over: dict[UUID, TooMany] = {}
        try:
            found = await self._targets({one.workflow_id for one in batch})
            posts = Counter(one.workflow_id for one in batch)
            over = await self._rates.count(posts, {one: it.rate for one, it in found.items()})
            error = None
        except (psycopg.Error, *NO_DATABASE) as refused:
            error = refused
        finally:
            _tell(batch, found, over, error)

    async def _targets(self, ids: set[UUID]) -> dict[UUID, Target]:
        asked = [(None, [(_ENTRIES, [arrays.encode("uuid", ids)])])]
        entries = {entry[:16]: entry for entry in (await self._pipe.run(asked))[0]}
        found = {}
        for workflow_id in ids:
            entry = entries.get(workflow_id.bytes)
            target = await self._target(workflow_id, entry) if entry else None
            if target is not None:
                found[workflow_id] = target
        return found

    async def _target(self, workflow_id: UUID, entry: bytes) -> Target | None:
        known = self._known.get(workflow_id)
        if known and known.entry == entry and time.monotonic() < known.known_at + FRESH:
            return known
        return await self._learn(workflow_id, entry)

    async def _learn(self, workflow_id: UUID, entry: bytes) -> Target | None:
        tenant_id = UUID(bytes=entry[16:32])
        async with lane_transaction(self.pool, tenant_id=tenant_id) as cursor:
            await cursor.execute(_TARGET, (tenant_id, workflow_id, KIND))
            row = await cursor.fetchone()
        if row is None:
            return None
        try:
            config = BY_KIND[KIND].Config.model_validate(row[3])
        except ValidationError:
            return None
        plans = self.runner.plans
        secret_id = getattr(config, "secret", None)
        target = Target(
            entry=entry,
            tenant_id=tenant_id,
            workflow_id=workflow_id,
            version_id=row[0],
            version_number=row[1],
            node_id=row[2],
            plan=plans.get(row[0])
            or plans.keep(row[0], plan_of(Graph.model_validate_json(row[4]))),
            waits=row[5],
            rate=row[6],
            workspace=row[7],
            proof=getattr(config, "proof", Proof.HEADER),
            secret=await self.runner.in_thread(_secret, tenant_id, secret_id)
            if secret_id
            else None,
            known_at=time.monotonic(),
        )
        self._known[workflow_id] = target
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)
        return target


def _secret(tenant_id: UUID, secret_id: UUID) -> bytes:
    """Where it was deleted, one that nobody knows: then nobody can prove anything."""
    try:
        with unit_of_work(tenant_id, AUTOMATION) as ctx:
            return vault.open_for_use(ctx, secret_id).value.encode()
    except NotFound:
        return secrets.token_bytes(32)


def _tell(
    batch: Sequence[_Waiting],
    found: Mapping[UUID, Target],
    over: Mapping[UUID, TooMany],
    error: BaseException | None,
) -> None:
    """Of one address, those that came last are the ones that are too many."""
    left = {workflow_id: count for workflow_id, (count, _) in over.items()}
    for one in reversed(batch):
        if one.entered.done():
            continue
        if isinstance(error, asyncio.CancelledError):
            one.entered.cancel()
        elif error is not None:
            one.entered.set_exception(error)
        elif left.get(one.workflow_id, 0) > 0:
            left[one.workflow_id] -= 1
            retry_after = over[one.workflow_id][1]
            one.entered.set_result(Entered(found.get(one.workflow_id), retry_after))
        else:
            one.entered.set_result(Entered(found.get(one.workflow_id)))


async def keep(runner: Runner, run: Run) -> None:
    """Write a run down that is walked elsewhere. Raises Lost where it was not kept."""
    try:
        await runner.saver.save(run)
    except (psycopg.Error, *NO_DATABASE) as error:
        raise Lost(str(error)) from error
