"""What `role` prints beside the template: the policies one below the other, and what to do next."""

import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from scanner.roles.deployment import Deployment
from scanner.roles.documents import Policy
from scanner.roles.template import MANAGEMENT_ACCOUNT, REMEDIATION_THERE

_FILE = "iam-scanner-role.yaml"
_WIDTH = 79

Step = tuple[str, Sequence[str]]

_REGIONS: Final = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
_PURPOSES: Final = {
    "caller": "permissions of whoever runs the scan",
    "hub": "permissions of the hub role",
    "hub_trust": "trust policy of the hub role",
    "organizations": "permissions of the role that reads AWS Organizations",
    "organizations_trust": "trust policy of that role",
    "delegation": "for the delegation policy of the organization, in the management account; needed unless the caller "
    "is there, or in an account that is a delegated administrator for an AWS service",
    "archive": "permissions of the role that reads and writes the archive",
    "archive_trust": "trust policy of that role",
    "member": "permissions of the role {role} in each account",
    "trust": "trust policy of that role",
    "remediation": "permissions of the role {remediation} in each account",
    "remediation_trust": "trust policy of that role",
    "remediation_caller": "permissions of whoever runs remediate",
    "keep_deny": "service control policy: nobody but the remediation role takes AWSDenyAll off a user",
}


def policies(documents: Mapping[str, Policy], deployment: Deployment) -> str:
    """Each policy below its name and what it is for."""
    names = {"role": deployment.role_name, "remediation": deployment.remediation_role_name}
    return "\n".join(
        f"{_wrapped(f'{name}: {_PURPOSES[name].format(**names)}', '# ')}\n{json.dumps(document, indent=2)}\n"
        for name, document in documents.items()
    )


_ANY_REGION = "<any Region of the partition>"
_EVERYWHERE = (
    "Deploy it to every account, new ones too, from the management account, as a service-managed StackSet (r-abcd is "
    "the ID of your root; iam-scanner accounts shows it):"
)
_ATTACH = (
    "Attach the policy of the caller, and those of other roles that the scan uses, which the first command prints; "
    "see what is missing, and scan:"
)
_REMEDIATE = (
    "Make the role that runs remediate, and attach its policy, remediation_caller. The remediation role asks for its "
    "own external ID: give it to each remediate command, as the environment has that of the scan:"
)


def after_template(deployment: Deployment, *, remediation: bool, is_saved: bool, again: Sequence[str]) -> str:
    """What to do with the template; `is_saved`: it did not go to a terminal; `again`: the options that were typed."""
    parameters = _parameters(deployment, remediation=remediation)
    plain = [f"{name}={value}" for name, value in parameters.items()]
    there = " ".join((*MANAGEMENT_ACCOUNT, *((REMEDIATION_THERE,) if remediation else ())))
    second = ["export REMEDIATION_EXTERNAL_ID=$(openssl rand -hex 16)"] if remediation else []
    save = f"Save the template as {_FILE}: add > {_FILE} to the command."
    steps: list[Step] = [
        (f"The commands below take the template from {_FILE}: save it there." if is_saved else save, []),
        (
            "Choose an external ID, unless there is one. It is a secret: the role asks for it, the scan gives it.",
            ["export IAM_SCANNER_EXTERNAL_ID=$(openssl rand -hex 16)", *second],
        ),
        (_EVERYWHERE, _stack_set(parameters, _REGIONS.get(deployment.partition, _ANY_REGION))),
        (
            f"{there} As a stack:",
            [
                _command(
                    "aws cloudformation deploy --stack-name iam-scanner",
                    f"--template-file {_FILE} --capabilities CAPABILITY_NAMED_IAM",
                    "--parameter-overrides",
                    *plain,
                )
            ],
        ),
        (
            _ATTACH,
            [
                _command("iam-scanner role --format policy", *again),
                _with_access("doctor", deployment),
                _with_access("scan", deployment),
            ],
        ),
    ]
    if remediation:
        command = 'iam-scanner remediate plan REMOVALS.json --external-id "$REMEDIATION_EXTERNAL_ID"'
        steps.append((_REMEDIATE, [command]))
    return _numbered(steps, _notes(deployment, remediation=remediation))


