"""One user read live: complete, about the very user that was asked for, or an error."""

import asyncio
from collections.abc import Callable, Iterable

import pytest

from scanner.aws.attachments import AttachmentKind, LiveUser
from scanner.aws.clients import Clients, Session
from scanner.aws.credentials import caller_credentials
from scanner.aws.failures import CallError
from scanner.aws.identity import AssumedRole, role_arn
from scanner.aws.user_changes import WITHOUT_USER_NAME
from scanner.aws.user_reads import READS, read_user
from scanner.aws.user_rights import Rights, denies
from scanner.model import AccountId, Choice
from tests.aws_endpoint import Fault, Raw, always, deny, empty_page, no_marker, nth, same_marker, wrong_account
from tests.aws_endpoint.iam_state import LiveAccount, LiveKey
from tests.remediation.site import ALLOW_S3, DENY_S3, NOW, Site, furnish, spared, words

LISTS = [name for name in READS if name.startswith("List")]


async def _read(prod: LiveAccount, *tries: Callable[[], object], judged: bool) -> list[LiveUser | CallError | None]:
    """Read alice after each of these was called; an error is a result."""
    results: list[LiveUser | CallError | None] = []
    async with Clients(profile=None, concurrency=4) as clients:
        own = Session(clients, await caller_credentials(None))
        role = AssumedRole(own, role_arn("aws", prod.id, "Any"), session_name="tests", policy=None)
        session = Session(clients, role.credentials)
        for prepare in tries:
            prepare()
            try:
                user = await read_user(session, AccountId(prod.id), "alice")
                results.append(await Rights().judged(session, user) if user and judged else user)
            except CallError as error:
                results.append(error)
    return results


def read(site: Site, prod: LiveAccount, *faults: Fault, judged: bool = False) -> LiveUser | None:
    with site.serving(*faults):
        (result,) = asyncio.run(_read(prod, lambda: None, judged=judged))
    if isinstance(result, CallError):
        raise result
    return result


def errors(site: Site, prod: LiveAccount, faults: Iterable[Fault]) -> list[str]:
    """Read alice with each of these faults, one at a time; return how each read ended."""
    with site.serving() as endpoint:

        def only(fault: Fault) -> Callable[[], object]:
            return lambda: endpoint.faults.rules.__setitem__(slice(None), [fault])

        return [str(result) for result in asyncio.run(_read(prod, *map(only, faults), judged=False))]


def found(user: LiveUser | None) -> list[str]:
    assert user is not None
    return [thing.words for thing in user.attachments]


def test_everything_that_hangs_on_a_user_is_read(site: Site) -> None:
    prod = site.account()
    furnish(
        prod,
        password_last_used=NOW,
        boundary=prod.aws_policy("ReadOnlyAccess"),
        service_credentials={
            "ACCA1": LiveKey(service="cassandra.amazonaws.com"),
        },
    )
    user = read(site, prod)
    assert found(user) == [
        "console password",
        "access key AKIAALICE1",
        "access key AKIAALICE2 (inactive)",
        "signing certificate CERTALICE (inactive)",
        "SSH public key APKAALICE (inactive)",
        "service-specific credential ACCA1 for cassandra",
        f"MFA device {prod.device('alice')}",
        "MFA device GAHTALICE",
        "inline policy deploy",
        "attached policy arn:aws:iam::aws:policy/ReadOnlyAccess",
        "group devs",
    ]
    assert user is not None
    assert user.password_last_used == NOW
    assert user.boundary == prod.aws_policy("ReadOnlyAccess")
    assert [device.is_virtual_mfa for device in user.of_kind(AttachmentKind.MFA_DEVICE)] == [True, False]
    key = user.find((AttachmentKind.ACCESS_KEY, "AKIAALICE1"))
    assert key is not None
    assert key.last_used_for == "s3 (us-east-1)"


def test_a_user_that_does_not_exist_is_none(site: Site) -> None:
    assert read(site, site.account()) is None


