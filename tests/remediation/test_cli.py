"""`iam-scanner remediate` as people and scripts use it: what is shown, what is asked, and the exit codes."""

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from scanner.aws.clients import Meter
from scanner.cli.screen.remediation_progress import RemediationProgress
from scanner.model import Choice
from tests.aws_endpoint import Fault, deny
from tests.aws_endpoint.iam_state import LiveAccount
from tests.completing import offered
from tests.program import Done, program
from tests.remediation.site import RUN_ID, Site, changing, furnish


@pytest.fixture
def prod(site: Site) -> LiveAccount:
    prod = site.account()
    furnish(prod)
    furnish(prod, "bob")
    site.decide({"alice": Choice.REMOVE, "bob": Choice.QUARANTINE})
    return prod


def remediate(site: Site, *arguments: object) -> Done:
    return program("remediate", *arguments, "--safelist", site.safelist)


def plan_id(done: Done) -> str:
    return str(done.document["plan_id"])


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_from_plan_to_undo(site: Site, prod: LiveAccount) -> None:
    before = prod.snapshot()
    with site.serving() as endpoint:
        made = remediate(site, "plan", site.removals)
        assert made.exit_code == 0, made.err
        for shown in (
            "1 user to remove, 1 user to quarantine, in 1 account",
            "2 access keys (1 inactive)",
            "commands.sh",
        ):
            assert shown in made.out
        assert "Remove, decided by ciso@example.com" in made.out
        assert "console password, 2 access keys (1 inactive)" in made.out
        (folder,) = site.output.glob("*-remediation/*")
        dry = remediate(site, "apply", folder.name)
        assert dry.exit_code == 0
        assert re.search("DeleteLoginProfile +takes away the password, which nobody can restore", dry.out)
        command = f"iam-scanner remediate apply {folder.name} --safelist nobody.yaml --execute"
        assert dry.out.endswith(f"Nothing was changed. To do it:\n{command}\n")
        assert changing(endpoint.calls) == []
        assert prod.kept == before
        bob = remediate(site, "apply", folder.name, "--execute", "--yes", "--user", "bob")
        assert bob.exit_code == 0, bob.err
        assert "1 DONE" in bob.out
        dry = program("remediate", "undo", folder.name)
        assert (dry.exit_code, changing(endpoint.calls)) == (0, ["AttachUserPolicy", "UpdateAccessKey"])
        assert re.search("1. +UpdateAccessKey AKIABOB1 +makes the access key active again", dry.out)
        assert re.search("2. +DetachUserPolicy arn:aws:iam::aws:policy/AWSDenyAll +takes the deny off again", dry.out)
        undone = program("remediate", "undo", folder.name, "--execute", "--yes")
        assert undone.exit_code == 0, undone.err
        assert "1 UNDONE" in undone.out
        assert prod.kept == before
        alice = remediate(site, "apply", folder.name, "--execute", "--yes", "--account", prod.id)
        assert alice.exit_code == 0, alice.err
        assert "1 DONE, 1 UNDONE" in alice.out
    status = program("remediate", "status", folder.name)
    assert status.exit_code == 0
    assert "temporary credentials that its keys made may be valid until" in status.out
    assert "sessions of roles that it assumed may last until" in status.out
    assert set(prod.kept.users) == {"bob"}


