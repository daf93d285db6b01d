"""What planning finds out: what a person should know before, and whom it could not read."""

import json

from scanner.model import Choice
from scanner.remediation.limits import Allowances
from tests.aws_endpoint import Fault, deny
from tests.aws_endpoint.iam_state import LiveKey, LiveRole
from tests.remediation.site import NOW, Site, furnish, spared


def test_the_plan_notes_what_a_person_should_know_before(site: Site) -> None:
    prod = site.account()
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": prod.arn("user", "/", "BedrockAPIKey-x1")}}]}
    prod.live_roles.append(LiveRole(name="deployer", trust=json.dumps(trust)))
    prod.live_roles.append(LiveRole(name="other", trust='{"Statement":{"Principal":{"Service":"ec2.amazonaws.com"}}}'))
    prod.group("admins", attached=[prod.aws_policy("AdministratorAccess")])
    prod.user(
        "BedrockAPIKey-x1",
        keys={"AKIA1": LiveKey(last_used=NOW, used_for="bedrock")},
        service_credentials={"ACCA1": LiveKey(service="bedrock.amazonaws.com")},
        groups=["admins"],
        attached=[prod.aws_policy("AWSCompromisedKeyQuarantineV3")],
        boundary=prod.aws_policy("ReadOnlyAccess"),
    )
    site.decide({"BedrockAPIKey-x1": Choice.QUARANTINE})
    with site.serving():
        made = site.plan(allowances=Allowances(include_last_administrator=True))
    role, boundary = prod.arn("role", "/", "deployer"), prod.aws_policy("ReadOnlyAccess")
    exposed = "AWS, or somebody, found its keys exposed. See the support case before."
    assert list(made.plan.users[0].notes) == [
        f"Its access key AKIA1 was used on {NOW:%Y-%m-%d} for bedrock (us-east-1).",
        "AWS does not say when its service-specific credential ACCA1 for bedrock was last used.",
        "It is an administrator.",
        "It is the only member of the group admins.",
        "It is the only user of its account.",
        "Made by the Bedrock console for a long-term API key: what calls Bedrock with it stops working.",
        f"AWSCompromisedKeyQuarantineV3 is attached: {exposed}",
        f"The trust policy of {role} names it, and cannot be edited as it stands once the user is gone.",
        f"Its permissions boundary, {boundary}, is left as it is.",
    ]


def test_an_account_that_cannot_be_entered_is_said_in_the_plan(site: Site) -> None:
    prod, dev = site.account("prod"), site.account("dev")
    furnish(prod)
    furnish(dev, "bob")
    site.decide({"alice": Choice.REMOVE, "bob": Choice.REMOVE})
    with site.serving(Fault("sts:AssumeRole", deny, account=dev.id)):
        made = site.plan()
    assert [user.target.user_name for user in made.plan.users] == ["alice"]
    assert spared(made) == {"bob": "ROLE_NOT_ASSUMABLE"}
    assert made.exit_code == 4
