"""IAM: the read calls of a scan, each for the account of the caller's credentials."""

import base64
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar
from urllib.parse import quote

from tests.aws_endpoint.ask import FOREIGN_ACCOUNT, Ask
from tests.aws_endpoint.credential_report import CredentialReports, render
from tests.aws_endpoint.organization import (
    InlinePolicy,
    SimulatedAccount,
    SimulatedGroup,
    SimulatedPolicy,
    SimulatedServiceKey,
    SimulatedUser,
    minted_id,
)
from tests.aws_endpoint.pages import BadToken, Page, page
from tests.aws_endpoint.wire import AwsError, Parameters, Reply, xml

Action = Callable[[SimulatedAccount, Ask], Reply]
Item = TypeVar("Item")


def list_users(account: SimulatedAccount, ask: Ask) -> Reply:
    prefix = ask.parameters.get("PathPrefix", "/")
    users = sorted((u for u in account.users if u.path.startswith(prefix)), key=lambda user: user.name.lower())
    if "missing-user" in ask.lies:
        users = users[:-1]
    part = _page(users, ask)
    members = "".join(_listed_user(account, user) for user in part.items)
    return ask.reply(f"<Users>{members}</Users>{_rest(part)}")


def get_account_authorization_details(account: SimulatedAccount, ask: Ask) -> Reply:
    wanted = _wanted(ask.parameters)
    things: list[SimulatedUser | SimulatedGroup | SimulatedPolicy] = []
    things += account.users if "User" in wanted else []
    things += account.groups if "Group" in wanted else []
    things += account.policies if "LocalManagedPolicy" in wanted else []
    part = _page(things, ask)
    users = "".join(_user_detail(account, thing) for thing in part.items if isinstance(thing, SimulatedUser))
    groups = "".join(_group_detail(account, thing) for thing in part.items if isinstance(thing, SimulatedGroup))
    policies = "".join(_policy_detail(account, thing) for thing in part.items if isinstance(thing, SimulatedPolicy))
    return ask.reply(
        f"<UserDetailList>{users}</UserDetailList><GroupDetailList>{groups}</GroupDetailList><RoleDetailList/>"
        f"<Policies>{policies}</Policies>{_rest(part)}"
    )


def get_account_summary(account: SimulatedAccount, ask: Ask) -> Reply:
    counts = {
        "Users": len(account.users) if account.counted_users is None else account.counted_users,
        "UsersQuota": 5000,
        "Groups": len(account.groups),
        "GroupsQuota": 300,
        "Policies": len(account.policies),
        "MFADevices": sum(user.mfa for user in account.users),
        "AccountMFAEnabled": 1,
        "AccessKeysPerUserQuota": 2,
    }
    entries = "".join(f"<entry><key>{key}</key><value>{value}</value></entry>" for key, value in counts.items())
    return ask.reply(f"<SummaryMap>{entries}</SummaryMap>")


def list_service_specific_credentials(account: SimulatedAccount, ask: Ask) -> Reply:
    if ask.parameters.get("AllUsers") != "true":
        raise AwsError(400, "ValidationError", "Must specify userName when calling with non-User credentials")
    wanted = ask.parameters.get("ServiceName")
    keys = [(user, key) for user in account.users for key in user.service_keys if wanted in {None, key.service}]
    part = _page(keys, ask)
    members = "".join(f"<member>{_service_key(user, key)}</member>" for user, key in part.items)
    return ask.reply(f"<ServiceSpecificCredentials>{members}</ServiceSpecificCredentials>{_rest(part)}")


class CredentialReportActions:
    def __init__(self, reports: CredentialReports) -> None:
        self._reports = reports

    def generate(self, account: SimulatedAccount, ask: Ask) -> Reply:
        state = self._reports.generate(account)
        description = "<Description>No report exists. Starting a new report generation task</Description>"
        return ask.reply(f"<State>{state}</State>{description if state == 'STARTED' else ''}")

    def get(self, account: SimulatedAccount, ask: Ask) -> Reply:
        report = self._reports.get(account)
        arn_account = FOREIGN_ACCOUNT if "wrong-account" in ask.lies else account.id
        content = base64.b64encode(render(account, report.users, arn_account=arn_account)).decode()
        return ask.reply(
            f"<Content>{content}</Content><ReportFormat>text/csv</ReportFormat>"
            f"<GeneratedTime>{time(report.generated_at)}</GeneratedTime>"
        )


def actions(reports: CredentialReports) -> dict[str, Action]:
    report_actions = CredentialReportActions(reports)
    return {
        "ListUsers": list_users,
        "GetAccountAuthorizationDetails": get_account_authorization_details,
        "GetAccountSummary": get_account_summary,
        "ListServiceSpecificCredentials": list_service_specific_credentials,
        "GenerateCredentialReport": report_actions.generate,
        "GetCredentialReport": report_actions.get,
    }


# --- pages ------------------------------------------------------------------------------------------------------------

_FILTERS = ("User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy")


def _page(things: list[Item], ask: Ask) -> Page[Item]:
    size = int(ask.parameters.get("MaxItems", "100"))
    if not 1 <= size <= 1000:
        message = f"1 validation error detected: Value '{size}' at 'maxItems' failed to satisfy constraint: "
        bound = "greater than or equal to 1" if size < 1 else "less than or equal to 1000"
        raise AwsError(400, "ValidationError", f"{message}Member must have value {bound}")
    marker = ask.parameters.get("Marker")
    try:
        return page(things, of=f"{ask.caller.account_id}:{ask.action}", token=marker, size=size, lies=ask.lies)
    except BadToken as error:
        raise AwsError(400, "ValidationError", f"Invalid Marker: {marker}") from error