def test_the_number_of_users_is_asked_for(site: Site, prod: LiveAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    with site.serving():
        plan = plan_id(remediate(site, "plan", site.removals, "--json"))
        for answer in ("", "\n", "1\n", "yes\n", "3\n"):
            typed(monkeypatch, answer)
            done = remediate(site, "apply", plan, "--execute")
            assert done.exit_code == 2
            assert "Type the number of users, 2, to confirm:" in done.err
            assert "The number was not confirmed: nothing was changed" in done.err
        assert prod.made == []
        typed(monkeypatch, "2\n")
        assert remediate(site, "apply", plan, "--execute").exit_code == 0
    assert set(prod.kept.users) == {"bob"}


def test_for_scripts_stdout_is_one_document(site: Site, prod: LiveAccount) -> None:
    with site.serving():
        made = remediate(site, "plan", site.removals, "--json").document
        assert [user["user_name"] for user in made["users"]] == ["alice", "bob"]
        assert made["users"][1]["calls"][0].startswith("AttachUserPolicy")
        assert len(made["sha256"]) == 64
        dry = remediate(site, "apply", made["plan_id"], "--json").document
        assert dry["executed"] is False
        assert {call["action"] for call in dry["calls"]} >= {"DeleteUser", "UpdateAccessKey"}
        ended = remediate(site, "apply", made["plan_id"], "--execute", "--yes", "--json").document
        assert {user["user_name"]: user["outcome"] for user in ended["users"]} == {"alice": "DONE", "bob": "DONE"}
        status = program("remediate", "status", made["plan_id"], "--json").document
        assert status["users"][0]["may_still_be_valid"]["tokens_until"].endswith("Z")
        json.dumps(status)


def test_tab_offers_the_plans_the_newest_first(site: Site, prod: LiveAccount) -> None:
    with site.serving():
        plans = [remediate(site, "plan", site.removals, "--user", name, "--json") for name in ("alice", "bob")]
    ids = sorted((plan_id(made) for made in plans), reverse=True)
    for command in ("apply", "undo", "status"):
        assert offered("remediate", command, "") == [f"{name}\tof run {RUN_ID}" for name in ids]


def test_quiet_prints_where_the_plan_and_the_results_are(site: Site, prod: LiveAccount) -> None:
    with site.serving():
        made = remediate(site, "plan", site.removals, "--quiet")
        folder = Path(made.out.strip())
        assert (folder / "plan.json").is_file()
        assert made.err == ""
        ended = remediate(site, "apply", folder, "--execute", "--yes", "--quiet")
        assert Path(ended.out.strip()) == folder / "results.csv"


CODES: dict[str, tuple[list[Fault], int]] = {
    "all done": ([], 0),
    "one refused": ([], 3),
    "one failed": ([Fault("iam:DeleteUser", deny)], 4),
}


@pytest.mark.parametrize(("faults", "code"), CODES.values(), ids=CODES)
def test_exit_codes_of_apply_and_status(site: Site, prod: LiveAccount, faults: list[Fault], code: int) -> None:
    with site.serving() as endpoint:
        plan = plan_id(remediate(site, "plan", site.removals, "--json"))
        if code == 3:
            prod.kept.users["bob"].keys["AKIANEW"] = next(iter(prod.kept.users["bob"].keys.values()))
        endpoint.faults.rules += faults
        assert remediate(site, "apply", plan, "--execute", "--yes").exit_code == code
    assert program("remediate", "status", plan).exit_code == code


def test_exit_codes_of_plan(site: Site, prod: LiveAccount) -> None:
    with site.serving(Fault("sts:AssumeRole", deny)):
        failed = remediate(site, "plan", site.removals)
        assert failed.exit_code == 4
        assert "ROLE_NOT_ASSUMABLE" in failed.out
    del prod.kept.users["bob"]
    prod.sync()
    with site.serving():
        refused = remediate(site, "plan", site.removals)
        assert refused.exit_code == 3
        assert "USER_GONE" in refused.out
        assert "Spared: not in the plan" in refused.out


def test_no_credentials_is_exit_5(site: Site, prod: LiveAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    with site.serving():
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        assert remediate(site, "plan", site.removals).exit_code == 5


WRONG: dict[str, list[Any]] = {
    "no source": [],
    "a run without --quarantine": [RUN_ID],
    "an unknown option": ["--force", "x"],
    "no user at all": ["reports/nowhere.json"],
    "no number": ["reports/nowhere.json", "--max-users", "0"],
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG)
def test_wrong_usage_is_exit_2(site: Site, prod: LiveAccount, arguments: list[str]) -> None:
    assert program("remediate", "plan", *arguments).exit_code == 2


def test_quarantine_of_a_run(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    site.scan()
    with site.serving():
        made = remediate(site, "plan", RUN_ID, "--quarantine")
    assert made.exit_code == 0, made.err
    assert "1 user to quarantine" in made.out
    assert "Nobody approved it: No entry matches." in made.out


def test_the_role_of_the_plan_is_assumed_and_never_the_scan_s(site: Site, prod: LiveAccount) -> None:
    with site.serving() as endpoint:
        plan = plan_id(remediate(site, "plan", site.removals, "--json", "--role-name", "ops/Remediator"))
        remediate(site, "apply", plan, "--execute", "--yes", "--user", "bob")
        assert {session.role_arn.partition(":role/")[2] for session in endpoint.sessions} == {"ops/Remediator"}
        endpoint.sessions.clear()
        remediate(site, "plan", site.removals, "--user", "alice", "--external-id", "remediation-7")
        assert {session.role_arn.partition(":role/")[2] for session in endpoint.sessions} == {"IamScannerRemediation"}
        assert {session.external_id for session in endpoint.sessions} == {"remediation-7"}


def test_names_are_shown_as_they_are_and_nothing_in_them_is_obeyed(site: Site) -> None:
    prod = site.account("[red]prod\x1b[31m")
    furnish(prod, "=1+1")
    site.decide({"=1+1": Choice.REMOVE}, comment="[bold]\x1b]0;x\x07 :smile:")
    with site.serving():
        made = remediate(site, "plan", site.removals)
    assert "\x1b" not in made.out
    assert r"[red]prod\x1b[31m" in made.out
    assert ":smile:" in made.out
    (folder,) = site.output.glob("*-remediation/*")
    assert "'=1+1" in (folder / "plan.csv").read_text(encoding="utf-8-sig")


@pytest.mark.parametrize("command", ["plan", "apply", "undo", "status"])
def test_help_shows_an_example(command: str) -> None:
    done = program("remediate", command, "--help")
    assert done.exit_code == 0
    assert f"Example: iam-scanner remediate {command}" in " ".join(done.out.split())


def test_the_progress_counts_users_by_how_they_ended() -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=120)
    meter = Meter(throttled=7)
    with RemediationProgress(screen, quiet=False) as progress:
        progress.says("Carrying out the plan")
        progress.expects(3)
        progress.finished("DONE", meter)
        progress.finished("REFUSED", meter)
        figures = progress._bar.tasks[0].fields["figures"]
    assert figures == "2/3 users · 1 DONE · 1 REFUSED · 7 throttled"