def _stack_set(parameters: Mapping[str, str], region: str) -> list[str]:
    """The commands that deploy the template to every account of the organization but the management account."""
    return [
        "aws cloudformation activate-organizations-access",
        _command(
            "aws cloudformation create-stack-set --stack-set-name iam-scanner",
            f"--template-body file://{_FILE}",
            "--permission-model SERVICE_MANAGED",
            "--auto-deployment Enabled=true,RetainStacksOnAccountRemoval=false",
            "--capabilities CAPABILITY_NAMED_IAM",
            "--parameters",
            *(f"ParameterKey={name},ParameterValue={value}" for name, value in parameters.items()),
        ),
        _command(
            "aws cloudformation create-stack-instances --stack-set-name iam-scanner",
            f"--regions {region} --deployment-targets OrganizationalUnitIds=r-abcd",
            "--operation-preferences",
            "MaxConcurrentPercentage=100,FailureTolerancePercentage=100",
        ),
    ]


def after_policies(deployment: Deployment, *, remediation: bool) -> str:
    """What to do with the bare policies."""
    fill_in = (
        "Replace what is in angle brackets: IAM takes no trust policy with such a principal, and STS no such "
        "external ID. The external ID is a secret that the scan gives (IAM_SCANNER_EXTERNAL_ID)."
    )
    everywhere = (
        "Make the role in every account, and in each new one. The management account needs it too, unless the scan "
        "runs there: the account in which the scan runs is read with the caller's own credentials."
    )
    commands = [_with_access(command, deployment) for command in ("doctor", "scan")]
    steps: list[Step] = [(fill_in, []), (everywhere, []), ("See what is missing, and scan:", commands)]
    return _numbered(steps, _notes(deployment, remediation=remediation))


def _with_access(command: str, deployment: Deployment) -> str:
    others = {
        "--hub-role-arn": deployment.hub_role_arn,
        "--organizations-role-arn": deployment.organizations_role_arn,
        "--archive": deployment.archive and deployment.archive.uri(),
        "--archive-role-arn": deployment.archive_role_arn,
    }
    given = [f"{option} {arn}" for option, arn in others.items() if arn]
    return _command(f"iam-scanner {command} --role-name {deployment.role_name}", *given)


def _parameters(deployment: Deployment, *, remediation: bool) -> dict[str, str]:
    """The parameters of the template; the secrets by the variables that hold them."""
    found = {} if deployment.trusted else {"CallerArn": "<ARN of the caller>"}
    found["ExternalId"] = '"$IAM_SCANNER_EXTERNAL_ID"'
    if remediation:
        found["DeployRemediationRole"] = "true"
        found["RemediationCallerArn"] = "<ARN of the role that runs remediate>"
        found["RemediationExternalId"] = '"$REMEDIATION_EXTERNAL_ID"'
    return {name: f"'{value}'" if value.startswith("<") else value for name, value in found.items()}


def _notes(deployment: Deployment, *, remediation: bool) -> Iterable[str]:
    for arn in deployment.whole_accounts:
        yield (
            f"{arn} trusts whoever in that account may call sts:AssumeRole. Name the role that scans to trust it alone."
        )
    if remediation:
        yield (
            "Whoever may assume the remediation role may delete any IAM user of the account. It trusts one role alone, "
            "which should not be that of the scan, and asks for an external ID of its own."
        )


def _numbered(steps: Iterable[Step], notes: Iterable[str]) -> str:
    lines = ["", "Next:"]
    for number, (text, commands) in enumerate(steps, 1):
        lines += ["", _wrapped(text, f"{number}. ", "   ")]
        lines += ["", *(textwrap.indent(command, "   ") for command in commands)] if commands else []
    for note in notes:
        lines += ["", _wrapped(note, "Note: ", "      ")]
    return "\n".join([*lines, ""])


def _wrapped(text: str, first: str, rest: str | None = None) -> str:
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _command(*parts: str) -> str:
    return " \\\n  ".join(parts)
