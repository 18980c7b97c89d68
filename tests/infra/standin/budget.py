"""Budgets. Replace rules: internal/service/budgets/budget.go of the provider."""

from __future__ import annotations

from typing import Any

from tests.infra.standin.kind import Aws, Kind, gone, plain
from tests.infra.standin.values import Values


def create(aws: Aws, new: Values) -> str:
    budget = {
        "BudgetName": new["name"],
        "BudgetType": new["budgetType"],
        "TimeUnit": new["timeUnit"],
        "BudgetLimit": {"Amount": new["limitAmount"], "Unit": new["limitUnit"]},
    }
    wanted = [_notification(one) for one in new.get("notifications") or []]
    aws.budgets.create_budget(AccountId=aws.account, Budget=budget, NotificationsWithSubscribers=wanted)
    return f"{aws.account}:{new['name']}"


def _notification(one: Values) -> dict[str, Any]:
    notification = {
        "NotificationType": one["notificationType"],
        "ComparisonOperator": one["comparisonOperator"],
        "Threshold": one["threshold"],
        "ThresholdType": one["thresholdType"],
    }
    addresses = [{"SubscriptionType": "EMAIL", "Address": each} for each in one["subscriberEmailAddresses"]]
    return {"Notification": notification, "Subscribers": addresses}


@gone("NotFoundException")
def read(aws: Aws, resource: str, state: Values) -> Values:
    """moto keeps no tags of budgets."""
    name = resource.partition(":")[2]
    found = aws.budgets.describe_budget(AccountId=aws.account, BudgetName=name)["Budget"]
    tags = {"tags": state.get("tags") or {}, "tagsAll": aws.tags(state)}
    limit = found["BudgetLimit"]
    return {"arn": f"arn:aws:budgets::{aws.account}:budget/{name}", "limitUnit": limit["Unit"], **tags}


def delete(aws: Aws, resource: str, state: Values) -> None:
    aws.budgets.delete_budget(AccountId=aws.account, BudgetName=resource.partition(":")[2])


def update(aws: Aws, resource: str, old: Values, new: Values) -> None:
    """moto cannot update one."""
    delete(aws, resource, old)
    create(aws, new)


BUDGET = Kind(
    {
        **plain("name", "budgetType", "limitAmount", "limitUnit", "timeUnit", "tags"),
        "notifications": plain(
            "notificationType", "comparisonOperator", "threshold", "thresholdType", "subscriberEmailAddresses"
        ),
    },
    create,
    read,
    delete,
    update,
    required=("budgetType", "timeUnit"),
    replaces=frozenset({"name"}),
    computed=("arn",),
    autoname=("name", 100),
)
