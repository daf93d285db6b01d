"""CSV and JSON: the contract's columns, in its order and spelling, whatever the text in them."""

import csv
import io
import json
from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.audit.assessment import Assessment
from scanner.model import AccountId, AccountScan, Basis, Failed, Scanned
from scanner.report.columns import ACCOUNTS, USERS, CellKind
from scanner.report.formats import write_accounts_csv, write_users_csv, write_users_json
from scanner.report.frames import users_frame
from scanner.report.rows import AccountRow, user_rows
from scanner.report.view import View
from tests.builders import access, account, credentials, failed, scanned, skipped, user
from tests.report.samples import assessed, entry, finding, revocation, sample

# Section 6 of the contract, word for word.
USER_COLUMNS = """account_id, account_name, account_owner, ou_path, user_name, determination, basis, explanation,
safelist_scope, safelist_entry, kind, owner, reason, approved_by, approved_on, expires_on, ticket, console_access,
mfa_active, active_access_keys, oldest_active_key_age_days, service_credentials, stale_credentials, last_activity_at,
last_activity_service, days_since_activity, dormant, administrator, escalation, groups, attached_policies,
inline_policies, permissions_boundary, tags, created_at, created_by, created_with, path, arn, user_id, ou_id, evidence,
change, rule_id, risk_level"""
ACCOUNT_COLUMNS = """account_id, account_name, account_owner, ou_path, ou_id, state, outcome, reason, failed_call,
error_code, detail, remedy, users, approved, unapproved, evidence, notes, role_arn, scanned_at, credential_report_at"""


def names(contract: str) -> list[str]:
    return [name.strip() for name in contract.replace("\n", " ").split(",")]


def users_csv(assessment: Assessment) -> bytes:
    out = io.BytesIO()
    write_users_csv(View(assessment), out)
    return out.getvalue()


def accounts_csv(assessment: Assessment) -> bytes:
    out = io.BytesIO()
    write_accounts_csv(View(assessment), out)
    return out.getvalue()