def _rest(part: Page[Item]) -> str:
    marker = f"<Marker>{part.token}</Marker>" if part.token else ""
    return f"<IsTruncated>{'true' if part.more else 'false'}</IsTruncated>{marker}"


def _wanted(parameters: Parameters) -> set[str]:
    wanted = {value for name, value in parameters.items() if name.startswith("Filter.member.")}
    if unknown := wanted - set(_FILTERS):
        message = f"1 validation error detected: Value '{sorted(unknown)}' at 'filter' failed to satisfy constraint"
        raise AwsError(400, "ValidationError", message)
    return wanted or set(_FILTERS)


# --- XML --------------------------------------------------------------------------------------------------------------


def time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")[:19] + "Z"  # worlds keep their times in UTC


def _listed_user(account: SimulatedAccount, user: SimulatedUser) -> str:
    used = f"<PasswordLastUsed>{time(user.password_last_used)}</PasswordLastUsed>" if user.password_last_used else ""
    return f"<member>{_identity(account, user)}{used}</member>"


def _identity(account: SimulatedAccount, user: SimulatedUser) -> str:
    return (
        f"<Path>{xml(user.path)}</Path><UserName>{xml(user.name)}</UserName><UserId>{user.user_id}</UserId>"
        f"<Arn>{xml(account.user_arn(user))}</Arn><CreateDate>{time(user.created_at)}</CreateDate>"
    )


def _user_detail(account: SimulatedAccount, user: SimulatedUser) -> str:
    groups = "".join(f"<member>{xml(group)}</member>" for group in user.groups)
    tags = "".join(f"<member><Key>{xml(key)}</Key><Value>{xml(value)}</Value></member>" for key, value in user.tags)
    return (
        f"<member>{_identity(account, user)}<UserPolicyList>{_inline(user.inline)}</UserPolicyList>"
        f"<GroupList>{groups}</GroupList><AttachedManagedPolicies>{_attached(user.attached)}</AttachedManagedPolicies>"
        f"{_boundary(user.boundary)}<Tags>{tags}</Tags></member>"
    )


def _boundary(arn: str | None) -> str:
    if arn is None:
        return ""
    return (
        "<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType>"
        f"<PermissionsBoundaryArn>{xml(arn)}</PermissionsBoundaryArn></PermissionsBoundary>"
    )


def _group_detail(account: SimulatedAccount, group: SimulatedGroup) -> str:
    return (
        f"<member><Path>{xml(group.path)}</Path><GroupName>{xml(group.name)}</GroupName>"
        f"<GroupId>{minted_id('AGPA', account.id, group.name)}</GroupId>"
        f"<Arn>{xml(account.arn('group', group.path, group.name))}</Arn>"
        f"<CreateDate>{time(group.created_at)}</CreateDate>"
        f"<GroupPolicyList>{_inline(group.inline)}</GroupPolicyList>"
        f"<AttachedManagedPolicies>{_attached(group.attached)}</AttachedManagedPolicies></member>"
    )


def _service_key(user: SimulatedUser, key: SimulatedServiceKey) -> str:
    end = f"<ExpirationDate>{time(key.expires_at)}</ExpirationDate>" if key.expires_at else ""
    identifier = minted_id("ACCA", user.user_id, user.service_keys.index(key))
    return (
        f"<UserName>{xml(user.name)}</UserName><Status>{key.status}</Status><ServiceName>{key.service}</ServiceName>"
        f"<CreateDate>{time(user.created_at)}</CreateDate>{end}"
        f"<ServiceSpecificCredentialId>{identifier}</ServiceSpecificCredentialId>"
    )


def _policy_detail(account: SimulatedAccount, policy: SimulatedPolicy) -> str:
    documents = (*policy.older, policy.document)
    versions = "".join(
        f"<member><Document>{quote(document, safe='')}</Document><VersionId>v{number}</VersionId>"
        f"<IsDefaultVersion>{'true' if number == len(documents) else 'false'}</IsDefaultVersion></member>"
        for number, document in enumerate(documents, start=1)
    )
    return (
        f"<member><PolicyName>{xml(policy.name)}</PolicyName>"
        f"<PolicyId>{minted_id('ANPA', account.id, policy.name)}</PolicyId>"
        f"<Arn>{xml(account.arn('policy', policy.path, policy.name))}</Arn><Path>{xml(policy.path)}</Path>"
        f"<DefaultVersionId>v{len(documents)}</DefaultVersionId>"
        f"<PolicyVersionList>{versions}</PolicyVersionList></member>"
    )


def _inline(policies: Iterable[InlinePolicy]) -> str:
    return "".join(
        f"<member><PolicyName>{xml(name)}</PolicyName>"
        f"<PolicyDocument>{quote(document, safe='')}</PolicyDocument></member>"
        for name, document in policies
    )


def _attached(arns: Iterable[str]) -> str:
    return "".join(
        f"<member><PolicyName>{xml(arn.rpartition('/')[2])}</PolicyName><PolicyArn>{xml(arn)}</PolicyArn></member>"
        for arn in arns
    )
