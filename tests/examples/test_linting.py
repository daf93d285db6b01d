"""What is offered to be deployed passes the linters of its kind, and is scoped where AWS allows it."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.core import get_rules
from cfnlint.data import AdditionalSpecs
from cfnlint.helpers import load_resource

from scanner.roles.documents import documents
from scanner.roles.template import as_yaml, template
from tests.aws_documents import PLAIN, files
from tests.examples.reading import STACK, WORKFLOW, role_policies, stack, workflow
from tests.roles.policies import by_sid, filled_in, listed
from tests.roles.test_deployment import ACCOUNT, ROLE, made

MATCHING_RESOURCES = "I3510"  # whether the resources of a statement are such as its actions are checked on
NO_CONTEXT = "I4010"  # asks for notes to language models
ELSEWHERE = made(ROLE, "arn:aws:iam::444455556666:root", role_name="Audit", hub_role_arn=f"{ACCOUNT}role/Hub")
TEMPLATES = {
    **{name: text for name, text in files().items() if name.endswith(".yaml")},
    "filled in": as_yaml(template(ELSEWHERE, remediation=True)),
    "basic": as_yaml(template(made(ROLE, evidence="basic"), remediation=False)),
    STACK.name: STACK.read_text(encoding="utf-8"),
}
# Checked on no resource that could be named: `test_a_wildcard_stands_only_where_nothing_narrower_does` says why.
ON_EVERYTHING = {
    ("MemberRole", "iam:ListServiceSpecificCredentials"),
    ("ReadOwnAccount", "iam:ListServiceSpecificCredentials"),
}


@cache
def _rules() -> Any:
    return get_rules([], [NO_CONTEXT], [MATCHING_RESOURCES])


def faults(text: str) -> list[str]:
    config: Any = {"include_checks": [MATCHING_RESOURCES], "ignore_checks": [NO_CONTEXT]}
    return [f"{match.linenumber}: {match.rule.id} {match.message}" for match in lint(text, _rules(), config=config)]


@pytest.mark.parametrize("name", TEMPLATES)
def test_cloudformation_takes_the_template(name: str) -> None:
    assert faults(TEMPLATES[name]) == []


@pytest.mark.parametrize(("right", "wrong"), [("RoleName:", "Rolename:"), ("arn:${AWS::Partition}:iam::*:mfa/*", "*")])
def test_the_linter_sees_what_is_wrong(right: str, wrong: str) -> None:
    text = TEMPLATES["member-role-with-remediation.yaml"]
    assert right in text
    assert faults(text.replace(right, wrong)) != []


def test_the_workflow_is_one_and_its_linter_finds_nothing() -> None:
    for command in (
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(WORKFLOW)],
        ["zizmor", "--offline", "--no-progress", "--no-config", "--persona", "pedantic", str(WORKFLOW)],
    ):
        tool = Path(sys.executable).with_name(command[0])
        done = subprocess.run([tool, *command[1:]], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def allowed() -> list[tuple[str, str, Any]]:
    """Every statement that allows something, as its name, an action and its resources."""
    policies = documents(PLAIN, remediation=True) | documents(ELSEWHERE, remediation=True)
    own = [policy for name, policy in policies.items() if "trust" not in name and name != "delegation"]
    own += [policy for role in ("Caller", "Starter") for policy in role_policies(role).values()]
    return [
        (each.get("Sid", ""), action, listed(each["Resource"]))
        for policy in own
        for each in policy["Statement"]
        if each["Effect"] == "Allow"
        for action in listed(each["Action"])
    ]


def kind_of(arn: str) -> str:
    """What kind of resource an ARN names: "user" of `arn:aws:iam::*:user/*`."""
    return re.split("[/:]", arn.split(":", 5)[5])[0]


def test_a_wildcard_stands_only_where_nothing_narrower_does() -> None:
    """By the Service Authorization Reference, as the linter has it.

    Of ListServiceSpecificCredentials for all users at once, AWS does not say on which resource it is checked.
    """
    services = load_resource(AdditionalSpecs, "Policies.json")
    for sid, action, resources in allowed():
        service, _, name = action.partition(":")
        known = services[service]["Actions"][name.lower()]  # that there is no such action is a KeyError
        if "Resources" not in known or (sid, action) in ON_EVERYTHING:
            assert resources == ["*"], action
            continue
        formats = [services[service]["Resources"][kind.lower()]["ARNFormats"] for kind in known["Resources"]]
        # Of the stack, most are functions of CloudFormation, each of one resource.
        named = {kind_of(each) for each in resources if isinstance(each, str)}
        assert "*" not in resources, action
        assert not named or named & {kind_of(form) for each in formats for form in each}, (action, named)


def test_the_build_may_do_what_the_printed_policy_of_the_caller_allows() -> None:
    found = filled_in(role_policies("Caller")["Scan"], {"AWS::Partition": "aws", "RoleName": PLAIN.role_name})
    assert by_sid(found) == by_sid(documents(PLAIN, remediation=False)["caller"])


def test_the_guide_gives_every_parameter_that_has_no_default_and_names_the_outputs() -> None:
    text = (STACK.parent / "README.md").read_text(encoding="utf-8")
    needed = {name for name, parameter in stack()["Parameters"].items() if "Default" not in parameter}
    assert set(re.findall(r"\b([A-Z]\w+)=", text.split("--parameter-overrides")[1].split("```")[0])) == needed
    assert all(f"`{name}`" in text for name in ("CallerArn", "ExternalIdSecret"))
    assert {"CallerArn", "ExternalIdSecret"} <= stack()["Outputs"].keys()


def test_what_is_archived_cannot_be_changed_read_in_the_clear_or_made_public() -> None:
    bucket = stack()["Resources"]["Archive"]
    made_of = bucket["Properties"]
    assert made_of["VersioningConfiguration"] == {"Status": "Enabled"}
    assert made_of["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]["Days"] == {"Ref": "RetentionDays"}
    (encryption,) = made_of["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert set(made_of["PublicAccessBlockConfiguration"].values()) == {True}
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Retain", "Retain")
    (tls,) = stack()["Resources"]["ArchivePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (tls["Effect"], tls["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_no_workflow_action_is_named_by_a_tag_and_nothing_is_uploaded() -> None:
    (job,) = workflow()["jobs"].values()
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", name) for name in used)
    assert not [name for name in used if "artifact" in name or "cache" in name]
    assert job["permissions"] == {"contents": "read", "id-token": "write", "issues": "write"}
    assert workflow()["permissions"] == {}
