"""Add-ons: create, destroy, list. The ledger's record is written before each step, and every step can be repeated:
whatever cuts a creation off, the next one for the app and service finishes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from deployer.addons.catalog import find, find_provider, plan_of
from deployer.addons.names import new_colour, new_name
from deployer.addons.provider import Plan, Provider
from deployer.errors.addons import (
    AddonAmbiguous,
    AddonNameTaken,
    AddonUnknown,
    AttachmentTaken,
    BadAttachmentName,
    DatabaseHostLost,
    ServiceUnknown,
)
from deployer.errors.apps import AppNotFound
from deployer.errors.own_databases import OwnDatabasesStand, PlanElsewhere
from deployer.errors.rds import RdsFull, SpaceWithoutDatabase
from deployer.model.addon import Addon
from deployer.model.app import App, Attachment
from deployer.model.events import Doing, Done, Tell, Warn
from deployer.model.names import is_config_key
from deployer.model.release import Release
from deployer.operations.backups import end_schedule
from deployer.operations.change import Change, changing
from deployer.operations.database_hosts import MANAGED, place_for_new, place_of_existing
from deployer.operations.release import make_release, redraft
from deployer.operations.session import OpenSpace

PROVISIONING, PROVISIONED, DEPROVISIONING = "provisioning", "provisioned", "deprovisioning"


@dataclass(frozen=True, slots=True)
class Owned:
    """An add-on of an app: its plan, and the names that it is attached under."""

    addon: Addon
    provider: Provider
    plan: Plan
    attachments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Created:
    """What `create` made; `attachments` are in the order in which people think of them: DATABASE, then the colour."""

    addon: Addon
    plan: Plan
    attachments: tuple[str, ...]
    release: Release


def create(
    space: OpenSpace, app: str, service_plan: str, tell: Tell, *, name: str | None = None, alias: str | None = None
) -> Created:
    """Have an add-on, attached, as a release. `name` is the add-on's, `alias` the attachment's, where given."""
    provider, plan = find(service_plan)
    if plan.size:
        check_kind(space, provider, plan)
    with changing(space, app, f"addons:create {service_plan}", tell) as change:
        addon = begun(change.app, space.ledger.addons(app), plan, provider, name) or named(
            space, app, provider, plan, name
        )
        names = attachment_names(provider, alias, app, addon, change.state.config)
        tell(Doing(f"Creating {provider.service}:{plan.name} on ⬢ {app}"))
        addon = provision(change, provider, plan, addon)
        tell(Done(plan.price))
        release = attach(change, addon, names)
    return Created(addon, plan, names, release)


def destroy(space: OpenSpace, app: str, name: str, tell: Tell) -> Release:
    """Detach an add-on, as a release, and destroy it with its data; the release that the app runs on then."""
    with changing(space, app, f"addons:destroy {name}", tell) as change:
        addon = resolve(name, change.app, space.ledger.addons(app))
        tell(Doing(f"Destroying {addon.name} on ⬢ {app}"))
        release = detach(change, addon)
        _remove(space, addon, tell)
        tell(Done())
    return release


def remove_all(change: Change) -> None:
    """Destroy every add-on of an app that is being destroyed itself: nothing is detached, no release is made.
    OwnDatabasesStand, before anything is."""
    own = [addon.name for addon in change.space.ledger.addons(change.app.name) if plan_of(addon).size]
    if own:
        commands = "\n".join(f"deployer addons:destroy {name} -a {change.app.name}" for name in own)
        raise OwnDatabasesStand(change.app.name, ", ".join(own), commands)
    for addon in change.space.ledger.addons(change.app.name):
        change.held.check()
        change.tell(Doing(f"Destroying {addon.name}"))
        _remove(change.space, addon, change.tell)
        change.tell(Done())


def check_kind(space: OpenSpace, provider: Provider, plan: Plan) -> None:
    """PlanElsewhere where the space has no RDS."""
    if space.space.kind != MANAGED:
        known = ", ".join(one.name for one in provider.plans if not one.size and not one.retired)
        raise PlanElsewhere(f"{provider.service}:{plan.name}", provider.service, space.space.name, known)


def owned(space: OpenSpace, app: str) -> list[Owned]:
    """The add-ons of an app, by name."""
    record = space.ledger.app(app)
    if record is None:
        raise AppNotFound(app, space.space.name)
    return [_owned(record, addon) for addon in sorted(space.ledger.addons(app), key=lambda addon: addon.name)]


def has(space: OpenSpace, app: str, service: str) -> bool:
    """Whether the app has a finished and attached add-on of that service: `create` finishes one that was cut off."""
    service = find_provider(service).service
    return any(own.addon.service == service and own.attachments for own in owned(space, app))


def find_addon(space: OpenSpace, app: str, name: str) -> Owned:
    """The one that `name` means: an add-on, an attachment, or a service of which the app has one."""
    record = space.ledger.app(app)
    if record is None:
        raise AppNotFound(app, space.space.name)
    return _owned(record, resolve(name, record, space.ledger.addons(app)))


def resolve(name: str, app: App, addons: Iterable[Addon]) -> Addon:
    """The add-on that `name` means among those of the app; AddonUnknown or AddonAmbiguous."""
    by_name = {addon.name: addon for addon in addons}
    by_attachment = {a.name: by_name[a.addon] for a in app.attachments if a.addon in by_name}
    found = by_name.get(name) or by_attachment.get(name.upper().removesuffix("_URL"))
    if found is not None:
        return found
    of_service = [addon for addon in by_name.values() if addon.service == _service(name)]
    if not of_service:
        raise AddonUnknown(name, app.name, ", ".join(sorted(by_name)) or "none")
    if len(of_service) > 1:
        raise AddonAmbiguous(name, app.name, ", ".join(sorted(addon.name for addon in of_service)))
    return of_service[0]


def attached_vars(app: App, addons: Iterable[Addon]) -> dict[str, str]:
    """The config vars that the app's add-ons give, by key: theirs to change, nobody else's."""
    by_name = {addon.name: addon for addon in addons}
    attached = [(a.name, by_name[a.addon].config) for a in app.attachments if a.addon in by_name]
    return {f"{name}_{suffix}": value for name, config in attached for suffix, value in config.items()}


def attachment_names(
    provider: Provider, alias: str | None, app: str, addon: Addon, config: Mapping[str, str]
) -> tuple[str, ...]:
    """The names to attach an add-on under; those that the config vars have already where a creation was cut off."""
    url = addon.config.get("URL")
    present = [key.removesuffix("_URL") for key, value in config.items() if value == url and key.endswith("_URL")]
    if present:
        return tuple(sorted(present, key=lambda name: (name != provider.attachment, name)))
    if alias is not None:
        return (_checked(alias.upper(), app, config),)
    first = [provider.attachment] if f"{provider.attachment}_URL" not in config else []
    return (*first, *([new_colour(provider.colour_prefix, config)] if provider.colour_prefix else []))


def _checked(alias: str, app: str, config: Mapping[str, str]) -> str:
    if not is_config_key(alias) or alias.startswith("_"):
        raise BadAttachmentName(alias)
    if f"{alias}_URL" in config:
        raise AttachmentTaken(alias, app)
    return alias


def begun(app: App, addons: Iterable[Addon], plan: Plan, provider: Provider, name: str | None) -> Addon | None:
    """What a creation that was cut off has left: an add-on of the service that was never attached, and that lives, or
    does not, on an instance of its own as the plan says."""
    attached = {attachment.addon for attachment in app.attachments}
    left = [
        addon
        for addon in addons
        if addon.service == provider.service
        and addon.name not in attached
        and addon.state != DEPROVISIONING
        and bool(plan_of(addon).size) == bool(plan.size)
    ]
    return next((addon for addon in left if name in (None, addon.name)), None)


def named(space: OpenSpace, app: str, provider: Provider, plan: Plan, name: str | None) -> Addon:
    """A new one, with a name of its own where none is given; AddonNameTaken."""
    taken = {addon.name for addon in space.ledger.addons()}
    if name in taken:
        raise AddonNameTaken(str(name))
    name = name or new_name(provider.noun, taken)
    created = space.ledger.timestamp()
    return Addon(name, provider.service, plan.name, app, created, PROVISIONING, facts=provider.draft())


def provision(change: Change, provider: Provider, plan: Plan, addon: Addon) -> Addon:
    """Have what it is, and note that."""
    space = change.space
    change.held.check()
    addon = replace(addon, plan=plan.name)
    place = place_for_new(space, addon)
    space.ledger.save_addon(addon)
    try:
        config = provider.provision(place, space.sessions, addon, plan, change.tell)
    except RdsFull:  # nobody finishes that; an instance of its own is there, and is to be deleted by name
        if plan.size:
            raise
        provider.deprovision(place, addon)
        space.ledger.delete_addon(addon.name)
        raise
    addon = replace(addon, state=PROVISIONED, config=config)
    space.ledger.save_addon(addon)
    return addon


def attach(change: Change, addon: Addon, names: tuple[str, ...]) -> Release:
    """Give the app its config vars, as a release."""
    new = {f"{name}_{suffix}": value for name in names for suffix, value in addon.config.items()}
    release = change.state.release
    if release is None or not new.items() <= change.state.config.items():
        description = f"Attach {names[0]} (@ref:{addon.name})"
        release = make_release(change, redraft(change, "addon", description, {**change.state.config, **new}))
    _save_attachments(change, addon, names)
    return release


def detach(change: Change, addon: Addon) -> Release:
    """Take its config vars from the app, as a release; it is to go then."""
    names = _names(change.app, addon)
    gone = {f"{name}_{suffix}" for name in names for suffix in addon.config}
    config = {key: value for key, value in change.state.config.items() if key not in gone}
    release = change.state.release
    assert release is not None, "every app has its first release"
    if config != change.state.config:
        description = f"Detach {names[0]} (@ref:{addon.name})"
        release = make_release(change, redraft(change, "addon", description, config))
    # Before the attachments go: an add-on without any would look like a creation that was cut off.
    change.space.ledger.save_addon(replace(addon, state=DEPROVISIONING))
    _save_attachments(change, addon, ())
    return release


def _save_attachments(change: Change, addon: Addon, names: tuple[str, ...]) -> None:
    others = tuple(attachment for attachment in change.app.attachments if attachment.addon != addon.name)
    app = replace(change.app, attachments=(*others, *(Attachment(name, addon.name) for name in names)))
    if app != change.app:
        change.space.ledger.save_app(app)
        change.state = replace(change.state, app=app)


def _remove(space: OpenSpace, addon: Addon, tell: Tell) -> None:
    try:
        find_provider(addon.service).deprovision(place_of_existing(space, addon), addon)
    except DatabaseHostLost as lost:
        tell(Warn(f"{addon.name} lived on {lost.host}, which is lost: its data stays there, should it return"))
    except SpaceWithoutDatabase:
        tell(Warn(f"{addon.name} went with the PostgreSQL of the space, which has none any more"))
    end_schedule(space, addon)
    space.ledger.delete_addon(addon.name)


def _owned(app: App, addon: Addon) -> Owned:
    return Owned(addon, find_provider(addon.service), plan_of(addon), _names(app, addon))


def _names(app: App, addon: Addon) -> tuple[str, ...]:
    return tuple(attachment.name for attachment in app.attachments if attachment.addon == addon.name)


def _service(name: str) -> str | None:
    try:
        return find_provider(name.partition(":")[0]).service
    except ServiceUnknown:
        return None
