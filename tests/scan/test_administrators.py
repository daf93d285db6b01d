"""Who is an administrator, or could become one: by what is attached and what is inline, directly and by groups."""

from collections.abc import Callable
from typing import Any

import pytest

from scanner.aws.iam import DETAILS_PAGE_SIZE
from scanner.model import Evidence
from tests.aws_endpoint import Fault, InlinePolicy, SimulatedAccount, SimulatedGroup, SimulatedPolicy, running
from tests.program import scan
from tests.scan.entering import one_account, scanned, xml

pytestmark = pytest.mark.usefixtures("hurried")

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def by_group(**details: Any) -> Callable[[SimulatedAccount], None]:
    def add(member: SimulatedAccount) -> None:
        member.groups.append(SimulatedGroup(name="them", **details))
        member.add_user("alice", groups=("them",))

    return add


def own(**details: Any) -> Callable[[SimulatedAccount], None]:
    def add(member: SimulatedAccount) -> None:
        member.add_user("alice", **details)

    return add


def in_own_account(member: SimulatedAccount) -> None:
    inline = InlinePolicy.allowing("iam", "iam:*", resource=f"arn:aws:iam::{member.id}:*")
    member.add_user("alice", inline=(inline,))


def managed(document: str, *, name: str = "own", group: bool = False) -> Callable[[SimulatedAccount], None]:
    """A customer-managed policy, attached to the user or to its group."""

    def add(member: SimulatedAccount) -> None:
        member.policies.append(SimulatedPolicy(name=name, document=document))
        (by_group if group else own)(attached=(member.arn("policy", "/", name),))(member)

    return add


CONDITIONAL = InlinePolicy(
    "mfa",
    '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*",'
    ' "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}}',
)
PATTERNS = InlinePolicy.allowing("patterns", "iam:?*", resource="arn:*")
OTHER_ACCOUNT = InlinePolicy.allowing("iam", "iam:*", resource="arn:aws:iam::999999999999:*")
EVERYTHING = (InlinePolicy.allowing("all", "*"),)
S3 = InlinePolicy.allowing("s3", "s3:*")
ELSEWHERE = "arn:aws:iam::999999999999:policy/own"  # no answer has it
ADMINISTRATORS = {
    "by AWS's policy": (own(attached=(ADMINISTRATOR,)), True),
    "by IAMFullAccess": (own(attached=("arn:aws:iam::aws:policy/IAMFullAccess",)), True),
    "by AWS's policy with its path": (own(attached=("arn:aws:iam::aws:policy/job/AdministratorAccess",)), True),
    "by AWS's policy on a group": (by_group(attached=(ADMINISTRATOR,)), True),
    "by an inline policy": (own(inline=EVERYTHING), True),
    "by a group's inline policy": (by_group(inline=EVERYTHING), True),
    "by all of IAM": (own(inline=(InlinePolicy.allowing("iam", "iam:*"),)), True),
    "by one in spite of an unread one": (own(attached=(ELSEWHERE, ADMINISTRATOR)), True),
    "by the customer's own policy": (managed(EVERYTHING[0].document), True),
    "by the customer's own policy on a group": (managed(EVERYTHING[0].document, group=True), True),
    "not by one that borrows AWS's name": (managed(S3.document, name="AdministratorAccess"), False),
    "not by the customer's own policy": (managed(S3.document), False),
    "unknown: the customer's own policy, under a condition": (managed(CONDITIONAL.document), None),
    "unknown: under a condition": (own(inline=(CONDITIONAL,)), None),
    "unknown: under a condition, by a group": (by_group(inline=(CONDITIONAL,)), None),
    "by one in spite of one under a condition": (own(inline=(CONDITIONAL, *EVERYTHING)), True),
    "by a pattern that matches all of IAM": (
        own(inline=(InlinePolicy.allowing("p", "iam:?*", resource="arn:*"),)),
        True,
    ),
    "by all of IAM in the account itself": (in_own_account, True),
    "not by all of IAM in another account": (own(inline=(OTHER_ACCOUNT,)), False),
    "not by another policy of AWS": (own(attached=("arn:aws:iam::aws:policy/ReadOnlyAccess",)), False),
    "not by an inline policy of less": (own(inline=(S3,)), False),
    "not with nothing": (own(), False),
}


@pytest.mark.parametrize(("add", "expected"), ADMINISTRATORS.values(), ids=ADMINISTRATORS)
async def test_who_is_an_administrator(add: Callable[[SimulatedAccount], None], expected: bool | None) -> None:
    world, member = one_account()
    add(member)
    access = (await scanned(world, member)).users[0].access
    assert access is not None
    assert access.administrator is expected


