"""The lines of iam-users.ocsf.jsonl: valid against OCSF's own schema, and true to the rows that they are made of."""

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding

from scanner.audit.assessment import Assessment
from scanner.model import Basis, Change, Choice, Determination, UserId
from scanner.record import ReviewDecision, WhatIf
from scanner.report.columns import USERS
from scanner.report.ocsf import DECISION, MAPPED, write_ocsf
from scanner.report.view import View
from tests.builders import START, account, account_id, failed, header, listing, record, scanned, user
from tests.report.samples import assessed, entry, finding, sample

Line = Mapping[str, Any]
MILLISECONDS = int(START.timestamp()) * 1000


def data_of(assessment: Assessment) -> bytes:
    out = io.BytesIO()
    write_ocsf(View(assessment), out)
    return out.getvalue()


def lines_of(assessment: Assessment) -> list[Line]:
    return [json.loads(line) for line in data_of(assessment).split(b"\n")[:-1]]


def line_of(assessment: Assessment) -> Line:
    (line,) = lines_of(assessment)
    return line


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    """The schema of the class and its profile, as the authors of OCSF publish it: no attribute but theirs."""
    published = OcsfJsonSchemaEmbedded(get_ocsf_schema("1.5.0"))
    return Draft202012Validator(published.get_class_schema("compliance_finding", ["cloud"]))


def faults(schema: Draft202012Validator, *lines: Line) -> list[str]:
    return [f"{fault.json_path}: {fault.message}" for line in lines for fault in schema.iter_errors(line)]


# --- the schema ------------------------------------------------------------------------------------------------------


def test_every_line_is_valid(schema: Draft202012Validator) -> None:
    lines = lines_of(sample())
    assert len(lines) == 62
    assert faults(schema, *lines) == []
    assert {line["compliance"]["status"] for line in lines} == {"Pass", "Fail"}
    broken = json.loads(json.dumps(lines[0]))
    broken["severity_id"], broken["cloud"]["region_name"] = 7, "eu-central-1"
    del broken["resources"][0]["uid"], broken["resources"][0]["name"]
    assert len(faults(schema, broken)) == 3, "the schema finds what is planted"


def test_a_caption_is_that_of_its_number() -> None:
    classes = get_ocsf_schema("1.5.0")["classes"]["compliance_finding"]["attributes"]
    lines = [*lines_of(sample()), line_of(reviewed(Choice.DEFER))]
    for name, caption in (("activity_id", "activity_name"), ("severity_id", "severity"), ("status_id", "status")):
        captions = {number: value["caption"] for number, value in classes[name]["enum"].items()}
        assert [line[caption] for line in lines] == [captions[str(line[name])] for line in lines]
    for line in lines:
        assert line["type_uid"] == line["class_uid"] * 100 + line["activity_id"]
        assert line["type_name"] == f"{line['class_name']}: {line['activity_name']}"
    assert {line["class_name"] for line in lines} == {"Compliance Finding"}


def test_the_models_of_the_library_read_each_line_back() -> None:
    """Whoever reads OCSF by them gets through, although they do not have all that the schema has."""
    for line in lines_of(sample()):
        read = ComplianceFinding.model_validate(line)
        assert read.resources[0].uid == line["resources"][0]["uid"]


def test_another_reader_makes_a_table_of_it() -> None:
    table = pd.read_json(io.BytesIO(data_of(sample())), lines=True)
    assert len(table) == 62
    users = pd.json_normalize([resources[0] for resources in table["resources"]])
    assert users["uid"].is_unique
    assert set(users["type"]) == {"AwsIamUser"}
    unapproved = table[table["status_code"] == "UNAPPROVED"]
    assert set(unapproved["severity"]) == {"Medium"}
    assert {compliance["status"] for compliance in unapproved["compliance"]} == {"Fail"}


# --- the mapping -----------------------------------------------------------------------------------------------------


