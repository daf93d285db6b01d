from scanner.model import Choice
from tests.aws_endpoint.iam_state import LiveKey
from tests.remediation.site import LONG_AGO, Site, words, spared


def test_smoke(site: Site) -> None:
    prod = site.account()
    prod.group("devs", attached=[prod.aws_policy("ReadOnlyAccess")])
    prod.user("alice", password=True, keys={"AKIAALICE1": LiveKey(last_used=LONG_AGO), "AKIAALICE2": LiveKey(active=False)}, mfa=[prod.device("alice")], groups=["devs"], inline={"deploy": '{"Statement":[]}'}, attached=[prod.aws_policy("ReadOnlyAccess")], certificates={"CERT1": LiveKey(active=False)}, ssh_keys={"APKA1": LiveKey(active=False)}, service_credentials={"ACCA1": LiveKey(active=False)})
    prod.user("bob", keys={"AKIABOB1": LiveKey(last_used=LONG_AGO), "AKIABOB2": LiveKey(active=False)})
    site.decide({"alice": Choice.REMOVE, "bob": Choice.QUARANTINE})
    before = prod.snapshot()
    with site.serving() as endpoint:
        made = site.plan()
        assert spared(made) == {}
        assert prod.made == []
        ended = site.apply(made)
        print(ended.outcomes)
        assert words(ended) == {"alice": "DONE", "bob": "DONE"}
        assert set(prod.kept.users) == {"bob"}
        undone = site.undo(made)
        print(undone.concluded)
        assert words(undone) == {"alice": "DONE", "bob": "UNDONE"}
        assert prod.kept.users["bob"] == before.users["bob"]
    print((made.folder/"commands.sh").read_text()); print((made.folder/"results.csv").read_text())
    print([c.name for c in endpoint.calls])
