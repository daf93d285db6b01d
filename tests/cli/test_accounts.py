"""`accounts`: the organization as a tree, with what a scan would do, and without entering any account."""

from pathlib import Path

import pytest

from tests.aws_endpoint import DELEGATED_KEY, MANAGEMENT_KEY, Endpoint, Fault, after, deny, organization, running
from tests.program import PROD, Done, calling, ids, named, program, small_world, unit

pytestmark = pytest.mark.usefixtures("workplace")


def accounts(endpoint: Endpoint, *arguments: str, key: str = MANAGEMENT_KEY) -> Done:
    with calling(endpoint, key):
        return program("accounts", *arguments)


def plans(done: Done) -> dict[str, str]:
    return {row["account_name"]: row["plan"] for row in done.document["accounts"]}


def test_the_tree_shows_each_account_under_its_ou() -> None:
    world = small_world()
    with running(world) as endpoint:
        done = accounts(endpoint)
    assert done.exit_code == 0
    lines = done.out.splitlines()
    for name in ("Root", "Workloads", "Prod", "Payments", "Core", "Dev", "Sandbox"):
        assert any(f" {name} " in f" {line} " for line in lines), name
    prod, payments = (next(at for at, line in enumerate(lines) if name in line) for name in ("Prod  ", "payments-1"))
    assert prod < payments
    assert lines[prod].index("Prod") < lines[payments].index(named(world, "payments-1").id)
    assert "7 accounts listed = 7 to scan" in done.out


def test_what_a_scan_would_do_with_each_account() -> None:
    world = small_world()
    named(world, "core").state = "SUSPENDED"
    options = ("--ou", "Root/Workloads", "--exclude-account", named(world, "dev").id, "--json")
    with running(world) as endpoint:
        done = accounts(endpoint, *options)
    assert plans(done) == {
        "management": "outside the scope",
        "sandbox": "outside the scope",
        "prod": "scan",
        "payments-1": "scan",
        "payments-2": "scan",
        "core": "inactive",
        "dev": "excluded",
    }


def test_no_role_is_assumed_and_no_account_is_asked() -> None:
    with running(small_world()) as endpoint:
        accounts(endpoint)
    assert endpoint.calls_to("sts:AssumeRole") == []
    assert not [call for call in endpoint.calls if call.service == "iam"]


def test_nothing_is_written(workplace: Path) -> None:
    with running(small_world()) as endpoint:
        accounts(endpoint)
    assert [path.name for path in workplace.iterdir()] == ["nobody.yaml"]


def test_it_needs_no_safelist(workplace: Path) -> None:
    (workplace / "nobody.yaml").unlink()
    with running(small_world()) as endpoint:
        assert accounts(endpoint).exit_code == 0


def test_with_json_stdout_is_one_document_with_ids_as_text() -> None:
    world = small_world()
    with running(world) as endpoint:
        document = accounts(endpoint, "--json").document
    assert document["organization"] == world.id
    assert document["population_known"] is True
    assert {row["account_id"] for row in document["accounts"]} == ids(world)
    (core,) = (row for row in document["accounts"] if row["account_name"] == "core")
    assert core == {
        "account_id": named(world, "core").id,
        "account_name": "core",
        "state": "ACTIVE",
        "ou_path": "Root/Workloads/Prod/Core",
        "ou_id": unit(world, "Core"),
        "plan": "scan",
        "detail": "",
    }


def test_a_scan_does_what_was_shown() -> None:
    world = small_world()
    options = ("--ou", "Root/Workloads/Prod", "--exclude-ou", "Root/Workloads/Prod/Core")
    with running(world) as endpoint:
        shown = {name for name, plan in plans(accounts(endpoint, "--json", *options)).items() if plan == "scan"}
        with calling(endpoint):
            program("scan", "--safelist", "nobody.yaml", "--format", "csv", *options)
    assert shown == set(PROD) - {"core"}
    assert {call.account_id for call in endpoint.calls_to("iam:ListUsers")} == ids(world, *shown)


def test_an_account_without_a_place_is_shown_apart() -> None:
    world = small_world()
    with running(world, [Fault("organizations:ListRoots", deny, when=after(1))]) as endpoint:
        done = accounts(endpoint)
        as_document = accounts(endpoint, "--json")
    assert done.exit_code == 0
    assert "(place in the organization unknown)" in done.out
    assert as_document.exit_code == 5  # by then nothing can be listed at all


def test_a_listing_that_breaks_off_says_that_there_may_be_more() -> None:
    with running(organization(60, 0, ous=4), [Fault("organizations:ListAccounts", deny, when=after(1))]) as endpoint:
        done = accounts(endpoint)
    assert "population unknown" in done.out
    with running(organization(60, 0, ous=4), [Fault("organizations:ListAccounts", deny, when=after(1))]) as endpoint:
        assert accounts(endpoint, "--json").document["population_known"] is False


def test_an_unknown_ou_is_refused() -> None:
    with running(small_world()) as endpoint:
        done = accounts(endpoint, "--ou", "Root/Workload")
    assert done.exit_code == 2
    assert "Root/Workloads" in done.err


def test_a_name_with_control_characters_cannot_steer_the_terminal() -> None:
    world = small_world()
    named(world, "dev").name = "dev\x1b[2J\n[red]x"
    with running(world) as endpoint:
        done = accounts(endpoint)
    assert "\x1b" not in done.out
    assert "dev\\x1b[2J\\n[red]x" in done.out


def test_accounts_of_a_file_are_shown_without_organizations() -> None:
    world = small_world()
    Path("accounts.csv").write_text(
        f"account_id,account_name,ou_path\n{named(world, 'dev').id},dev,Root/Dev\n", encoding="utf-8"
    )
    with running(world, [Fault("organizations:*", deny)]) as endpoint:
        done = accounts(endpoint, "--accounts-file", "accounts.csv", "--json")
    assert plans(done) == {"dev": "scan"}
    assert done.document["organization"] is None


def test_a_delegated_administrator_sees_the_tree_too() -> None:
    world = small_world()
    world.delegated_administrators.append(named(world, "core").id)
    with running(world) as endpoint:
        assert len(plans(accounts(endpoint, "--json", key=DELEGATED_KEY))) == 7
