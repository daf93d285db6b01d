"""Small builders: each gives a whole value, and a test names only what it is about.

An account id may be written short: `account(1)` is "000000000001". `ou("Root/Prod")` gives both OUs of that path, each
with an id made from its path, so that the same path is always the same OU.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime

from scanner.model import (
    Access,
    Account,
    AccountId,
    AccountScan,
    Caller,
    Credentials,
    Evidence,
    Failed,
    FailReason,
    Failure,
    IamUser,
    Organization,
    OrganizationalUnit,
    Scanned,
    Skipped,
    SkipReason,
    UserId,
)
from scanner.record import Footer, Header, Listing, Record, SafelistText
from scanner.runs.journal import SCHEMA_VERSION
from scanner.settings import Settings

START = datetime(2026, 11, 23, 16, 41, tzinfo=UTC)
AS_OF = date(2026, 11, 23)
ORGANIZATION = "o-a1b2c3d4e5"
MANAGEMENT = AccountId("000000000100")


def account_id(number: int | str) -> AccountId:
    return AccountId(f"{number:0>12}")


def ou_id(path: str) -> str:
    """The id of the OU at this path: always the same one."""
    mark = hashlib.sha256(path.encode()).hexdigest()
    return f"ou-abcd-{mark[:8]}" if "/" in path else "r-abcd"


def ou(path: str, *, addressable: bool = True) -> tuple[OrganizationalUnit, ...]:
    """The OUs of a path from the root down; `addressable` is that of the last one."""
    names = path.split("/")
    paths = ["/".join(names[: depth + 1]) for depth in range(len(names))]
    return tuple(
        OrganizationalUnit(id=ou_id(at), name=name, path=at, addressable=addressable or at != path)
        for at, name in zip(paths, names, strict=True)
    )


def account(
    number: int | str = 1, *, ou_path: str | None = "Root/Prod", name: str | None = None, state: str | None = "ACTIVE"
) -> Account:
    """An account; `ou_path=None` is one whose place in the organization could not be found."""
    at = account_id(number)
    return Account(id=at, name=name or f"account-{at.lstrip('0')}", state=state, ous=ou(ou_path) if ou_path else ())


def user(
    name: str = "alice",
    *,
    user_id: str | None = None,
    in_account: int | str = 1,
    path: str = "/",
    created_at: datetime = datetime(2026, 1, 15, 9, 30, tzinfo=UTC),
    credentials: Credentials | None = None,
    access: Access | None = None,
    partition: str = "aws",
) -> IamUser:
    """A user; its id follows from account and name where none is given."""
    where = account_id(in_account)
    made_up = "AIDA" + hashlib.sha256(f"{where}/{name}".encode()).hexdigest()[:17].upper()
    return IamUser(
        user_id=UserId(user_id or made_up),
        user_name=name,
        path=path,
        arn=f"arn:{partition}:iam::{where}:user{path}{name}",
        created_at=created_at,
        credentials=credentials,
        access=access,
    )


def credentials() -> Credentials:
    """A row of the credential report for a user with neither password nor keys."""
    return Credentials(
        console_access=False, password_last_used=None, password_last_changed=None, mfa_active=False, access_keys=()
    )


def access() -> Access:
    """What GetAccountAuthorizationDetails has of a user with no rights at all."""
    return Access(
        administrator=False, groups=(), attached_policies=(), inline_policies=(), permissions_boundary=None, tags=()
    )


def scanned(
    number: int | str = 1,
    *users: IamUser,
    evidence: Evidence = Evidence.FULL,
    notes: tuple[str, ...] = (),
    role_arn: str | None = None,
) -> Scanned:
    return Scanned(
        account_id=account_id(number),
        users=users,
        evidence=evidence,
        notes=notes,
        role_arn=role_arn,
        scanned_at=START,
    )


def failure(reason: FailReason = FailReason.ROLE_NOT_ASSUMABLE) -> Failure:
    return Failure(
        reason=reason,
        call="sts:AssumeRole",
        code="AccessDenied",
        detail="User is not authorized to perform: sts:AssumeRole",
        remedy="Deploy the role in this account.",
    )


def failed(number: int | str = 1, reason: FailReason = FailReason.ROLE_NOT_ASSUMABLE) -> Failed:
    return Failed(account_id=account_id(number), failure=failure(reason), role_arn=None, scanned_at=START)


def skipped(number: int | str = 1, reason: SkipReason = SkipReason.SUSPENDED) -> Skipped:
    return Skipped(account_id=account_id(number), reason=reason, detail=f"AWS reports the account as {reason}")


def header(
    *,
    safelists: tuple[SafelistText, ...] = (),
    as_of: date = AS_OF,
    settings: Settings | None = None,
    organization: str | None = ORGANIZATION,
    account_owners: Mapping[str, str] | None = None,
) -> Header:
    return Header(
        schema_version=SCHEMA_VERSION,
        program_version="0.1.0",
        versions={"python": "3.11.9"},
        run_id="20261123T164100Z-1a2b3c",
        started_at=START,
        as_of=as_of,
        settings=settings or Settings(),
        safelists=safelists,
        account_owners=account_owners or {},
        caller=Caller(
            account_id=MANAGEMENT, arn=f"arn:aws:sts::{MANAGEMENT}:assumed-role/Audit/reviewer", partition="aws"
        ),
        organization=Organization(id=organization, management_account_id=MANAGEMENT) if organization else None,
        session_policies={},
    )


def listing(
    *accounts: Account,
    in_scope: Iterable[int | str] | None = None,
    problem: Failure | None = None,
    source: str = "AWS Organizations",
    notes: tuple[str, ...] = (),
) -> Listing:
    """A listing of these accounts and of the OUs they lie in; all of them in scope unless told otherwise."""
    ous = {unit.path: unit for each in accounts for unit in each.ous}
    scope = (each.id for each in accounts) if in_scope is None else map(account_id, in_scope)
    return Listing(
        source=source,
        ous=tuple(ous.values()),
        accounts=accounts,
        in_scope=frozenset(scope),
        problem=problem,
        notes=notes,
    )


def record(
    *scans: AccountScan,
    listing: Listing | None = None,
    header: Header | None = None,
    interrupted: bool = False,
) -> Record:
    """A run with these scans; without a `listing`, of just their accounts, all in scope."""
    return Record(
        header=header or _header(),
        listing=listing or _listing(*(account(scan.account_id) for scan in scans)),
        scans={scan.account_id: scan for scan in scans},
        footer=Footer(finished_at=START, api_calls={"iam:ListUsers": len(scans)}, throttled=0, interrupted=interrupted),
        digest="0" * 64,
    )


_header, _listing = header, listing  # `record` takes parameters of these names
