"""The caller's own account: read with the caller's own credentials, and through the role where those are denied."""

import pytest

from scanner.model import Evidence, FailReason
from tests.aws_endpoint import Fault, Refuse, SimulatedRole, deny, first, http_503, nth
from tests.scan.entering import failed, names, one_account, scanned

pytestmark = pytest.mark.usefixtures("hurried")


async def test_the_callers_own_account_needs_no_role() -> None:
    world, _ = one_account()
    world.management.add_user("root-helper")
    scan = await scanned(world, world.management)
    assert (names(scan), scan.role_arn) == (["root-helper"], None)


async def test_the_callers_own_evidence_may_be_partial_too() -> None:
    world, _ = one_account()
    world.management.add_user("root-helper")
    scan = await scanned(world, world.management, Fault("iam:GetAccountSummary", deny))
    assert (scan.evidence, scan.role_arn) == (Evidence.PARTIAL, None)


async def test_an_unreachable_own_account_is_not_tried_through_the_role() -> None:
    """The role is for where the caller is denied; a server that does not answer answers no role either."""
    world, _ = one_account()
    world.management.roles = None
    scan = await failed(world, world.management, Fault("iam:ListUsers", http_503))
    assert (scan.failure.reason, scan.role_arn) == (FailReason.UNREACHABLE, None)


async def test_the_callers_own_evidence_is_read_through_the_role_where_it_is_denied() -> None:
    world, _ = one_account()
    world.management.roles = [SimulatedRole(name="OrganizationAccountAccessRole")]
    denied = Fault("iam:GetCredentialReport", deny, account=world.management_account_id, when=nth(1))
    scan = await scanned(world, world.management, denied)
    assert scan.role_arn is not None
    assert scan.evidence is Evidence.FULL


async def test_the_callers_own_account_keeps_what_was_read_where_the_role_does_not_help() -> None:
    world, _ = one_account()
    denied = Fault("iam:GetCredentialReport", deny, account=world.management_account_id)
    scan = await scanned(world, world.management, denied)
    assert (scan.role_arn, scan.evidence) == (None, Evidence.PARTIAL)


REFUSALS = ["AccessDenied", "InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure"]


@pytest.mark.parametrize("code", REFUSALS)
async def test_in_whatever_words_the_caller_is_refused_its_own_account_is_read_through_the_role(code: str) -> None:
    """IAM takes no session token that was made without MFA; STS does, so the role can be assumed."""
    world, _ = one_account()
    world.management.roles = [SimulatedRole(name="OrganizationAccountAccessRole")]
    world.management.add_user("root-helper")
    refused = Refuse(403, code, "The security token included in the request is invalid.")
    once = Fault("iam:ListUsers", refused, account=world.management_account_id, when=first(1))
    scan = await scanned(world, world.management, once)
    assert (names(scan), scan.evidence) == (["root-helper"], Evidence.FULL)
    assert scan.role_arn == f"arn:aws:iam::{world.management_account_id}:role/OrganizationAccountAccessRole"


async def test_an_own_account_that_refuses_the_caller_and_has_no_role_says_what_the_role_was_refused_for() -> None:
    world, _ = one_account()
    refused = Refuse(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
    scan = await failed(world, world.management, Fault("iam:*", refused, account=world.management_account_id))
    assert (scan.failure.reason, scan.failure.call) == (FailReason.ROLE_NOT_ASSUMABLE, "sts:AssumeRole")
    assert scan.role_arn is not None


@pytest.mark.parametrize("code", ["ExpiredToken", "SignatureDoesNotMatch"])
async def test_credentials_that_are_good_for_nothing_are_not_tried_on_the_role(code: str) -> None:
    world, _ = one_account()
    refused = Fault("iam:ListUsers", Refuse(403, code, "No."), account=world.management_account_id)
    scan = await failed(world, world.management, refused)
    assert (scan.failure.reason, scan.failure.code) == (FailReason.CREDENTIALS_EXPIRED, code)
    assert scan.role_arn is None