def rows(table: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"), newline="")))


def users_json(assessment: Assessment) -> list[dict[str, object]]:
    out = io.BytesIO()
    write_users_json(View(assessment), out)
    loaded: list[dict[str, object]] = json.loads(out.getvalue())
    return loaded


def test_the_columns_are_the_contracts() -> None:
    assert [column.key for column in USERS] == names(USER_COLUMNS)
    assert [column.key for column in ACCOUNTS] == names(ACCOUNT_COLUMNS)
    assert list(users_frame(user_rows(sample()))) == names(USER_COLUMNS)


def test_a_csv_begins_with_a_mark_and_its_header_and_ends_lines_as_rfc_4180_asks() -> None:
    table = users_csv(assessed())
    assert table == b"\xef\xbb\xbf" + ",".join(names(USER_COLUMNS)).encode() + b"\r\n"
    assert accounts_csv(assessed()).startswith(b"\xef\xbb\xbfaccount_id,account_name,")


def test_a_user_of_whom_all_is_known_reads_as_the_contract_spells_it() -> None:
    known = replace(
        credentials(), console_access=True, password_last_used=datetime(2026, 11, 20, 8, tzinfo=UTC), mfa_active=True
    )
    rights = replace(
        access(), groups=("devs", "ops"), attached_policies=("ReadOnlyAccess (via devs)",), tags=(("a", "b"),)
    )
    by = entry("alice")
    at = account(1, ou_path="Root/Prod")
    row = rows(
        users_csv(
            assessed([finding(user("alice", credentials=known, access=rights), basis=Basis.SAFELISTED, at=at, by=by)])
        )
    )[0]
    assert row["account_id"] == "000000000001"
    assert (row["determination"], row["basis"]) == ("APPROVED", "SAFELISTED")
    assert row["safelist_scope"] == "account 000000000001"
    assert row["safelist_entry"] == "config/safelists/prod.yaml:14"
    assert (row["kind"], row["approved_on"], row["expires_on"]) == ("service", "2026-10-01", "2027-03-31")
    assert (row["console_access"], row["mfa_active"], row["administrator"]) == ("true", "true", "false")
    assert (row["last_activity_at"], row["days_since_activity"]) == ("2026-11-20T08:00:00Z", "3")
    assert (row["active_access_keys"], row["stale_credentials"], row["dormant"]) == ("0", "none", "false")
    assert (row["groups"], row["tags"]) == ("devs; ops", "a=b")
    assert (row["created_at"], row["change"]) == ("2026-01-15T09:30:00Z", "")
    assert (row["rule_id"], row["risk_level"]) == ("IAM-058", "Medium")


def test_unknown_is_empty_and_in_json_null() -> None:
    assessment = assessed([finding(user())])
    row, plain = rows(users_csv(assessment))[0], users_json(assessment)[0]
    unknown = names(USER_COLUMNS)[8:31]  # from safelist_scope to tags
    assert {row[name] for name in unknown} == {""}
    assert all(plain[name] is None for name in unknown)


def test_a_revocation_is_named_but_no_approval_is_read_into_it() -> None:
    row = rows(users_csv(assessed([finding(user("cc-iam-manager"), basis=Basis.REVOKED, by=revocation())])))[0]
    assert (row["safelist_scope"], row["safelist_entry"], row["ticket"]) == (
        "account 000000000001",
        "config/safelists/prod.yaml:40",
        "SEC-140",
    )
    assert {row[name] for name in ("kind", "owner", "reason", "approved_by", "approved_on", "expires_on")} == {""}


@pytest.mark.parametrize("name", ["=1+1", "+x", "-x", "@x", "\t=1", "＝1"])  # noqa: RUF001
def test_a_formula_is_guarded_in_csv_and_as_it_was_in_json(name: str) -> None:
    assessment = assessed([finding(user(name))])
    assert rows(users_csv(assessment))[0]["user_name"] == f"'{name}"
    assert users_json(assessment)[0]["user_name"] == name


ANY_TEXT = st.text(st.characters(), max_size=20) | st.text("\r\n\t\0;,\"'=\ud800\ufffe", max_size=8)


@settings(max_examples=60)
@given(st.lists(st.tuples(ANY_TEXT, ANY_TEXT), min_size=1, max_size=4))
def test_any_text_gives_a_csv_of_whole_rows_and_json_that_is_exact(texts: list[tuple[str, str]]) -> None:
    findings = [
        finding(
            replace(user(user_id=f"AIDA{number}"), user_name=name), at=account(1, name=label or "x"), explanation=label
        )
        for number, (name, label) in enumerate(texts)
    ]
    assessment = assessed(findings)
    assert len(rows(users_csv(assessment))) == len(texts)
    assert sorted(str(row["user_name"]) for row in users_json(assessment)) == sorted(name for name, _ in texts)


def test_the_same_assessment_gives_the_same_bytes() -> None:
    assert users_csv(sample()) == users_csv(sample())
    assert accounts_csv(sample()) == accounts_csv(sample())
    assert users_json(sample()) == users_json(sample())


def test_every_account_in_scope_is_a_row_whatever_became_of_it() -> None:
    accounts = [account(number) for number in (1, 2, 3, 4)]
    scans: list[AccountScan] = [scanned(1, user()), failed(2), skipped(3)]
    table = rows(accounts_csv(assessed([finding(user())], accounts=accounts, scans=scans)))
    assert [row["account_id"][-1] + " " + row["outcome"] for row in table] == [
        "1 SCANNED",
        "2 FAILED",
        "3 SKIPPED",
        "4 FAILED",
    ]
    assert [row["users"] for row in table] == ["1", "", "", ""]  # what was not read is not said to have no users
    assert table[1]["reason"] == "ROLE_NOT_ASSUMABLE"
    assert table[1]["remedy"] == "Deploy the role in this account."
    assert table[3]["detail"] == "not reached before the run ended"
    assert table[3]["remedy"].endswith("iam-scanner scan --resume 20261123T164100Z-1a2b3c")


def test_an_account_outside_the_scope_is_no_row() -> None:
    assessment = sample()
    assert len(rows(accounts_csv(assessment))) == 15
    assert assessment.totals.outside_scope == 1


def test_every_value_has_the_type_of_its_column() -> None:
    types = {
        CellKind.TEXT: str,
        CellKind.LIST: tuple,
        CellKind.BOOL: bool,
        CellKind.INT: int,
        CellKind.DATETIME: datetime,
    }
    for row in user_rows(sample()):
        for column in USERS:
            value = column.get(row)
            assert value is None or isinstance(value, types.get(column.kind, object)), column.key


def test_the_account_row_holds_what_its_columns_show() -> None:
    held = {field.name for field in fields(AccountRow)} - {"account"}
    assert held <= set(names(ACCOUNT_COLUMNS))


def test_the_sample_has_what_it_promises() -> None:
    scans = sample().record.scans
    assert sum(isinstance(scan, Scanned) for scan in scans.values()) == 11
    assert sum(isinstance(scan, Failed) for scan in scans.values()) == 2
    assert AccountId("000000000114") not in scans
