"""The safelist and the owners of the demo fit the sample organization, on whatever day the demo runs."""

import csv
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from scanner.demo.sample_files import SampleFiles, account_owners_text, safelist_text, write_files, write_settings
from scanner.demo.sample_organization import ACCOUNTS, MANAGEMENT, OUS, ROOT_ID, user_id
from scanner.demo.sample_organization import Account as SampleAccount
from scanner.demo.sample_organization import User as SampleUser
from scanner.errors import UsageError
from scanner.model import Account, AccountId, IamUser, OrganizationalUnit, UserId
from scanner.record import SafelistText
from scanner.safelist.entries import check_organization, parse
from scanner.safelist.match import Index
from scanner.settings import load
from tests.demo.clients import all_users
from tests.demo_expected import EXPECTED, SUSPENDED

DAYS = [date(2026, 11, 23), date(2028, 2, 29), date(2031, 1, 1)]


def index(day: date) -> Index:
    return Index(parse([SafelistText(path="safelist.yaml", text=safelist_text(day))]), day)


def as_account(account: SampleAccount) -> Account:
    names = ["Root", *account.ou.split("/")] if account.ou else ["Root"]
    paths = ["/".join(names[: depth + 1]) for depth in range(len(names))]
    ids = {"Root": ROOT_ID, **{f"Root/{path}": ou_id for path, ou_id in OUS.items()}}
    ous = tuple(OrganizationalUnit(id=ids[path], name=name, path=path) for path, name in zip(paths, names, strict=True))
    return Account(id=AccountId(account.id), name=account.name, state="ACTIVE", ous=ous)


def as_user(account: SampleAccount, user: SampleUser) -> IamUser:
    return IamUser(
        user_id=UserId(user_id(account.id, user.name)),
        user_name=user.name,
        path=user.path,
        arn=f"arn:aws:iam::{account.id}:user{user.path}{user.name}",
        created_at=datetime(2020, 1, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_each_user_is_decided_as_the_demo_wants_to_show(day: date) -> None:
    decide = index(day).decide

    decided = {account.id: {} for account in ACCOUNTS if account.id != SUSPENDED}  # type: dict[str, dict[str, object]]
    for account, user in all_users():
        if account.id != SUSPENDED:
            decided[account.id][user.name] = decide(as_account(account), as_user(account, user)).basis

    assert decided == EXPECTED


def test_four_of_the_seven_are_safelisted() -> None:
    assert sorted(user for user, basis in EXPECTED["557190284613"].items() if basis == "SAFELISTED") == [
        "cc-aurora-developer",
        "cc-ec2-developers",
        "cc-platform-admin",
        "cc-rds-manager",
    ]


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_the_safelist_is_a_valid_file_of_this_organization(day: date) -> None:
    safelist = parse([SafelistText(path="safelist.yaml", text=safelist_text(day))])

    assert check_organization(safelist, "o-demosample") == ()
    assert [entry.value for entry in safelist.entries if entry.invalid] == ["redshift-loader"]
    assert "<" not in safelist_text(day)


def test_the_safelist_is_read_without_scrolling_sideways() -> None:
    assert max(map(len, safelist_text(DAYS[0]).splitlines())) <= 120


def test_each_account_has_an_owner_but_the_one_that_nobody_claims() -> None:
    owners = {row["account_id"]: row["account_owner"] for row in csv.DictReader(account_owners_text().splitlines())}

    assert {account.id for account in ACCOUNTS} - set(owners) == {"905517342286"}
    assert owners[MANAGEMENT.id] == "Cloud Platform"
    assert all(owners.values())


def test_the_files_are_written_where_they_are_asked_for(tmp_path: Path) -> None:
    written = write_files(tmp_path / "new" / "folder", DAYS[0])

    assert written.safelist.read_text(encoding="utf-8") == safelist_text(DAYS[0])
    assert written.account_owners.read_text(encoding="utf-8") == account_owners_text()


def test_a_safelist_that_was_changed_is_kept(tmp_path: Path) -> None:
    """A demo that is served again begins anew; what was approved in the one before is not lost."""
    written = write_files(tmp_path, DAYS[0])
    write_files(tmp_path, DAYS[0])
    assert not list(tmp_path.glob("*.bak"))
    written.safelist.write_text("version: 1\nglobal: [mine]\n", encoding="utf-8")
    assert write_files(tmp_path, DAYS[0]).kept == tmp_path / "safelist.yaml.bak"
    assert write_files(tmp_path, DAYS[0]).kept is None
    assert written.safelist.read_text(encoding="utf-8") == safelist_text(DAYS[0])
    assert (tmp_path / "safelist.yaml.bak").read_text(encoding="utf-8") == "version: 1\nglobal: [mine]\n"


def test_the_settings_lead_to_the_sample_s_own_files_and_a_changed_file_is_kept(tmp_path: Path) -> None:
    written = write_files(tmp_path / "it's here", DAYS[0])
    folder = write_settings(written, tmp_path / "runs")
    file = folder / "config/scanner.yaml"
    settings = load({}, {}, file)
    assert settings.output == tmp_path / "runs"
    assert settings.safelist == (written.safelist,)
    assert settings.account_owners == written.account_owners
    file.write_text("role_name: mine\n", encoding="utf-8")
    write_settings(written, tmp_path / "runs")
    assert file.with_name("scanner.yaml.bak").read_text(encoding="utf-8") == "role_name: mine\n"


@pytest.mark.parametrize("name", ["a\x7fb", "a\udcffb", "a\x85b"])
def test_a_path_that_no_settings_file_can_hold_is_refused(tmp_path: Path, name: str) -> None:
    written = SampleFiles(safelist=tmp_path / name / "safelist.yaml", account_owners=tmp_path / "owners.csv")
    with pytest.raises(UsageError, match="a settings file cannot hold this path"):
        write_settings(written, tmp_path)