def test_an_unapproved_user_fails_and_says_what_to_do() -> None:
    line = line_of(assessed([finding(user("cc-rds-manager"), explanation="No entry matches.")]))
    assert (line["severity"], line["status"]) == ("Medium", "New")
    assert (line["compliance"]["control"], line["compliance"]["status_id"]) == ("IAM-058", 3)
    assert (line["status_code"], line["status_detail"]) == ("UNAPPROVED", "No entry matches.")
    assert line["finding_info"]["title"] == "IAM user cc-rds-manager in account 000000000001 is not approved"
    assert line["remediation"]["desc"].startswith("Review the user.")
    assert line["cloud"] == {
        "provider": "AWS",
        "account": {"uid": "000000000001", "name": "account-1", "type": "AWS Account", "type_id": 10},
        "org": {"uid": "o-a1b2c3d4e5", "ou_uid": account().ou_id, "ou_name": "Root/Prod"},
    }
    assert (line["time"], line["timezone_offset"]) == (MILLISECONDS, 0)
    assert (line["metadata"]["profiles"], line["metadata"]["version"]) == (["cloud"], "1.5.0")


def test_an_approved_user_passes_and_asks_for_nothing() -> None:
    line = line_of(assessed([finding(basis=Basis.SAFELISTED, by=entry("alice"))]))
    assert (line["severity"], line["status"], line["compliance"]["status_id"]) == ("Informational", "Resolved", 1)
    assert "remediation" not in line
    assert (line["unmapped"]["owner"], line["unmapped"]["expires_on"]) == ("db@example.com", "2027-03-31")


def test_only_clauses_that_an_approval_bears_on_are_named() -> None:
    """A user may be approved and dormant: its line must not say that it passes a clause about unused credentials."""
    compliance = line_of(assessed([finding()]))["compliance"]
    assert compliance["standards"] == ["SOC 2", "PCI DSS 4.0.1", "ISO/IEC 27001:2022", "NIST SP 800-53 rev. 5"]
    assert "PCI DSS 4.0.1: 7.2.4" in compliance["requirements"]
    assert "does not by itself meet" in compliance["desc"]


def test_every_known_column_stands_in_one_place() -> None:
    assessment = sample()
    assert {column.key for column in USERS} > MAPPED | DECISION
    for row, line in zip(View(assessment).users, lines_of(assessment), strict=True):
        data, unmapped = line["resources"][0]["data"], line["unmapped"]
        known = {column.key for column in USERS if column.get(row) is not None}
        assert data.keys() | (unmapped.keys() - {"run"}) == known - MAPPED
        assert data.keys().isdisjoint(unmapped)
        assert unmapped.keys() - {"run"} <= DECISION
        assert None not in {**data, **unmapped}.values()


def test_what_is_not_known_of_a_user_is_absent() -> None:
    """No credential report and no policies were read."""
    (resource,) = line_of(assessed([finding(user("alice"))]))["resources"]
    assert resource["data"].keys() == {"created_at", "path", "user_id"}
    assert "labels" not in resource
    assert resource["cloud_partition"] == "aws"


def test_the_partition_is_that_of_the_run() -> None:
    caller = replace(header().caller, partition="aws-us-gov")
    of_run = record(scanned(1, user()), header=replace(header(), caller=caller))
    (resource,) = line_of(assessed([finding()], record=of_run))["resources"]
    assert resource["cloud_partition"] == "aws-us-gov"


def test_a_file_of_accounts_knows_no_organization(schema: Draft202012Validator) -> None:
    nowhere = account(ou_path=None)
    unknown = record(scanned(1, user()), listing=listing(nowhere), header=header(organization=None))
    line = line_of(assessed([finding(at=nowhere)], record=unknown))
    assert line["cloud"].keys() == {"provider", "account"}
    assert "tenant_uid" not in line["metadata"]
    assert faults(schema, line) == []


