"""What an account that keeps state answers to the reads about one user, its groups, policies and roles.

Where AWS gives no secret, some are put in all the same: whoever takes more of an answer than it needs shows them.
"""

from collections.abc import Callable, Sequence
from urllib.parse import quote

from tests.aws_endpoint.ask import Ask
from tests.aws_endpoint.iam import _page, _rest, time
from tests.aws_endpoint.iam_permissions import document_of
from tests.aws_endpoint.iam_state import SECRETS, LiveAccount, LiveGroup, LiveKey, LiveUserState, State, no_such
from tests.aws_endpoint.organization import minted_id
from tests.aws_endpoint.wire import Reply, xml

Read = Callable[[LiveAccount, State, Ask], str]
PASSWORD, SECRET_KEY, SERVICE_PASSWORD = SECRETS


def answer_read(account: LiveAccount, ask: Ask) -> Reply:
    return ask.reply(READS[ask.action](account, account.seen(), ask))


def _user(account: LiveAccount, state: State, ask: Ask) -> LiveUserState:
    return account.find(state, ask.parameters["UserName"])


def get_user(account: LiveAccount, state: State, ask: Ask) -> str:
    user = _user(account, state, ask)
    used = user.password_last_used
    boundary = (
        "<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType>"
        f"<PermissionsBoundaryArn>{xml(user.boundary)}</PermissionsBoundaryArn></PermissionsBoundary>"
        if user.boundary
        else ""
    )
    used_at = f"<PasswordLastUsed>{time(used)}</PasswordLastUsed>" if used else ""
    return f"<User>{_identity(account, user)}{used_at}{boundary}</User>"


def get_login_profile(account: LiveAccount, state: State, ask: Ask) -> str:
    user = _user(account, state, ask)
    if user.password is None:
        raise no_such(f"Login Profile for User {user.name} cannot be found.")
    return (
        f"<LoginProfile><UserName>{xml(user.name)}</UserName><CreateDate>{time(user.password)}</CreateDate>"
        f"<Password>{PASSWORD}</Password></LoginProfile>"
    )


def list_access_keys(account: LiveAccount, state: State, ask: Ask) -> str:
    user = _user(account, state, ask)
    return _listed(
        ask,
        "AccessKeyMetadata",
        [
            f"<UserName>{xml(user.name)}</UserName><AccessKeyId>{key_id}</AccessKeyId>{_status(key, 'CreateDate')}"
            f"<SecretAccessKey>{SECRET_KEY}</SecretAccessKey>"
            for key_id, key in user.keys.items()
        ],
    )


def get_access_key_last_used(account: LiveAccount, state: State, ask: Ask) -> str:
    wanted = ask.parameters["AccessKeyId"]
    for user in state.users.values():
        if wanted in user.keys:
            key = user.keys[wanted]
            used = f"<LastUsedDate>{time(key.last_used)}</LastUsedDate>" if key.last_used else ""
            service, region = (key.used_for, "us-east-1") if key.last_used else ("N/A", "N/A")
            return (
                f"<UserName>{xml(user.name)}</UserName><AccessKeyLastUsed>{used}<ServiceName>{service}</ServiceName>"
                f"<Region>{region}</Region></AccessKeyLastUsed>"
            )
    raise no_such(f"The Access Key with id {wanted} cannot be found")


def list_mfa_devices(account: LiveAccount, state: State, ask: Ask) -> str:
    user = _user(account, state, ask)
    return _listed(
        ask,
        "MFADevices",
        [
            f"<UserName>{xml(user.name)}</UserName><SerialNumber>{xml(serial)}</SerialNumber>"
            f"<EnableDate>{time(user.created_at)}</EnableDate>"
            for serial in user.mfa
        ],
    )


def list_ssh_public_keys(account: LiveAccount, state: State, ask: Ask) -> str:
    user = _user(account, state, ask)
    rows = _with_id(user, user.ssh_keys, "SSHPublicKeyId", "UploadDate")
    return _listed(ask, "SSHPublicKeys", rows)


