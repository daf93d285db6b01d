"""Three organizations of companies that have grown together, each scanned, in the current folder.

    o-acme000001  management, web, moved         alice, bob in each
    o-beta000002  management, shop, lab, moved   alice, bob in each; lab could not be read
    o-gama000003  management, app                dora in each

`moved` left Acme for Beta between the two scans, so it is in both runs, with the same users. Their safelists name the
organization; that of Gama does not, and holds the policy of all.
"""

from collections.abc import Sequence
from pathlib import Path

from tests.aws_endpoint import Fault, SimulatedOrganization, deny, running
from tests.aws_endpoint.organization import SimulatedUnit, account_id
from tests.program import named, scan

ACME, BETA, GAMA = "o-acme000001", "o-beta000002", "o-gama000003"
MOVED = account_id(99)
SAFELISTS = {
    "acme.yaml": f"version: 1\norganization: {ACME}\nglobal:\n  - {{user: alice, owner: ops@example.com}}\n",
    "beta.yaml": f"version: 1\norganization: {BETA}\nglobal: []\n",
    "all.yaml": "version: 1\npolicy: {require: [owner]}\nglobal: []\n",
}


def company(organization: str, first: int, accounts: Sequence[str], users: Sequence[str]) -> SimulatedOrganization:
    """An organization whose accounts have the numbers from `first` on."""
    root = SimulatedUnit(id="r-ex01", name="Root", parent_id=None)
    at = account_id(first)
    world = SimulatedOrganization(id=organization, management_account_id=at, root=root, ous={}, accounts={})
    world.add_account("management", id=at, roles=[])
    prod = world.add_ou("Prod")
    for number, name in enumerate(accounts, first + 1):
        world.add_account(name, prod.id, id=MOVED if name == "moved" else account_id(number))
    for account in world.accounts.values():
        for user in users:
            account.add_user(user)
    return world


def write_safelists() -> None:
    for name, text in SAFELISTS.items():
        Path(name).write_text(text, encoding="utf-8")


def scanned(world: SimulatedOrganization, *safelists: str, failing: str | None = None) -> Path:
    """A run of this organization in `reports`."""
    faults = [Fault("sts:AssumeRole", deny, account=named(world, failing).id)] if failing else []
    before = {path.name for path in Path("reports").glob("*")}
    with running(world, faults) as endpoint:
        first, *others = safelists
        more = [word for name in others for word in ("--safelist", name)]
        done = scan(endpoint, "--previous", "none", *more, safelist=first)
    assert done.exit_code == (4 if failing else 3), done.err
    (folder,) = (path for path in Path("reports").iterdir() if path.name not in before)
    return folder


def three() -> dict[str, Path]:
    """Scan all three, into the current folder; the run of each."""
    write_safelists()
    beta = company(BETA, 11, ["shop", "lab", "moved"], ["alice", "bob"])
    return {
        ACME: scanned(company(ACME, 1, ["web", "moved"], ["alice", "bob"]), "acme.yaml", "all.yaml"),
        BETA: scanned(beta, "beta.yaml", "all.yaml", failing="lab"),
        GAMA: scanned(company(GAMA, 21, ["app"], ["dora"]), "all.yaml"),
    }
