"""Partitions, quotas and organizations that are not the usual one."""

from typing import Any

import pytest

from scanner.model import Choice
from tests.aws_endpoint import Fault, Refuse, empty_organization
from tests.aws_endpoint.iam_state import LiveKey
from tests.remediation.site import LONG_AGO, Site, furnish, reasons, words

REMOVE, QUARANTINE = {"alice": Choice.REMOVE}, {"alice": Choice.QUARANTINE}


@pytest.mark.parametrize("partition", ["aws", "aws-us-gov", "aws-cn"])
def test_it_works_in_each_partition(tmp_path: Any, monkeypatch: pytest.MonkeyPatch, partition: str) -> None:
    monkeypatch.chdir(tmp_path)
    site = Site(world=empty_organization(partition=partition))
    prod = site.account()
    furnish(prod)
    site.decide(REMOVE)
    with site.serving():
        assert words(site.apply(site.plan())) == {"alice": "DONE"}
    assert prod.kept.users == {}
    assert f"arn:{partition}:iam::aws:policy/AWSDenyAll" in str(prod.made)


def test_an_action_that_the_partition_lacks_is_a_note_and_no_failure(site: Site) -> None:
    prod = site.account()
    furnish(prod, service_credentials={})
    prod.missing_actions = frozenset({"ListServiceSpecificCredentials"})
    site.decide(REMOVE)
    with site.serving():
        made = site.plan()
        assert "This partition of AWS has no ListServiceSpecificCredentials." in made.plan.users[0].notes
        assert words(site.apply(made)) == {"alice": "DONE"}


def test_a_change_that_the_partition_lacks_is_a_note_and_the_rest_is_done(site: Site) -> None:
    prod = site.account()
    prod.user("alice", certificates={"CERT1": LiveKey()}, keys={"AKIA1": LiveKey(last_used=LONG_AGO)})
    prod.missing_actions = frozenset({"UpdateSigningCertificate"})
    site.decide(QUARANTINE)
    with site.serving():
        ended = site.apply(site.plan())
    assert words(ended) == {"alice": "DONE"}
    assert ended.outcomes[0].detail == "This partition of AWS has no UpdateSigningCertificate."
    assert not prod.kept.users["alice"].keys["AKIA1"].active


def test_a_quota_that_is_lower_than_usual_refuses_before_any_key_is_touched(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    site.decide(QUARANTINE)
    full = Refuse(409, "LimitExceeded", "Cannot exceed quota for PoliciesPerUser: 1")
    before = prod.snapshot()
    with site.serving(Fault("iam:AttachUserPolicy", full)):
        ended = site.apply(site.plan())
    assert words(ended) == {"alice": "REFUSED"}
    assert reasons(ended) == {"alice": "POLICY_QUOTA"}
    assert prod.kept == before


def test_without_the_deny_no_key_is_touched(site: Site) -> None:
    """A partition without AWSDenyAll: AWS says that there is no such policy."""
    prod = site.account()
    furnish(prod)
    site.decide(QUARANTINE)
    missing = Refuse(
        404, "NoSuchEntity", "Policy arn:aws:iam::aws:policy/AWSDenyAll does not exist or is not attachable."
    )
    with site.serving(Fault("iam:AttachUserPolicy", missing)):
        ended = site.apply(site.plan())
    assert words(ended) == {"alice": "FAILED"}
    assert "does not exist or is not attachable" in ended.outcomes[0].detail
    assert prod.made == []


def test_a_run_of_a_list_of_accounts_is_carried_out_by_the_caller_that_made_it(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    site.scan(organization=None)
    site.decide(REMOVE)
    with site.serving() as endpoint:
        assert words(site.apply(site.plan())) == {"alice": "DONE"}
    assert not any(call.service == "organizations" for call in endpoint.calls)