def list_signing_certificates(account: LiveAccount, state: State, ask: Ask) -> str:
    user = _user(account, state, ask)
    body = "<CertificateBody>-----BEGIN CERTIFICATE-----</CertificateBody>"
    rows = [row + body for row in _with_id(user, user.certificates, "CertificateId", "UploadDate")]
    return _listed(ask, "Certificates", rows)


def list_service_specific_credentials(account: LiveAccount, state: State, ask: Ask) -> str:
    user = _user(account, state, ask)
    return _listed(
        ask,
        "ServiceSpecificCredentials",
        [
            f"<UserName>{xml(user.name)}</UserName><ServiceSpecificCredentialId>{identifier}"
            f"</ServiceSpecificCredentialId>{_status(key, 'CreateDate')}<ServiceName>{key.service}</ServiceName>"
            f"<ServiceUserName>{xml(user.name)}-at-{account.id}</ServiceUserName>"
            f"<ServicePassword>{SERVICE_PASSWORD}</ServicePassword>"
            for identifier, key in user.service_credentials.items()
        ],
    )


def list_user_policies(account: LiveAccount, state: State, ask: Ask) -> str:
    return _listed(ask, "PolicyNames", [xml(name) for name in _user(account, state, ask).inline])


def get_user_policy(account: LiveAccount, state: State, ask: Ask) -> str:
    user, name = _user(account, state, ask), ask.parameters["PolicyName"]
    if name not in user.inline:
        raise no_such(f"The user policy with name {name} cannot be found.")
    return (
        f"<UserName>{xml(user.name)}</UserName><PolicyName>{xml(name)}</PolicyName>"
        f"<PolicyDocument>{quote(user.inline[name], safe='')}</PolicyDocument>"
    )


def list_attached_user_policies(account: LiveAccount, state: State, ask: Ask) -> str:
    return _attached(ask, _user(account, state, ask).attached)


def list_groups_for_user(account: LiveAccount, state: State, ask: Ask) -> str:
    names = _user(account, state, ask).groups
    return _listed(ask, "Groups", [_group_xml(account, state.live_groups[name]) for name in names])


def get_group(account: LiveAccount, state: State, ask: Ask) -> str:
    group = _group(state, ask)
    members = [_identity(account, user) for user in state.users.values() if group.name in user.groups]
    return f"<Group>{_group_xml(account, group)}</Group>{_listed(ask, 'Users', members)}"


def list_group_policies(account: LiveAccount, state: State, ask: Ask) -> str:
    return _listed(ask, "PolicyNames", [xml(name) for name in _group(state, ask).inline])


def get_group_policy(account: LiveAccount, state: State, ask: Ask) -> str:
    group, name = _group(state, ask), ask.parameters["PolicyName"]
    return (
        f"<GroupName>{xml(group.name)}</GroupName><PolicyName>{xml(name)}</PolicyName>"
        f"<PolicyDocument>{quote(group.inline[name], safe='')}</PolicyDocument>"
    )


def list_attached_group_policies(account: LiveAccount, state: State, ask: Ask) -> str:
    return _attached(ask, _group(state, ask).attached)


def get_policy(account: LiveAccount, state: State, ask: Ask) -> str:
    arn = ask.parameters["PolicyArn"]
    name = arn.rpartition("/")[2]
    return (
        f"<Policy><PolicyName>{xml(name)}</PolicyName><PolicyId>{minted_id('ANPA', arn)}</PolicyId>"
        f"<Arn>{xml(arn)}</Arn><Path>/</Path><DefaultVersionId>v1</DefaultVersionId></Policy>"
    )


def get_policy_version(account: LiveAccount, state: State, ask: Ask) -> str:
    document = quote(document_of(account, ask.parameters["PolicyArn"]), safe="")
    return (
        f"<PolicyVersion><Document>{document}</Document><VersionId>v1</VersionId>"
        "<IsDefaultVersion>true</IsDefaultVersion></PolicyVersion>"
    )


