"""What is expected of the users of the demo's sample organization."""

from datetime import UTC, date, datetime

from scanner.model import Basis

SAFELISTED = Basis.SAFELISTED
NOT_SAFELISTED = Basis.NOT_SAFELISTED

# Account id → user → basis, under the demo's safelist on the demo's day. SAFELISTED is APPROVED, the rest UNAPPROVED.
EXPECTED: dict[str, dict[str, Basis]] = {
    "000123456789": {
        "cc-platform-admin": SAFELISTED,
        "forensics-analyst": SAFELISTED,
        "guardduty-export": Basis.APPROVAL_EXPIRED,
        "siem-collector": SAFELISTED,
    },
    "210987654321": {
        "billing-export": SAFELISTED,
        "cc-platform-admin": SAFELISTED,
        "org-inventory": SAFELISTED,
        "root-helper": NOT_SAFELISTED,
    },
    "214365870921": {},
    "557190284613": {
        "cc-accounting-dep": NOT_SAFELISTED,
        "cc-aurora-developer": SAFELISTED,
        "cc-ec2-developers": SAFELISTED,
        "cc-iam-manager": NOT_SAFELISTED,
        "cc-platform-admin": SAFELISTED,
        "cc-rds-manager": SAFELISTED,
        "cc-sysops-admin": NOT_SAFELISTED,
    },
    "557302918845": {
        "cc-platform-admin": SAFELISTED,
        "cc-rds-manager": Basis.USER_RECREATED,
        "cc-rds-manger": NOT_SAFELISTED,
        "ledger-batch": SAFELISTED,
    },
    "602914873315": {
        "backup-operator": SAFELISTED,
        "cc-platform-admin": SAFELISTED,
        "ci-deploy-core": SAFELISTED,
        "ci-images": SAFELISTED,
        "k.watanabe": NOT_SAFELISTED,
        "terraform-apply": Basis.REVOKED,
    },
    "618840027593": {
        "a.lindqvist": NOT_SAFELISTED,
        "b.okafor": NOT_SAFELISTED,
        "c.moreau": NOT_SAFELISTED,
        "cc-platform-admin": SAFELISTED,
        "ci-data-pipeline": SAFELISTED,
        "d.ivanova": NOT_SAFELISTED,
        "data-science-shared": NOT_SAFELISTED,
        "etl-adhoc": NOT_SAFELISTED,
        "etl-nightly": SAFELISTED,
        "kafka-connect": NOT_SAFELISTED,
        "looker-reader": NOT_SAFELISTED,
        "redshift-loader": Basis.APPROVAL_INVALID,
        "snowflake-stage": NOT_SAFELISTED,
        "tableau-extract": NOT_SAFELISTED,
        "temp-migration": NOT_SAFELISTED,
    },
    "731920465582": {
        "cc-aurora-developer": NOT_SAFELISTED,
        "ci-payments-dev": SAFELISTED,
        "integration-test": Basis.APPROVAL_NOT_STARTED,
        "m.rossi": NOT_SAFELISTED,
    },
    "745561209938": {
        "CC-Platform-Admin": SAFELISTED,
        "ci-core-dev": SAFELISTED,
        "j.novak": NOT_SAFELISTED,
        "localstack-test": NOT_SAFELISTED,
    },
    "753300918274": {
        "ci-artifacts": SAFELISTED,
        "ci-runner-arm": SAFELISTED,
        "ci-runner-linux": SAFELISTED,
        "cicd-legacy": NOT_SAFELISTED,
    },
    "860012457739": {
        "BedrockAPIKey-abcd": NOT_SAFELISTED,
        "alice.sandbox": NOT_SAFELISTED,
        "hackathon-winner": NOT_SAFELISTED,
    },
    "872219904456": {
        "ml-trainer": SAFELISTED,
        "notebook-shared": NOT_SAFELISTED,
    },
    "905517342286": {
        "=1+1": NOT_SAFELISTED,
        "magento-cron": NOT_SAFELISTED,
        "paul.shop": NOT_SAFELISTED,
        "ses-smtp-relay": NOT_SAFELISTED,
        "shop-ftp-sync": NOT_SAFELISTED,
        "webmaster": NOT_SAFELISTED,
    },
}
SUSPENDED = "889930174520"  # SKIPPED: nothing of it is read

APPROVED_USERS = sum(basis is SAFELISTED for users in EXPECTED.values() for basis in users.values())
UNAPPROVED_USERS = sum(len(users) for users in EXPECTED.values()) - APPROVED_USERS


def utc_today() -> date:
    return datetime.now(UTC).date()