async def test_it_is_unknown_of_a_member_of_a_group_that_was_not_given() -> None:
    world, member = one_account()
    member.add_user("alice", groups=("vanished",))
    access = (await scanned(world, member)).users[0].access
    assert access is not None
    assert access.administrator is None


ESCALATIONS: dict[str, tuple[Callable[[SimulatedAccount], None], tuple[str, ...] | None]] = {
    "of an administrator": (own(attached=(ADMINISTRATOR,)), ("iam:*",)),
    "by an inline policy": (own(inline=(InlinePolicy.allowing("p", "iam:PutUser*"),)), ("iam:PutUserPolicy",)),
    "by a group's inline policy": (
        by_group(inline=(InlinePolicy.allowing("p", "iam:AddUserToGroup"),)),
        ("iam:AddUserToGroup",),
    ),
    "by the customer's own policy": (
        managed(InlinePolicy.allowing("p", "iam:CreatePolicyVersion").document),
        ("iam:CreatePolicyVersion",),
    ),
    "by one of AWS's": (
        own(attached=("arn:aws:iam::aws:policy/AdministratorAccess-Amplify",)),
        ("iam:CreatePolicyVersion", "iam:AttachRolePolicy", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"),
    ),
    "by none of AWS's reads": (own(attached=("arn:aws:iam::aws:policy/ReadOnlyAccess",)), ()),
    "by nothing": (own(), ()),
    "its boundary": (
        own(
            inline=(InlinePolicy.allowing("p", "iam:DeleteUserPermissionsBoundary"),),
            boundary="arn:aws:iam::aws:policy/PowerUserAccess",
        ),
        ("iam:DeleteUserPermissionsBoundary",),
    ),
    "unknown: another policy of AWS": (own(attached=("arn:aws:iam::aws:policy/AWSNewThingAccess",)), None),
    "unknown: under a condition": (managed(CONDITIONAL.document), None),
    "unknown: a group that was not given": (own(groups=("vanished",)), None),
}


@pytest.mark.parametrize(("add", "expected"), ESCALATIONS.values(), ids=ESCALATIONS)
async def test_who_could_become_an_administrator(
    add: Callable[[SimulatedAccount], None], expected: tuple[str, ...] | None
) -> None:
    world, member = one_account()
    add(member)
    access = (await scanned(world, member)).users[0].access
    assert access is not None
    assert access.escalation == expected


async def test_the_version_in_force_decides_and_no_other() -> None:
    world, member = one_account()
    policies = {"was": (S3.document, (EVERYTHING[0].document, "{")), "is": (EVERYTHING[0].document, (S3.document,))}
    for name, (document, older) in policies.items():
        member.policies.append(SimulatedPolicy(name=name, document=document, older=older))
        member.add_user(name, attached=(member.arn("policy", "/", name),))
    access = {user.user_name: user.access for user in (await scanned(world, member)).users}
    assert {name: of and (of.administrator, of.escalation) for name, of in access.items()} == {
        "was": (False, ()),
        "is": (True, ("iam:*",)),
    }


async def test_policies_come_on_later_pages_than_those_who_hold_them() -> None:
    """One call, paged: users first, then groups, then policies; more users than a page holds."""
    world, member = one_account()
    arn = member.arn("policy", "/", "own")
    for number in range(DETAILS_PAGE_SIZE + 1):
        member.add_user(f"user-{number}", attached=(arn,))
    member.policies += [SimulatedPolicy(name=f"other-{number}", document="{") for number in range(DETAILS_PAGE_SIZE)]
    member.policies.append(SimulatedPolicy(name="own", document=EVERYTHING[0].document))
    scan = await scanned(world, member)
    assert {user.access.administrator if user.access else None for user in scan.users} == {True}
    assert scan.notes == ()  # what is attached to nobody is nobody's loss


# --- documents that cannot be read -----------------------------------------------------------------------------------

UNREADABLE = {
    "not JSON": "{",
    "JSON, and no policy": "[]",
    "no statement": "{}",
    "wrong types": '{"Statement": {"Effect": "Allow", "Action": 7, "Resource": "*"}}',
    "encoded twice": "%257B%2522Statement%2522",
    "empty": "",
}


@pytest.mark.parametrize("document", UNREADABLE.values(), ids=UNREADABLE)
async def test_a_policy_that_cannot_be_read_costs_its_user_alone(document: str) -> None:
    world, member = one_account("alice")
    member.add_user("bob", inline=(InlinePolicy("odd", document),), groups=("devs",))
    member.groups.append(SimulatedGroup(name="devs"))
    scan = await scanned(world, member)
    assert {user.user_name: user.access is not None for user in scan.users} == {"alice": True, "bob": False}
    assert all(user.credentials is not None for user in scan.users)
    assert scan.evidence is Evidence.FULL
    assert scan.notes == ("Policies could not be read, and what they allow is unknown: inline policy odd of user bob.",)


@pytest.mark.parametrize("document", [*UNREADABLE.values(), None, "[" * 6000, '{"Statement":' * 800])
async def test_a_customer_managed_policy_that_did_not_come_or_cannot_be_read_costs_its_holders(
    document: str | None,
) -> None:
    world, member = one_account("alice")
    if document is not None:
        member.policies.append(SimulatedPolicy(name="odd", document=document))
    arn = member.arn("policy", "/", "odd")
    member.groups.append(SimulatedGroup(name="devs", attached=(arn,)))
    member.add_user("bob", attached=(arn,))
    member.add_user("carol", groups=("devs",))
    member.add_user("dave", attached=(arn, ADMINISTRATOR))
    scan = await scanned(world, member)
    access = {user.user_name: user.access and user.access.escalation for user in scan.users}
    assert access == {"alice": (), "bob": None, "carol": None, "dave": ("iam:*",)}
    assert [user.user_name for user in scan.users if user.access is None] == ["bob", "carol"]
    assert scan.notes == ("Policies could not be read, and what they allow is unknown: customer-managed policy odd.",)


async def test_a_policy_of_a_group_that_cannot_be_read_costs_its_members() -> None:
    world, member = one_account("alice")
    member.groups.append(SimulatedGroup(name="devs", inline=(InlinePolicy("odd", "{"),)))
    member.add_user("bob", groups=("devs",))
    member.add_user("carol", groups=("devs",), attached=(ADMINISTRATOR,))
    scan = await scanned(world, member)
    access = {user.user_name: user.access for user in scan.users}
    assert access["alice"] is not None
    assert access["bob"] is None
    assert access["carol"] is not None  # whatever it says: carol is an administrator
    assert access["carol"].administrator is True
    assert access["carol"].inline_policies == ("odd (via devs)",)
    (note,) = scan.notes
    assert note.endswith("inline policy odd of group devs.")


async def test_a_policy_without_its_document_costs_its_user_alone() -> None:
    world, member = one_account("alice")
    member.add_user("bob")
    lists = "<GroupList/><AttachedManagedPolicies/><Tags/>"
    users = "".join(
        f"<member><Path>/</Path><UserName>{user.name}</UserName><UserId>{user.user_id}</UserId>"
        f"<Arn>{member.user_arn(user)}</Arn><CreateDate>2025-01-06T08:30:15Z</CreateDate>{lists}<UserPolicyList>"
        f"{'<member><PolicyName>odd</PolicyName></member>' if user.name == 'bob' else ''}</UserPolicyList></member>"
        for user in member.users
    )
    answer = f"<UserDetailList>{users}</UserDetailList><GroupDetailList/><IsTruncated>false</IsTruncated>"
    call = "GetAccountAuthorizationDetails"
    scan = await scanned(world, member, Fault(f"iam:{call}", xml(call, answer)))
    assert {user.user_name: user.access is not None for user in scan.users} == {"alice": True, "bob": False}


@pytest.mark.usefixtures("workplace")
def test_the_row_of_such_a_user_is_partial_and_no_other_user_s() -> None:
    world, member = one_account("alice")
    member.add_user("bob", inline=(InlinePolicy("odd", "{"),), tags=(("team", "red"),))
    with running(world) as endpoint:
        done = scan(endpoint)
    columns = ("evidence", "administrator", "inline_policies", "tags", "console_access")
    assert [done.user("bob")[column] for column in columns] == ["PARTIAL", "", "", "", "false"]
    assert [done.user("alice")[column] for column in columns] == ["FULL", "false", "", "", "false"]
    row = done.accounts[member.id]
    assert (row["outcome"], row["evidence"]) == ("SCANNED", "PARTIAL")  # as some row is
    assert "inline policy odd of user bob" in row["notes"]


async def test_a_policy_of_aws_s_own_that_only_denies_is_told_from_one_that_borrows_its_name() -> None:
    denying = ("AWSDenyAll", "AWSCompromisedKeyQuarantineV3")
    policies = [*(f"arn:aws:iam::aws:policy/{name}" for name in denying), "arn:aws:iam::000000000001:policy/AWSDenyAll"]
    world, member = one_account()
    member.add_user("alice", attached=(*policies, ADMINISTRATOR))
    (user,) = (await scanned(world, member)).users
    assert user.access is not None
    assert user.access.denied_by == denying
    assert len(user.access.attached_policies) == 4