def test_each_call_names_the_user(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    with site.serving() as endpoint:
        asyncio.run(_read(prod, lambda: None, judged=False))
    calls = [call for call in endpoint.calls if call.service == "iam"]
    assert {call.action for call in calls} == set(READS)
    for call in calls:
        named = call.params.get("AccessKeyId", call.params.get("UserName"))
        assert named, call.action


def test_a_list_that_is_not_whole_is_an_error(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    cases = [(call, lie) for call in LISTS for lie in (no_marker, same_marker)]
    told = errors(site, prod, [Fault(f"iam:{call}", lie, when=always) for call, lie in cases])
    for (call, _), error in zip(cases, told, strict=True):
        assert f"iam:{call}: INCOMPLETE_LISTING" in error


def test_a_read_that_is_denied_is_an_error_and_plans_nobody(site: Site) -> None:
    """Each of these users is named after the call that is denied."""
    prod = site.account()
    for call in READS:
        furnish(prod, call)
    site.decide(dict.fromkeys(READS, Choice.REMOVE))
    by_key = {"GetAccessKeyLastUsed": {"AccessKeyId": "AKIAGETACCESSKEYLASTUSED1"}}
    faults = [Fault(f"iam:{call}", deny, params=by_key.get(call, {"UserName": call})) for call in READS]
    with site.serving(*faults):
        made = site.plan()
    assert spared(made) == dict.fromkeys(READS, "READ_FAILED")
    for each in made.plan.spared:
        assert f"iam:{each.target.user_name} (AccessDenied)" in each.detail


def test_an_answer_about_another_account_is_an_error(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    calls = ("GetUser", "ListGroupsForUser")
    for error in errors(site, prod, [Fault(f"iam:{call}", wrong_account) for call in calls]):
        assert "BAD_RESPONSE" in error


def answer(action: str, result: str) -> Raw:
    space = "https://iam.amazonaws.com/doc/2010-05-08/"
    body = f'<{action}Response xmlns="{space}"><{action}Result>{result}</{action}Result></{action}Response>'
    return Raw(200, body.encode(), "text/xml")


OF_BOB = "<member><UserName>bob</UserName><AccessKeyId>AKIABOB</AccessKeyId><Status>Active</Status></member>"
ARN_OF_BOB, MADE = "<Arn>arn:aws:iam::{account}:user/bob</Arn>", "<CreateDate>2026-01-01T00:00:00Z</CreateDate>"
WRONG = {
    "another user's keys": (
        "ListAccessKeys",
        f"<AccessKeyMetadata>{OF_BOB}</AccessKeyMetadata><IsTruncated>false</IsTruncated>",
        "the answer is about 'bob'",
    ),
    "another user's key": (
        "GetAccessKeyLastUsed",
        "<UserName>bob</UserName><AccessKeyLastUsed><ServiceName>N/A</ServiceName></AccessKeyLastUsed>",
        "the answer is about 'bob'",
    ),
    "another user's password": (
        "GetLoginProfile",
        "<LoginProfile><UserName>bob</UserName><CreateDate>2026-01-01T00:00:00Z</CreateDate></LoginProfile>",
        "the answer is about 'bob'",
    ),
    "another user": (
        "GetUser",
        f"<User><Path>/</Path><UserName>bob</UserName><UserId>AIDABOB</UserId>{ARN_OF_BOB}{MADE}</User>",
        "the answer is about 'bob'",
    ),
    "no list": ("ListUserPolicies", "<IsTruncated>false</IsTruncated>", "has no PolicyNames"),
    "a device without a number": (
        "ListMFADevices",
        "<MFADevices><member><UserName>alice</UserName></member></MFADevices><IsTruncated>false</IsTruncated>",
        "lacks what identifies it",
    ),
    "a user without an ID": ("GetUser", "<User><UserName>alice</UserName></User>", "lacks its name, ID"),
}


def test_an_answer_that_cannot_be_true_is_an_error(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    faults = [
        Fault(f"iam:{action}", answer(action, result.format(account=prod.id))) for action, result, _ in WRONG.values()
    ]
    for (case, (_, _, told)), error in zip(WRONG.items(), errors(site, prod, faults), strict=True):
        assert told in error, case


def test_lists_of_several_pages_are_read_to_their_end(site: Site) -> None:
    """AWS may give fewer than were asked for; here a page is empty, and the next one has the rest."""
    prod = site.account()
    furnish(prod, inline={f"p{number}": ALLOW_S3 for number in range(30)})
    faults: Iterable[Fault] = [Fault(f"iam:{call}", empty_page, when=nth(1)) for call in LISTS]
    assert len(found(read(site, prod, *faults))) == 10 + 30


def test_what_denies_is_told_from_what_does_not(site: Site) -> None:
    prod = site.account()
    prod.group("held-back", attached=[prod.own_policy("no-s3", DENY_S3)])
    prod.group("devs", inline={"a": ALLOW_S3}, attached=[prod.aws_policy("ReadOnlyAccess")])
    furnish(
        prod,
        inline={"allows": ALLOW_S3, "denies": DENY_S3},
        attached=[prod.aws_policy("ReadOnlyAccess"), prod.aws_policy("AWSDenyAll")],
        groups=["devs", "held-back"],
    )
    furnish(prod, "bob", groups=["devs"])
    user = read(site, prod, judged=True)
    assert user is not None
    assert {thing.id for thing in user.attachments if thing.denies} == {
        "denies",
        prod.aws_policy("AWSDenyAll"),
        "held-back",
    }
    assert {thing.id for thing in user.attachments if thing.only_member} == {"held-back"}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (ALLOW_S3, False),
        (DENY_S3, True),
        ({"Statement": {"Effect": "Allow"}}, False),
        ({"Statement": [{"Effect": "Allow"}, {"Effect": "Deny"}]}, True),
        ({"Statement": []}, False),
        ("%7B%22Statement%22%3A%5B%5D%7D", False),
        ("not JSON", True),
        ("[" * 6000, True),
        (None, True),
        ({}, True),
        ({"Statement": ["x"]}, True),
        ({"Statement": [{}]}, True),
    ],
)
def test_a_document_that_cannot_be_read_counts_as_one_that_denies(document: object, expected: bool) -> None:
    assert denies(document) is expected


def test_the_one_call_without_a_user_is_that_on_a_device(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    site.decide({"alice": Choice.REMOVE})
    with site.serving() as endpoint:
        assert words(site.apply(site.plan())) == {"alice": "DONE"}
    changes = [call for call in endpoint.calls if call.action.startswith(("Delete", "Update", "De", "At", "Remove"))]
    assert {call.action for call in changes if "UserName" not in call.params and call.service == "iam"} == {
        WITHOUT_USER_NAME
    }