def list_roles(account: LiveAccount, state: State, ask: Ask) -> str:
    return _listed(
        ask,
        "Roles",
        [
            f"<Path>{role.path}</Path><RoleName>{xml(role.name)}</RoleName>"
            f"<RoleId>{minted_id('AROA', account.id, role.name)}</RoleId>"
            f"<Arn>{xml(account.arn('role', role.path, role.name))}</Arn><CreateDate>2025-01-06T08:30:15Z</CreateDate>"
            f"<AssumeRolePolicyDocument>{quote(role.trust, safe='')}</AssumeRolePolicyDocument>"
            for role in account.live_roles
        ],
    )


READS: dict[str, Read] = {
    "GetAccessKeyLastUsed": get_access_key_last_used,
    "GetGroup": get_group,
    "GetGroupPolicy": get_group_policy,
    "GetLoginProfile": get_login_profile,
    "GetPolicy": get_policy,
    "GetPolicyVersion": get_policy_version,
    "GetUser": get_user,
    "GetUserPolicy": get_user_policy,
    "ListAccessKeys": list_access_keys,
    "ListAttachedGroupPolicies": list_attached_group_policies,
    "ListAttachedUserPolicies": list_attached_user_policies,
    "ListGroupPolicies": list_group_policies,
    "ListGroupsForUser": list_groups_for_user,
    "ListMFADevices": list_mfa_devices,
    "ListRoles": list_roles,
    "ListSSHPublicKeys": list_ssh_public_keys,
    "ListServiceSpecificCredentials": list_service_specific_credentials,
    "ListSigningCertificates": list_signing_certificates,
    "ListUserPolicies": list_user_policies,
}


# --- XML -------------------------------------------------------------------------------------------------------------


def _listed(ask: Ask, key: str, members: Sequence[str]) -> str:
    found = _page(list(members), ask)
    return f"<{key}>{''.join(f'<member>{member}</member>' for member in found.items)}</{key}>{_rest(found)}"


def _identity(account: LiveAccount, user: LiveUserState) -> str:
    arn = account.arn("user", user.path, user.name)
    return (
        f"<Path>{xml(user.path)}</Path><UserName>{xml(user.name)}</UserName><UserId>{user.user_id}</UserId>"
        f"<Arn>{xml(arn)}</Arn><CreateDate>{time(user.created_at)}</CreateDate>"
    )


def _status(key: LiveKey, created: str) -> str:
    status = "Active" if key.active else "Inactive"
    return f"<Status>{status}</Status><{created}>{time(key.created_at)}</{created}>"


def _with_id(user: LiveUserState, keys: dict[str, LiveKey], name: str, created: str) -> list[str]:
    return [
        f"<UserName>{xml(user.name)}</UserName><{name}>{identifier}</{name}>{_status(key, created)}"
        for identifier, key in keys.items()
    ]


def _attached(ask: Ask, arns: Sequence[str]) -> str:
    return _listed(
        ask,
        "AttachedPolicies",
        [f"<PolicyName>{xml(arn.rpartition('/')[2])}</PolicyName><PolicyArn>{xml(arn)}</PolicyArn>" for arn in arns],
    )


def _group(state: State, ask: Ask) -> LiveGroup:
    name = ask.parameters["GroupName"]
    if name not in state.live_groups:
        raise no_such(f"The group with name {name} cannot be found.")
    return state.live_groups[name]


def _group_xml(account: LiveAccount, group: LiveGroup) -> str:
    return (
        f"<Path>{xml(group.path)}</Path><GroupName>{xml(group.name)}</GroupName>"
        f"<GroupId>{minted_id('AGPA', account.id, group.name)}</GroupId>"
        f"<Arn>{xml(account.arn('group', group.path, group.name))}</Arn><CreateDate>2025-01-06T08:30:15Z</CreateDate>"
    )
