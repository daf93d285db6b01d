"""One quarter from scan to gone, by the commands that people type: scan, review, plan, apply, undo, apply, scan."""

from pathlib import Path

from tests.aws_endpoint.iam_state import LiveAccount
from tests.program import Done, program
from tests.remediation.site import Site, furnish
from tests.review.desk import Desk, decided

USERS = ("alice", "bob", "carol", "dave")
SAFELIST = "version: 1\nglobal:\n  - {user: dave, reason: needed}\n"


def scanned(endpoint: object) -> Path:
    """Scan; return the run's folder."""
    before = set(Path("reports").glob("2*Z-??????"))
    done = program("scan", "--safelist", "safelists", "--output", "reports", "--format", "xlsx", "--format", "csv")
    assert done.exit_code == 3, done.err
    (folder,) = set(Path("reports").glob("2*Z-??????")) - before
    return folder


def remediate(*arguments: object) -> Done:
    done = program("remediate", *arguments)
    assert done.exit_code == 0, done.out + done.err
    return done


def test_a_quarter_ends_with_the_removed_gone_and_diff_says_that_and_nothing_else(site: Site) -> None:
    prod = world(site)
    with site.serving() as endpoint:
        first = scanned(endpoint)
        desk = Desk(first)
        choices = {"prod/alice": "Remove", "prod/bob": "Remove", "prod/carol": "Quarantine"}
        book = desk.filled({user: decided(choice, ticket="SEC-140") for user, choice in choices.items()})
        imported = desk.imported(book, "--write")
        assert imported.exit_code == 0, imported.err
        before = prod.snapshot()
        made = program("remediate", "plan", desk.removals, "--safelist", "safelists", "--json")
        assert made.exit_code == 0, made.err
        plan = made.document["plan_id"]
        remediate("apply", plan, "--safelist", "safelists")
        assert prod.kept == before
        execute = ("--execute", "--yes")
        remediate("apply", plan, *execute, "--user", "carol", "--safelist", "safelists")
        assert prod.kept != before
        remediate("undo", plan, *execute)
        assert prod.kept == before
        remediate("apply", plan, *execute, "--safelist", "safelists")
        assert set(prod.kept.users) == {"carol", "dave"}
        second = scanned(endpoint)
    told = program("diff", first, second, "--json").document["changes"]
    assert {(row["user_name"], tuple(row["change"])) for row in told} == {("alice", ("GONE",)), ("bob", ("GONE",))}
    for run in (first, second):
        assert program("verify", run).exit_code == 0


def world(site: Site) -> LiveAccount:
    prod = site.account()
    for name in USERS:
        furnish(prod, name)
    Path("safelists").mkdir()
    Path("safelists/prod.yaml").write_text(SAFELIST, encoding="utf-8")
    return prod
