"""Safelist files → what they approve and revoke, or every fault in them at once."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from scanner.errors import Fault, FaultsError
from scanner.model import AccountId, Entry, Revocation, Scope, Selector
from scanner.record import SafelistText
from scanner.safelist.fields import (
    REPORTED,
    EntryFields,
    Fields,
    FileFields,
    PolicyFields,
    RevocationFields,
    account_id,
    ou_key,
)
from scanner.safelist.policy import breaches
from scanner.safelist.read import read
from scanner.safelist.types import Policy, Safelist, arn_parts, fold
from scanner.text import for_utf8
from scanner.yaml.nodes import Mapping as NodeMapping
from scanner.yaml.nodes import Node, Scalar, compose
from scanner.yaml.nodes import Sequence as NodeList

__all__ = ["Policy", "Safelist", "check_organization", "entry_of", "parse", "read"]

_F = TypeVar("_F", bound=Fields)


def parse(texts: Sequence[SafelistText]) -> Safelist:
    """The entries of all texts together; raises FaultsError with every fault of every file.

    An entry that breaks the policy is no fault: it is kept with its `invalid` filled, and approves nobody.
    """
    return _together([_read_file(text) for text in texts])


class OfOrganization(NamedTuple):
    """The safelists of one of several organizations."""

    texts: tuple[SafelistText, ...]  # those that name it, and those that name none
    own: tuple[SafelistText, ...]  # of these, the ones that name it
    safelist: Safelist  # what they say together


def parse_for_each(texts: Sequence[SafelistText], organizations: Sequence[str]) -> dict[str, OfOrganization]:
    """The safelists of each organization.

    Raises FaultsError with every fault of every file, where one names yet another organization, and where an
    organization is left without any.
    """
    files = [_read_file(text) for text in texts]
    ours = {one: [file for file in files if file.is_for(one)] for one in organizations}
    faults = [fault for file in files for fault in _of_none(file, organizations)]
    faults += [fault for one in organizations for fault in _faults(ours[one])]
    faults += [
        Fault(file="safelists", problem=f"None of them is for organization {one}.", remedy="Name its safelists, too.")
        for one in organizations
        if not ours[one]
    ]
    if faults:
        raise FaultsError(tuple(dict.fromkeys(faults)))
    by_path = {text.path: text for text in texts}
    return {
        one: OfOrganization(
            texts=tuple(by_path[file.path] for file in ours[one]),
            own=tuple(by_path[file.path] for file in ours[one] if file.organization),
            safelist=_together(ours[one]),
        )
        for one in organizations
    }


def _together(files: "Sequence[_File]") -> Safelist:
    if faults := _faults(files):
        raise FaultsError(faults)
    policy = next((file.policy[1] for file in files if file.policy), None)
    entries = tuple(_judged(entry, policy or Policy()) for file in files for entry in file.entries)
    revocations = tuple(revocation for file in files for revocation in file.revocations)
    return Safelist(
        entries=entries,
        revocations=revocations,
        policy=policy,
        organization=next((file.organization[1] for file in files if file.organization), None),
        warnings=_overridden(entries, revocations),
    )


def _faults(files: "Sequence[_File]") -> list[Fault]:
    """Those of each file, and what they do not agree on."""
    faults = [fault for file in files for fault in sorted(file.faults, key=lambda fault: fault.line or 0)]
    return [*faults, *_second_policies(files), *_other_organizations(files)]


def _of_none(file: "_File", organizations: Sequence[str]) -> list[Fault]:
    if file.organization is None or any(map(file.is_for, organizations)):
        return []
    line, name = file.organization
    problem = f"organization is {name}, and these runs are of {', '.join(organizations)}."
    return [Fault(file=file.path, line=line, problem=problem, remedy="Leave this file out.")]


def check_organization(safelist: Safelist, org_id: str | None) -> tuple[str, ...]:
    """Refuse safelists of another organization (FaultsError).

    `org_id` is None where Organizations was not read: then nothing can be compared, and the note returned says so.
    """
    named = safelist.organization
    if named is None or named == org_id:
        return ()
    if org_id is None:
        return (f"The safelists are for organization {named}; this was not checked, as Organizations was not read.",)
    problem = f"This is organization {org_id}, and the safelists are for {named}."
    raise FaultsError(
        [Fault(file="safelists", line=None, problem=problem, remedy="Use the safelists of this organization.")]
    )


def entry_of(
    values: Mapping[str, str], scope: tuple[Scope, str], file: str, line: int
) -> tuple[Entry | None, tuple[Fault, ...]]:
    """The entry that these texts make, which stand in no safelist: a row of a CSV, say; or what is wrong in them."""
    source = _File(path=file)
    entry = _entry(source, line, {key: (line, Scalar(line, text)) for key, text in values.items()}, scope)
    return entry, tuple(source.faults)


def _judged(entry: Entry, policy: Policy) -> Entry:
    invalid = tuple(breach.words for breach in breaches(entry, policy))
    return replace(entry, invalid=invalid) if invalid else entry


def _second_policies(files: "Sequence[_File]") -> list[Fault]:
    stated = [(file.path, file.policy[0]) for file in files if file.policy]
    return [
        Fault(
            file=path,
            line=line,
            problem=f"There can be one policy for all files, and {stated[0][0]}:{stated[0][1]} has one.",
            remedy="Keep one of them.",
        )
        for path, line in stated[1:]
    ]


def _other_organizations(files: "Sequence[_File]") -> list[Fault]:
    stated = [(file.path, *file.organization) for file in files if file.organization]
    return [
        Fault(
            file=path,
            line=line,
            problem=f"organization is {name}, and {stated[0][0]}:{stated[0][1]} says {stated[0][2]}.",
            remedy="Use the safelists of one organization.",
        )
        for path, line, name in stated[1:]
        if name != stated[0][2]
    ]


def _overridden(entries: Sequence[Entry], revocations: Sequence[Revocation]) -> tuple[str, ...]:
    """A sentence for each approval for one account that a revocation makes void."""
    revoked = {
        (revocation.account_id, fold(revocation.user)): revocation
        for revocation in revocations
        if revocation.user_id is None
    }
    warnings = []
    for entry in entries:
        if entry.scope is Scope.ACCOUNT and entry.selector is Selector.USER:
            revocation = revoked.get((AccountId(entry.scope_value), fold(entry.value)))
            if revocation is not None:
                warnings.append(f"The approval at {entry.at} has no effect: {revocation.at} revokes it.")
    return tuple(warnings)


@dataclass(slots=True)
class _File:
    """One safelist file as far as it is read."""

    path: str
    faults: list[Fault] = field(default_factory=list)
    policy: tuple[int, Policy] | None = None  # with its line
    organization: tuple[int, str] | None = None
    entries: list[Entry] = field(default_factory=list)
    revocations: list[Revocation] = field(default_factory=list)

    def is_for(self, organization: str) -> bool:
        return self.organization is None or self.organization[1] == organization

    def fault(self, line: int | None, problem: str, remedy: str, column: int | None = None) -> None:
        self.faults.append(Fault(file=self.path, line=line, column=column, problem=problem, remedy=remedy))


def _read_file(text: SafelistText) -> _File:
    file = _File(path=text.path)
    root, faults = compose(text.text)
    for fault in faults:
        file.fault(fault.line, fault.problem, fault.remedy, fault.column)
    if isinstance(root, NodeMapping):
        _read_top(file, root)
    elif root is None or (isinstance(root, Scalar) and root.kind == "null"):
        if not faults:
            file.fault(None, "The file is empty.", "To approve nobody, write version: 1 and global: [].")
    else:
        file.fault(root.line, "The file is not a mapping.", "Begin it with version: 1.")
    return file


def _read_top(file: _File, root: NodeMapping) -> None:
    keys = _unique(file, root)
    top = _validated(file, FileFields, root.line, keys)
    if top is not None and top.organization is not None:
        file.organization = keys["organization"][0], top.organization
    sections: dict[str, Callable[[_File, int, Node], None]] = {
        "policy": _read_policy,
        "global": _read_global,
        "ous": _read_ous,
        "accounts": _read_accounts,
        "revoked": _read_revoked,
    }
    for key, (line, node) in keys.items():
        if key in sections:
            sections[key](file, line, node)
    if not sections.keys() & keys.keys():
        file.fault(root.line, "The file approves nobody and does not say so.", "Write global: [] to say it.")


def _read_policy(file: _File, line: int, node: Node) -> None:
    if not isinstance(node, NodeMapping):
        file.fault(line, "policy must be a mapping.", "Write it as policy: {require: [owner]}.")
        return
    fields = _validated(file, PolicyFields, line, _unique(file, node))
    if fields is not None:
        file.policy = line, Policy(**fields.model_dump())


def _read_global(file: _File, line: int, node: Node) -> None:
    _read_entries(file, line, node, (Scope.GLOBAL, ""))


def _read_ous(file: _File, line: int, node: Node) -> None:
    _read_scopes(file, line, node, (Scope.OU, ou_key))


def _read_accounts(file: _File, line: int, node: Node) -> None:
    _read_scopes(file, line, node, (Scope.ACCOUNT, account_id))


def _read_scopes(file: _File, line: int, node: Node, scope: tuple[Scope, Callable[[Node], str]]) -> None:
    kind, check = scope
    if not isinstance(node, NodeMapping):
        file.fault(
            line, f"{kind}s must map each {kind} to a list of entries.", f"Write {kind}s: {{}} where there is none."
        )
        return
    _unique(file, node)
    for key, members in node.pairs:
        try:
            value = check(key)
        except PydanticCustomError as error:
            _report(file, key.line, f"{kind}s", error)
            value = ""
        _read_entries(file, key.line, members, (kind, value))


def _read_entries(file: _File, line: int, node: Node, scope: tuple[Scope, str]) -> None:
    if not isinstance(node, NodeList):
        _refuse(file, line, node, "A list of entries is expected here.", "Write [] where there is none.")
        return
    for item in node.items:
        pairs: _Keys = _unique(file, item) if isinstance(item, NodeMapping) else {"user": (item.line, item)}
        entry = _entry(file, item.line, pairs, scope)
        if entry is not None:
            file.entries.append(entry)


def _refuse(file: _File, line: int, node: Node, problem: str, remedy: str) -> None:
    """Report what is not a list, at its own line; of nothing at all, at that of its key."""
    is_nothing = isinstance(node, Scalar) and node.kind == "null"
    file.fault(
        line if is_nothing else node.line, problem, remedy if is_nothing else "Begin each item with a dash and a space."
    )


def _entry(file: _File, line: int, keys: "_Keys", scope: tuple[Scope, str]) -> Entry | None:
    selectors = [selector for selector in Selector if selector in keys]
    if len(selectors) != 1:
        has = " and ".join(selectors) or "no selector"
        file.fault(line, f"An entry has one selector, and this one has {has}.", "Use user, arn, pattern or path.")
    fields = _validated(file, EntryFields, line, keys)
    if fields is None or len(selectors) != 1:
        return None
    values = dict(fields)
    value = values[selectors[0]]
    for selector in Selector:
        del values[selector]
    entry = Entry(
        scope=scope[0], scope_value=scope[1], selector=selectors[0], value=value, file=file.path, line=line, **values
    )
    return entry if _is_consistent(file, entry) else None


def _is_consistent(file: _File, entry: Entry) -> bool:
    """Whether the fields of an entry, each right in itself, agree with each other."""
    before = len(file.faults)
    if entry.user_id is not None and entry.selector not in {Selector.USER, Selector.ARN}:
        file.fault(entry.line, f"user_id cannot be used with {entry.selector}.", "Use it with user or arn.")
    if entry.approved_on and entry.expires_on and entry.expires_on < entry.approved_on:
        file.fault(entry.line, "expires_on is before approved_on.", "Correct the dates.")
    if entry.selector is Selector.ARN and entry.scope is Scope.ACCOUNT:
        parts = arn_parts(entry.value)
        if parts and entry.scope_value not in {parts[0], ""}:  # "": the account id is a fault already
            problem = f"The arn is of account {parts[0]}, and is listed under {entry.scope_value}."
            file.fault(entry.line, problem, "Move it, or correct it.")
    return len(file.faults) == before


def _read_revoked(file: _File, line: int, node: Node) -> None:
    if not isinstance(node, NodeList):
        _refuse(file, line, node, "revoked must be a list.", "Write revoked: [] where there is none.")
        return
    for item in node.items:
        if not isinstance(item, NodeMapping):
            file.fault(item.line, "A revocation needs an account and a user.", 'Write {account: "...", user: ...}.')
            continue
        fields = _validated(file, RevocationFields, item.line, _unique(file, item))
        if fields is not None:
            file.revocations.append(_revocation(fields, file.path, item.line))


def _revocation(fields: RevocationFields, path: str, line: int) -> Revocation:
    return Revocation(
        account_id=AccountId(fields.account),
        user=fields.user,
        user_id=fields.user_id,
        by=fields.by,
        on=fields.on,
        ticket=fields.ticket,
        file=path,
        line=line,
    )


_Keys = dict[str, tuple[int, Node]]  # key → its line and its value


def _unique(file: _File, node: NodeMapping) -> _Keys:
    """The pairs of a mapping; a key that comes again is a fault."""
    keys: _Keys = {}
    for key, value in node.pairs:
        name = for_utf8(key.text)  # pydantic takes no lone surrogate for a key, and no key that is known has one
        if name in keys:
            problem = f"The key {name!r} is repeated, after line {keys[name][0]}."
            file.fault(key.line, problem, "Keep one of them.")
        else:
            keys[name] = key.line, value
    return keys


def _validated(file: _File, model: type[_F], line: int, keys: _Keys) -> _F | None:
    """The fields of a mapping; None where there is a fault, which is reported."""
    try:
        return model.model_validate({key: node for key, (_line, node) in keys.items()})
    except ValidationError as error:
        known = [info.alias or name for name, info in model.model_fields.items()]
        for wrong in error.errors(include_url=False, include_input=False):
            key = str(wrong["loc"][0])
            at = keys[key][0] if key in keys else line
            match wrong["type"]:
                case "missing":
                    file.fault(at, f"{key} is missing.", "Add version: 1." if key == "version" else "Add it.")
                case "extra_forbidden":
                    file.fault(at, f"The key {key!r} is unknown.", _nearest(key, known))
                case type_ if type_ != REPORTED:
                    file.fault(at, f"{key}: {wrong['msg']}", wrong["ctx"]["remedy"])
        return None


def _nearest(key: str, known: Sequence[str]) -> str:
    if key == "<<":
        return "Merge keys are not allowed: write out what it stands for."
    near = difflib.get_close_matches(key.lower(), known, n=1)
    return f"Did you mean {near[0]}?" if near else f"The keys are: {', '.join(known)}."


def _report(file: _File, line: int, key: str, error: PydanticCustomError) -> None:
    if error.type != REPORTED:
        file.fault(line, f"{key}: {error.message()}", (error.context or {})["remedy"])
