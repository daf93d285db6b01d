"""--fail-on: what makes a complete scan exit with 3."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import pytest

from scanner.audit import rule
from scanner.audit.assessment import Assessment
from scanner.audit.diff import snapshot
from scanner.audit.rule import assess
from scanner.errors import ExitCode
from scanner.model import Change, FailOn, IamUser
from scanner.record import SafelistText
from scanner.safelist.entries import parse
from tests.builders import access, credentials, failed, record, scanned, user

APPROVED = parse([SafelistText(path="a.yaml", text="version: 1\nglobal: [approved, approved-admin]\n")])


def rights(*, administrator: bool) -> IamUser:
    return user("approved-admin", credentials=credentials(), access=replace(access(), administrator=administrator))


BEFORE = (user("approved"), user("backlog"), user("old-name", user_id="AIDARENAMED000000"), rights(administrator=False))


def compared(*after: IamUser) -> Assessment:
    """A run that is compared with one of BEFORE."""
    first = assess(record(scanned(1, *BEFORE)), APPROVED)
    run = record(scanned(1, *after))
    header = replace(run.header, previous_run=snapshot(first.record, first.findings))
    return assess(replace(run, header=header), APPROVED)


def exit_code(assessment: Assessment, fail_on: Collection[FailOn] = (FailOn.UNAPPROVED,)) -> ExitCode:
    """That of a run that was started with `--fail-on`."""
    header = assessment.record.header
    header = replace(header, settings=header.settings.with_(fail_on=tuple(fail_on)))
    return rule.exit_code(replace(assessment, record=replace(assessment.record, header=header)))


AFTER: Mapping[FailOn, IamUser] = {
    FailOn.NEW: user("brand-new"),
    FailOn.RECREATED: user("backlog", user_id="AIDASOMEONEELSE00"),
    FailOn.RENAMED: user("new-name", user_id="AIDARENAMED000000"),
    FailOn.PRIVILEGE_GAINED: rights(administrator=True),
}


@pytest.mark.parametrize("value", AFTER)
def test_a_change_that_is_named_fails_and_no_other(value: FailOn) -> None:
    assessment = compared(user("approved"), AFTER[value])
    changes = {change for finding in assessment.findings for change in finding.changes}
    assert value.change in changes
    assert exit_code(assessment, [value]) is ExitCode.UNAPPROVED
    others = [other for other in FailOn if other.change is not None and other.change not in changes]
    assert exit_code(assessment, others) is ExitCode.OK


def test_a_backlog_alone_does_not_fail_a_gate_on_what_is_new() -> None:
    assessment = compared(*BEFORE)
    assert assessment.totals.unapproved == 2
    assert exit_code(assessment, [FailOn.NEW, FailOn.NEWLY_UNAPPROVED, FailOn.PRIVILEGE_GAINED]) is ExitCode.OK
    assert exit_code(assessment) is ExitCode.UNAPPROVED


def test_a_new_user_that_is_approved_does_not_fail() -> None:
    first = assess(record(scanned(1, user("backlog"))), APPROVED)
    run = record(scanned(1, user("backlog"), user("approved")))
    header = replace(run.header, previous_run=snapshot(first.record, first.findings))
    assessment = assess(replace(run, header=header), APPROVED)
    assert [Change.NEW in finding.changes for finding in assessment.findings] == [True, False]
    assert exit_code(assessment, [FailOn.NEW]) is ExitCode.OK


def test_without_a_previous_run_every_unapproved_user_fails() -> None:
    assert exit_code(assess(record(scanned(1, user("backlog"))), APPROVED), [FailOn.NEW]) is ExitCode.UNAPPROVED
    assert exit_code(assess(record(scanned(1, user("approved"))), APPROVED), [FailOn.NEW]) is ExitCode.OK


def test_none_never_fails_on_users() -> None:
    assert exit_code(compared(*BEFORE, user("brand-new")), [FailOn.NONE]) is ExitCode.OK


@pytest.mark.parametrize("value", FailOn)
def test_an_incomplete_run_is_4_whatever_is_named(value: FailOn) -> None:
    run = record(scanned(1, user("approved")), failed(2))
    assert exit_code(assess(run, APPROVED), [value]) is ExitCode.INCOMPLETE
