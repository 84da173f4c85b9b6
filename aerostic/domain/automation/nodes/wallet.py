"""The wallet: whether there is money for what comes next."""

from typing import Any

from pydantic import Field

from aerostic.core import money
from aerostic.core.tenancy import Context
from aerostic.domain.automation.nodes.base import (
    ERROR,
    Change,
    Group,
    NodeConfig,
    Outcome,
    Port,
    Step,
)
from aerostic.domain.automation.nodes.fields import Line
from aerostic.domain.automation.nodes.knowing import or_fail
from aerostic.domain.billing import wallets


class CheckWallet(Change):
    kind = "wallet.check"
    title = "Check the wallet"
    group = Group.LOGIC
    icon = "wallet"
    summary = "Goes one way if the wallet can pay an amount, and another if it can not."
    outputs = (Port("out", "Enough"), Port("low", "Too little"), ERROR)
    reads_only = True

    class Config(NodeConfig):
        amount: Line = Field(
            default="1",
            title="Amount",
            description="In the wallet's currency, such as 25 or 0.0529. The credit line counts.",
            min_length=1,
            max_length=100,
        )

    @classmethod
    def change(cls, ctx: Context, step: Step, config: Any) -> Outcome:
        """Says yes or no and never how much there is: the balance is for those who may see it."""
        with or_fail(ctx):
            wanted = money.micros_of(config.amount)
            found = wallets.view(ctx)
        is_enough = wanted <= found.spendable_micros
        told = {"amount": money.decimal(wanted), "currency": found.currency, "is_enough": is_enough}
        return Outcome("out" if is_enough else "low", output=told)
