"""The services that there are, by every name that people type."""

from __future__ import annotations

import difflib

from deployer.addons.postgresql import Postgresql
from deployer.addons.provider import Plan, Provider
from deployer.errors.addons import PlanUnknown, ServiceUnknown
from deployer.model.addon import Addon

PROVIDERS: tuple[Provider, ...] = (Postgresql(),)


def find(service_plan: str) -> tuple[Provider, Plan]:
    """The provider and plan of `heroku-postgresql:mini`, or the default plan of `postgresql`."""
    service, colon, name = service_plan.partition(":")
    provider = find_provider(service)
    plans = {plan.name: plan for plan in provider.plans}
    if not colon:
        return provider, provider.plans[0]
    if name not in plans:
        raise PlanUnknown(provider.service, name, ", ".join(plans))
    return provider, plans[name]


def plan_of(addon: Addon) -> Plan:
    """The plan that an add-on has; one without limits where there is none of that name any more."""
    plans = find_provider(addon.service).plans
    return next((plan for plan in plans if plan.name == addon.plan), Plan(addon.plan))


def find_provider(service: str) -> Provider:
    """The provider of a service; ServiceUnknown, with the nearest name that there is."""
    names = {name: provider for provider in PROVIDERS for name in (provider.service, *provider.aliases)}
    if service in names:
        return names[service]
    near = difflib.get_close_matches(service, names, n=1)
    hint = f" Perhaps you meant {names[near[0]].service}?" if near else ""
    raise ServiceUnknown(service, ", ".join(provider.service for provider in PROVIDERS), hint)
