"""What surrounds the records: routes, ways to pay, redirections, access control, transformations, batch tasks.

Each resource is read whole, as the provider gives it; what is landed of it is decided by ``pipeline.land.dimensions``.
None of them is needed to bill. One that the account does not have (404) or may not read (403) is an error of that
resource alone.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import quote

from pipeline.errors import ForbiddenError, NotFoundError, TerminalError
from pipeline.pull.client import Client
from pipeline.pull.mediator import mediator_list
from pipeline.pull.snapshots import listing

Items = list[dict[str, Any]]
_OWNERS = (
    ("partner", "/partners", "partner_sid"),
    ("did", "/phonenumber/dids", "did_sid"),
    ("endpoint", "/endpoints", "endpoint_sid"),
)


def _listed(path: str, key: str, client: Client) -> Items:
    return listing(client, path, key)


def _trunks(client: Client) -> Items:
    """The trunks of all groups, each with its ``trunk_group_sid``."""
    return [
        trunk | {"trunk_group_sid": group}
        for group in _sids(client, "/trunk_groups", "trunk_group_sid")
        for trunk in listing(client, f"/trunk_groups/{quote(group, safe='')}/trunks", "trunk_sid")
    ]


def _billing_methods(client: Client) -> Items:
    """One per partner that has one, with its ``partner_sid``."""
    found = []
    for partner in _sids(client, "/partners", "partner_sid"):
        try:
            method = client.get(f"/partners/{quote(partner, safe='')}/billing_method")
        except NotFoundError:
            continue
        if isinstance(method, dict):
            found.append(method | {"partner_sid": partner})
    return found


def _effective_acls(client: Client) -> Items:
    """``{owner_type, owner_sid, service, layers}`` for each partner, and for the calls of each trunk group.

    Trunk groups that are not to be seen are left out: that they are forbidden is said of them, not of this.
    """
    found = []
    for owner, sid, service in _acl_owners(client):
        path = f"/accesscontrol/effective_acl/{'calls' if service == 'call' else 'sms'}"
        answer = client.get(path, {f"{owner}_sid": sid})
        layers = answer.get("items") if isinstance(answer, dict) else None
        if not isinstance(layers, list) or len(layers) != answer.get("total", len(layers)):
            raise TerminalError(f"GET {path}: the answer is no list, or not the whole of it.")
        found.append({"owner_type": owner, "owner_sid": sid, "service": service, "layers": layers})
    return found


def _acl_owners(client: Client) -> Iterator[tuple[str, str, str]]:
    for sid in _sids(client, "/partners", "partner_sid"):
        yield "partner", sid, "call"
        yield "partner", sid, "message"
    for sid in _optional_sids(client, "/trunk_groups", "trunk_group_sid"):
        yield "trunk_group", sid, "call"


def _transformations(client: Client) -> Items:
    """``{owner_type, owner_sid, transformations}`` for all that can have any and may be seen.

    Prefixes can have them too, but of those there is no list.
    """
    owned = [
        _owned(kind, key, item)
        for kind, path, key in _OWNERS
        for item in listing(client, path, key, {"include_fields": f"{key},transformations"})
    ]
    try:
        groups, trunks = listing(client, "/trunk_groups", "trunk_group_sid"), _trunks(client)
    except (NotFoundError, ForbiddenError):
        return owned
    owned += [_owned("trunk_group", "trunk_group_sid", group) for group in groups]
    return owned + [_owned("trunk", "trunk_sid", trunk) for trunk in trunks]


def _owned(kind: str, key: str, item: dict[str, Any]) -> dict[str, Any]:
    return {
        "owner_type": kind,
        "owner_sid": item.get(key),
        "transformations": item.get("transformations") or [],
    }


def _sids(client: Client, path: str, key: str) -> list[str]:
    items = listing(client, path, key, {"include_fields": key})
    return [sid for item in items if isinstance(sid := item.get(key), str) and sid]


def _optional_sids(client: Client, path: str, key: str) -> list[str]:
    try:
        return _sids(client, path, key)
    except (NotFoundError, ForbiddenError):
        return []


def _mediator(path: str, key: str, client: Client) -> Items:
    return mediator_list(client, path, key)


READERS: dict[str, Callable[[Client], Items]] = {
    "trunk_groups": partial(_listed, "/trunk_groups", "trunk_group_sid"),
    "trunks": _trunks,
    "billing_methods": _billing_methods,
    "mediator_accounts": partial(_mediator, "/accounts", "account_sid"),
    "mediator_bindings": partial(_mediator, "/bindings", "binding_sid"),
    "mediator_dialouts": partial(_mediator, "/dialouts", "dialout_sid"),
    "mediator_dids": partial(_mediator, "/dids", "did_sid"),
    "batch_tasks": partial(_listed, "/batch/tasks", "task_sid"),
    "access_rules": partial(_listed, "/accesscontrol/rules", "rule_sid"),
    "effective_acls": _effective_acls,
    "transformations": _transformations,
}


def read_dimension(client: Client, resource: str) -> Items:
    """All of one resource, by the name of its table.

    Raises:
        NotFoundError: the account does not have it.
        ForbiddenError: it may not be read; the message names the scope.
    """
    return READERS[resource](client)
