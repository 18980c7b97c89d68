"""The budget: AWS writes when it is nearly spent.

It is the whole account's: a budget by tags says $0 until the account that pays has activated those tags for costs.
"""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from infra.components.noun import Noun
from infra.names import name
from infra.spec import Budget as Wanted

LEVELS = {"ACTUAL": 80, "FORECASTED": 100}  # percent


class Budget(Noun):
    """One budget a month."""

    def __init__(self, space: str, wanted: Wanted, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(space, "budget", opts)
        aws.budgets.Budget(
            name(space, "budget"),
            budget_type="COST",
            limit_amount=str(wanted.monthly),
            limit_unit="USD",
            time_unit="MONTHLY",
            notifications=[
                {
                    "notification_type": kind,
                    "comparison_operator": "GREATER_THAN",
                    "threshold": percent,
                    "threshold_type": "PERCENTAGE",
                    "subscriber_email_addresses": [wanted.email],
                }
                for kind, percent in LEVELS.items()
            ],
            tags=self.tags("budget"),
            opts=self.inside,
        )
        self.leave()
