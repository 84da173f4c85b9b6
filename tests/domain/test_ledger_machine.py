"""Any history of money, by many hands at once: never below what is allowed, always zero, always recomputable.

Each step lets several threads act at the same moment on one wallet. A model counts what every one of them
was told; at the end of each step, and of all, the wallet and its entries must agree with it.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import text

from aerostic.core.errors import Refused
from aerostic.core.ids import new_id
from aerostic.domain.billing import charging, postings, service, verifying, wallets
from aerostic.domain.billing.charging import Cost, Outcome, Recipient, Settled
from aerostic.domain.billing.models import ChargeState
from tests.conftest import Place, _make_place

AMOUNTS = st.integers(0, 400)
HANDS = ThreadPoolExecutor(6)
Act = Callable[[], bool]


@dataclass
class Sent:
    """A message as the model knows it."""

    micros: int
    state: str
    refunded: int = 0


class Money(RuleBasedStateMachine):
    """What is drawn are bursts of acts; all of one burst start together."""

    place: Place
    funded: int
    credit: int
    messages: dict[UUID, Sent]
    holds: dict[UUID, int]  # what of a campaign's hold no message stands under

    @initialize()
    def begin(self) -> None:
        self.place = _make_place("Ledger", funds=0)
        self.funded, self.credit, self.most_credit = 0, 0, 0
        self.messages, self.holds, self.keys = {}, {}, count()
        with self.place.system_work() as ctx:
            wallets.open_wallet(ctx)

    # What happens at once

    @rule(amounts=st.lists(AMOUNTS.filter(bool), min_size=1, max_size=4))
    def top_up(self, amounts: list[int]) -> None:
        """Each is asked for twice at the same moment, by one key."""
        keys = {f"t{next(self.keys)}": amount for amount in amounts}
        asked = [(key, amount) for key, amount in keys.items() for _ in range(2)]
        self._together([lambda k=k, a=a: self._top_up(k, a) for k, a in asked])
        self.funded += sum(amounts)

    @rule(amounts=st.lists(AMOUNTS, min_size=1, max_size=6))
    def hold(self, amounts: list[int]) -> None:
        ids = [new_id() for _ in amounts]
        pairs = list(zip(ids, amounts, strict=True))
        done = self._together([lambda i=i, a=a: self._hold(i, a) for i, a in pairs])
        for (message_id, micros), is_held in zip(pairs, done, strict=True):
            if is_held:
                self.messages[message_id] = Sent(micros, "held" if micros else "free")

    @rule(
        outcomes=st.lists(st.sampled_from(["delivered", "failed"]), min_size=1, max_size=6),
        times=st.integers(1, 3),
        where=st.randoms(use_true_random=False),
    )
    def tell(self, outcomes: list[str], times: int, where: object) -> None:
        """News of messages, the same by several workers at once, in batches that overlap."""
        known = sorted(self.messages)
        if not known:
            return
        chosen = where.sample(known, min(len(outcomes), len(known)))  # type: ignore[attr-defined]
        told = list(zip(chosen, outcomes, strict=False))
        batches = [told[:: 1 if turn % 2 else -1] for turn in range(times)]
        self._together([lambda b=b: self._tell(b) for b in batches])
        for message_id, outcome in told:
            sent = self.messages[message_id]
            if outcome == "delivered" and sent.state in {"held", "voided"}:
                sent.state = "captured"
            elif outcome == "failed" and sent.state == "held":
                sent.state = "voided"

    @rule(micros=AMOUNTS, split=st.integers(0, 3))
    def campaign(self, micros: int, split: int) -> None:
        """Hold, write some of it down, and free the rest, which three ask for at once."""
        held: list[UUID] = []
        if not self._together([lambda: self._campaign(micros, held)])[0]:
            return
        share = micros // 4
        ids = [new_id() for _ in range(split)]
        with self.place.system_work() as ctx:
            rows = [Recipient(one, share, "marketing", "Germany", None) for one in ids]
            charging.charge_recipients(ctx, held[0], rows)
        for one in ids:
            self.messages[one] = Sent(share, "held" if share else "free")
        self._together([lambda: self._release(held[0])] * 3)

    @rule(micros=AMOUNTS.filter(bool), where=st.randoms(use_true_random=False))
    def refund(self, micros: int, where: object) -> None:
        captured = [one for one, sent in self.messages.items() if sent.state == "captured"]
        if not captured:
            return
        one = where.choice(sorted(captured))  # type: ignore[attr-defined]
        keys = [f"r{next(self.keys)}" for _ in range(2)]
        done = self._together([lambda k=k: self._refund(one, k, micros) for k in keys])
        self.messages[one].refunded += micros * sum(done)

    @rule(limit=AMOUNTS)
    def credit_line(self, limit: int) -> None:
        with self.place.system_work() as ctx:
            service.set_credit_limit(ctx, limit)
        self.credit, self.most_credit = limit, max(self.most_credit, limit)

    @rule(micros=AMOUNTS.filter(bool))
    def adjust_down(self, micros: int) -> None:
        key = f"a{next(self.keys)}"
        if self._together([lambda: self._adjust(-micros, key)])[0]:
            self.funded -= micros

    # What must be true

    @invariant()
    def adds_up(self) -> None:
        with self.place.system_work() as ctx:
            wallet = wallets.view(ctx)
            verified = verifying.verify(ctx)
            sums = dict(
                ctx.session.execute(
                    text("select account, sum(micros)::bigint from ledger_entries group by 1")
                ).all()
            )
        held = sum(sent.micros for sent in self.messages.values() if sent.state == "held")
        spent = sum(
            sent.micros - sent.refunded
            for sent in self.messages.values()
            if sent.state == "captured"
        )
        assert verified.findings == []
        assert verified.sum_micros == 0
        assert (wallet.held_micros, wallet.spent_micros) == (held, spent)
        assert wallet.available_micros - wallet.owed_micros == self.funded - held - spent
        assert wallet.available_micros >= -self.credit
        assert wallet.owed_micros == 0 or wallet.available_micros == -self.credit
        assert sums.get("available", 0) == wallet.available_micros
        assert sums.get("owed", 0) == -wallet.owed_micros

    # One hand

    def _together(self, acts: list[Act]) -> list[bool]:
        return list(HANDS.map(lambda act: act(), acts))

    def _try(self, work: Callable[..., object]) -> bool:
        try:
            with self.place.system_work() as ctx:
                work(ctx)
        except Refused:
            return False
        return True

    def _top_up(self, key: str, micros: int) -> bool:
        return self._try(lambda ctx: service.top_up(ctx, micros, key=key))

    def _adjust(self, micros: int, key: str) -> bool:
        return self._try(lambda ctx: service.adjust(ctx, micros, key=key, note="a correction"))

    def _refund(self, message_id: UUID, key: str, micros: int) -> bool:
        return self._try(
            lambda ctx: service.refund(ctx, message_id, key=key, note="sorry", micros=micros)
        )

    def _hold(self, message_id: UUID, micros: int) -> bool:
        state = ChargeState.HELD if micros else ChargeState.FREE
        cost = Cost(state, "marketing", "Germany", micros, None, "")
        return self._try(
            lambda ctx: charging.hold_message(ctx, message_id, self.place.number_id, cost)
        )

    def _tell(self, told: list[tuple[UUID, str]]) -> bool:
        news = [Settled(message_id, Outcome(outcome)) for message_id, outcome in told]
        return self._try(lambda ctx: charging.settle(ctx, news))

    def _campaign(self, micros: int, held: list[UUID]) -> bool:
        return self._try(lambda ctx: held.append(charging.hold_campaign(ctx, new_id(), micros, 4)))

    def _release(self, hold_id: UUID) -> bool:
        return self._try(lambda ctx: charging.release_hold(ctx, hold_id))


TestMoney = Money.TestCase
TestMoney.settings = settings(
    max_examples=8,
    stateful_step_count=14,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("hands", [8])
def test_the_last_money_is_held_once_by_however_many(hands: int) -> None:
    """Concurrent debits at the edge of the balance: as many as there is money for, never one more."""
    place = _make_place("Edge", funds=0)
    with place.system_work() as ctx:
        service.top_up(ctx, 3 * 100, key="first")
    cost = Cost(ChargeState.HELD, "marketing", "Germany", 100, None, "")

    def hold(_: int) -> bool:
        try:
            with place.system_work() as ctx:
                charging.hold_message(ctx, new_id(), place.number_id, cost)
        except postings.NotEnough:
            return False
        return True

    with ThreadPoolExecutor(hands) as together:
        assert sum(together.map(hold, range(hands * 2))) == 3
    with place.system_work() as ctx:
        assert wallets.view(ctx).available_micros == 0
        assert verifying.verify(ctx).findings == []
