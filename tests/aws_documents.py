"""The files of config/aws/: what `role` prints, with placeholders.

    python -m tests.aws_documents

writes them again. `tests/roles/test_files.py` compares them.
"""

import json
from pathlib import Path

from scanner.roles.deployment import deployment
from scanner.roles.documents import documents
from scanner.roles.template import as_yaml, template
from scanner.settings import Settings

AWS = Path(__file__).parents[1] / "config/aws"
PLAIN = deployment(Settings(), (), remediation=True)
OTHER_ROLES = deployment(
    Settings(
        hub_role_arn="arn:aws:iam::111122223333:role/Hub",
        organizations_role_arn="arn:aws:iam::111122223333:role/Organizations",
        archive="s3://example-audit/iam-058",
        archive_role_arn="arn:aws:iam::111122223333:role/Archive",
    ),
    (),
    remediation=True,
)
JSON = {
    "caller-policy.json": "caller",
    "delegation-policy.json": "delegation",
    "keep-deny-scp.json": "keep_deny",
    "member-policy.json": "member",
    "member-trust-policy.json": "trust",
    "remediation-caller-policy.json": "remediation_caller",
    "remediation-policy.json": "remediation",
    "remediation-trust-policy.json": "remediation_trust",
}
JSON_OF_OTHER_ROLES = {
    "archive-policy.json": "archive",
    "hub-policy.json": "hub",
    "organizations-policy.json": "organizations",
}


def files() -> dict[str, str]:
    """Every file that config/aws/ should hold, with its text."""
    found = {
        "member-role.yaml": as_yaml(template(PLAIN, remediation=False)),
        "member-role-with-remediation.yaml": as_yaml(template(PLAIN, remediation=True)),
    }
    for of, names in ((PLAIN, JSON), (OTHER_ROLES, JSON_OF_OTHER_ROLES)):
        printed = documents(of, remediation=True)
        found |= {file: json.dumps(printed[name], indent=2) + "\n" for file, name in names.items()}
    return found


def main() -> None:
    for file in AWS.iterdir():
        file.unlink()
    for name, text in files().items():
        (AWS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