# --- from run to run -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "activity", "made", "first_seen"),
    [
        ((), "Create", True, False),
        ((Change.NEW,), "Create", True, True),
        ((Change.RECREATED, Change.NEWLY_UNAPPROVED), "Create", True, True),
        ((Change.NOT_PREVIOUSLY_SCANNED,), "Create", True, False),
        ((Change.UNCHANGED,), "Update", False, False),
        ((Change.RENAMED, Change.PRIVILEGE_GAINED), "Update", False, False),
        ((Change.NEWLY_APPROVED,), "Update", False, False),
    ],
)
def test_the_change_says_whether_a_finding_is_made_or_updated(
    changes: tuple[Change, ...], activity: str, made: bool, first_seen: bool
) -> None:
    line = line_of(assessed([replace(finding(), changes=changes)]))
    info = line["finding_info"]
    assert line["activity_name"] == activity
    assert ("created_time" in info, "first_seen_time" in info) == (made, first_seen)
    assert info["last_seen_time"] == MILLISECONDS + 12_000, "when its account was read"


def test_a_finding_keeps_its_uid_and_an_event_has_its_own() -> None:
    first = record(scanned(1, user()))
    second = record(scanned(1, user()), header=replace(header(), run_id="20270123T164100Z-4d5e6f"))
    what_if = replace(first, what_if=WhatIf(as_of=date(2027, 1, 1), safelists=()))
    lines = [line_of(assessed([finding()], record=each)) for each in (first, second, what_if)]
    assert {line["finding_info"]["uid"] for line in lines} == {f"IAM-058/000000000001/{user().user_id}"}
    assert len({line["metadata"]["uid"] for line in lines}) == 3
    assert [line["metadata"].get("labels") for line in lines] == [None, None, ["what-if"]]


def reviewed(choice: Choice, basis: Basis = Basis.NOT_SAFELISTED) -> Assessment:
    decision = ReviewDecision(
        run_id="20260823T164100Z-1a2b3c",
        account_id=account_id(1),
        user_id=UserId(user().user_id),
        choice=choice,
        reviewer="ciso@example.com",
        reviewed_on=date(2026, 8, 24),
    )
    of_run = record(scanned(1, user()), header=replace(header(), decisions=(decision,)))
    return assessed([finding(basis=basis)], record=of_run)


def test_a_finding_that_was_reviewed_is_no_longer_new() -> None:
    assert line_of(reviewed(Choice.DEFER))["status"] == "In Progress"
    assert line_of(reviewed(Choice.REMOVE))["status"] == "In Progress"
    assert line_of(reviewed(Choice.APPROVE, Basis.SAFELISTED))["status"] == "Resolved"


# --- what the file does not say --------------------------------------------------------------------------------------


def test_each_line_says_that_accounts_were_not_read() -> None:
    of_run = record(scanned(1, user()), failed(2))
    run = line_of(assessed([finding()], record=of_run))["unmapped"]["run"]
    assert run["status"] == "INCOMPLETE"
    assert run["status_text"] == "incomplete: 1 of 2 accounts in scope could not be read"
    assert (run["accounts_in_scope"], run["accounts_scanned"], run["accounts_failed"]) == (2, 1, 1)


def test_without_users_there_is_no_line() -> None:
    assert data_of(assessed(record=record(failed(1)))) == b""


# --- bytes -----------------------------------------------------------------------------------------------------------


def test_the_same_assessment_gives_the_same_bytes() -> None:
    assert data_of(sample()) == data_of(sample())


def test_text_of_others_stays_one_line_of_json(schema: Draft202012Validator) -> None:
    whole = '=\0\u2028\x85\n"\\{"}'
    hostile = f"{whole}\ud800"
    at = account(name=hostile, ou_path=f"Root/{whole}")
    written = data_of(assessed([finding(replace(user(), user_name=hostile), at=at, explanation=hostile)]))
    assert written.decode("ascii").splitlines() == [written.decode("ascii").removesuffix("\n")]
    assert b"\\ud800" not in written, "no reader has to take half a character"
    line = json.loads(written)
    assert line["cloud"]["account"]["name"] == f"{whole}\N{REPLACEMENT CHARACTER}"
    assert faults(schema, line) == []


def test_a_determination_has_a_line_of_its_own() -> None:
    assert {line["status_code"] for line in lines_of(sample())} == set(Determination)
