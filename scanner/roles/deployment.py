"""What the roles are filled in with: who may assume them, what they are called, and in which partition.

Who may assume a role is checked here, as AWS takes much that nobody meant: the ARN of a session, which is gone
tomorrow, or of another partition, in which no credentials work.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from scanner.archive.place import Place
from scanner.errors import Fault, FaultsError
from scanner.settings import Settings
from scanner.text import is_account_id

ROLE_NAME: Final = "audit/IamScanner"  # unless the settings name another one
ADMINISTRATOR: Final = "OrganizationAccountAccessRole"  # the scan's default, which AWS Organizations makes
_NAME = r"[\w+=,.@-]{1,64}"
_ARN = re.compile(r"arn:(?P<partition>aws[a-z-]*):(?P<service>iam|sts)::(?P<account>\d{12}):(?P<resource>.+)", re.ASCII)
_ROLE_OR_USER = re.compile(r"(role|user)/([!-~]{1,510}/)?[\w+=,.@*?-]{1,64}", re.ASCII)  # * and ? stand for characters
_SESSION = re.compile(rf"assumed-role/(?P<role>{_NAME})(/.*)?", re.ASCII)
_PERMISSION_SET = re.compile(r"AWSReservedSSO_(.+)_[0-9a-f]{16}", re.ASCII)
_NO_PRINCIPAL = "is not the ARN of a role or a user", "Write it as arn:aws:iam::111122223333:role/IamScannerCaller."
_READ_AS_OTHERS = frozenset("*?$")  # what a policy reads as wildcards and variables


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """The roles to deploy, as the settings of the scan have them."""

    partition: str
    role_name: str  # with its path: "audit/IamScanner"
    remediation_role_name: str
    callers: tuple[str, ...]  # ARNs, which may hold * and ?; empty: to be filled in
    full_evidence: bool
    hub_role_arn: str | None
    organizations_role_arn: str | None
    archive: Place | None
    archive_role_arn: str | None

    @property
    def trusted(self) -> tuple[str, ...]:
        """Who assumes the role in the accounts: the hub role where there is one, or else the callers."""
        return (self.hub_role_arn,) if self.hub_role_arn else self.callers

    @property
    def whole_accounts(self) -> tuple[str, ...]:
        """The callers that are accounts as a whole."""
        return tuple(arn for arn in self.callers if arn.endswith(":root"))


def deployment(settings: Settings, callers: Sequence[str], *, remediation: bool) -> Deployment:
    """Check who the callers are, and what the roles are called; raise `FaultsError` with everything that is wrong."""
    given = tuple(dict.fromkeys(callers))
    named = "role_name" in settings.model_fields_set
    role_name = settings.role_name if named else ROLE_NAME
    others = (settings.hub_role_arn, settings.organizations_role_arn, settings.archive_role_arn)
    arns = [*given, *(arn for arn in others if arn is not None)]
    faults = [fault for arn in given if (fault := _of_caller(arn))] or list(_of_partitions(arns))
    faults += _of_names(role_name, settings.remediation_role_name if remediation else None)
    if faults:
        raise FaultsError(faults)
    return Deployment(
        partition=_partition(arns[0]) if arns else "aws",
        role_name=role_name.lstrip("/"),
        remediation_role_name=settings.remediation_role_name.lstrip("/"),
        callers=given,
        full_evidence=settings.evidence == "full",
        hub_role_arn=settings.hub_role_arn,
        organizations_role_arn=settings.organizations_role_arn,
        archive=Place.of(settings.archive) if settings.archive else None,
        archive_role_arn=settings.archive_role_arn if settings.archive else None,
    )


def _partition(arn: str) -> str:
    return arn.split(":")[1]


def _of_caller(arn: str) -> Fault | None:
    """What is wrong with the ARN of a caller."""
    found = _ARN.fullmatch(arn)
    if found is None:
        whole = f"arn:aws:iam::{arn}:root"
        wrong: tuple[str, str] | None = (
            ("is an account ID", f"Give the ARN of the role that scans, or {whole} for the whole account.")
            if is_account_id(arn)
            else _NO_PRINCIPAL
        )
    else:
        wrong = _of_resource(found["service"], found["resource"], f"arn:{found['partition']}:iam::{found['account']}:")
    return Fault(file="--caller", problem=f"{arn!r} {wrong[0]}.", remedy=wrong[1]) if wrong else None


def _of_resource(service: str, resource: str, own: str) -> tuple[str, str] | None:
    """What is wrong with what follows the account; `own` is how an ARN of that account begins."""
    kind, _, name = resource.partition("/")
    if session := _SESSION.fullmatch(resource):
        return "is a session of a role, and ends", _role_of_session(own, session["role"])
    if service == "sts" or kind not in {"role", "user", "root"}:
        return "is neither a role nor a user", f"Give the ARN of the role that scans: {own}role/Name."
    if resource == "root":
        return None
    if not _ROLE_OR_USER.fullmatch(resource) or "$" in resource:
        return _NO_PRINCIPAL
    if not name.strip("*?/"):
        return "names nobody", f"Give the ARN of the role that scans, or {own}root for the whole account."
    return None


def _role_of_session(own: str, role: str) -> str:
    """What to write for a session: its ARN has the name of the role, and not its path."""
    if permission_set := _PERMISSION_SET.fullmatch(role):
        path = "role/aws-reserved/sso.amazonaws.com*/"
        return f"Give the role of the permission set: '{own}{path}AWSReservedSSO_{permission_set[1]}_*'."
    return f"Give the role: {own}role/{role}, and its path if it has one (aws iam get-role --role-name {role})."


def _of_partitions(arns: Sequence[str]) -> Iterable[Fault]:
    partitions = list(dict.fromkeys(map(_partition, arns)))
    if len(partitions) > 1:
        first, other = (next(arn for arn in arns if _partition(arn) == name) for name in partitions[:2])
        yield Fault(
            file="--caller",
            problem=f"{first} and {other} are of different partitions ({', '.join(partitions)}).",
            remedy="No credentials work in two of them: call this once for each.",
        )


def _of_names(role_name: str, remediation_role_name: str | None) -> Iterable[Fault]:
    if role_name.rpartition("/")[2] == ADMINISTRATOR:
        yield Fault(
            file="--role-name",
            problem=f"{ADMINISTRATOR} is the administrator that AWS Organizations makes in each account.",
            remedy=f"Give the role to deploy another name: {ROLE_NAME}.",
        )
    names = {"--role-name": role_name, "remediation_role_name": remediation_role_name or ""}
    for setting, name in names.items():
        if _READ_AS_OTHERS & set(name):
            remedy = "A policy would read it as more than this name. Use another path."
            yield Fault(file=setting, problem=f"{name!r} holds *, ? or $.", remedy=remedy)
    if remediation_role_name and _bare(remediation_role_name) == _bare(role_name):
        remedy = "The role that scans must not change anything. Give them different names."
        yield Fault(file="remediation_role_name", problem=f"{role_name!r} is the role that scans, too.", remedy=remedy)


def _bare(role_name: str) -> str:
    """A role's name without its path, as IAM compares it: in an account, it is unique whatever the path."""
    return role_name.rpartition("/")[2].lower()
