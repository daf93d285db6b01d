"""The sample organization, as a table: accounts in their OUs, users with what they have and when they used it.

Plain data that imports no emulator; `scanner.demo.fill` builds it there. All numbers are days before the demo's day, so
that an old key is old whenever the demo runs.
"""

import base64
import hashlib
from dataclasses import dataclass, field

ORGANIZATION_ID = "o-demosample"
ROOT_ID = "r-demo"
REGION = "us-east-1"
CALLER_ROLE = "IamScannerCaller"
OWNER_TAG = "owner"  # of accounts

# Path below the root → id. Parents stand before their children.
OUS = {
    "Security": "ou-demo-security",
    "Workloads": "ou-demo-workloads",
    "Workloads/Prod": "ou-demo-workloadsprod",
    "Workloads/Prod/Payments": "ou-demo-payments",
    "Workloads/Prod/Core": "ou-demo-prodcore",
    "Workloads/Dev": "ou-demo-workloadsdev",
    "Sandbox": "ou-demo-sandboxes",
}

# Policy documents by name. The emulator has no AWS-managed policies: loading them takes 592 MB.
DOCUMENTS: dict[str, list[dict[str, object]]] = {
    "full-access": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    "manage-iam": [{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}],
    "describe-ec2": [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}],
    "read-tables": [{"Effect": "Allow", "Action": ["rds:Describe*", "rds-data:ExecuteStatement"], "Resource": "*"}],
    "read-logs": [{"Effect": "Allow", "Action": ["logs:Get*", "logs:FilterLogEvents"], "Resource": "*"}],
    "push-images": [{"Effect": "Allow", "Action": ["ecr:PutImage", "ecr:UploadLayerPart"], "Resource": "*"}],
    "write-bucket": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::example-exports/*"}],
    "run-backups": [  # the second makes its holder administrator, if it wants to
        {"Effect": "Allow", "Action": "backup:*", "Resource": "*"},
        {"Effect": "Allow", "Action": ["iam:CreateRole", "iam:AttachRolePolicy", "iam:PassRole"], "Resource": "*"},
    ],
}


@dataclass(frozen=True, slots=True)
class Key:
    """An access key: when it was made, and when it was last used (None: never)."""

    age: int
    used: int | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class User:
    """An IAM user; days before the demo's day."""

    name: str
    created: int
    console: bool = False
    signed_in: int | None = None  # None: never
    mfa: bool = False
    keys: tuple[Key, ...] = ()
    groups: tuple[str, ...] = ()
    inline: tuple[str, ...] = ()  # names of DOCUMENTS
    managed: tuple[str, ...] = ()  # customer-managed policies, made of DOCUMENTS in the user's account
    path: str = "/"
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """An account, its place, and its users. A group is a name and the inline policy that it carries."""

    id: str
    name: str
    ou: str  # "" is the root itself
    joined: int
    users: tuple[User, ...] = ()
    groups: dict[str, str] = field(default_factory=dict)
    suspended: bool = False


def user_id(account_id: str, user_name: str) -> str:
    """A user id as AWS makes them, AIDA and 17 characters, but the same in every demo, so that it can be pinned."""
    digest = hashlib.sha256(f"{account_id}/{user_name}".encode()).digest()
    return "AIDA" + base64.b32encode(digest).decode()[:17]


def _person(name: str, created: int, signed_in: int | None, *, mfa: bool = True, groups: tuple[str, ...] = ()) -> User:
    return User(name, created, console=True, signed_in=signed_in, mfa=mfa, groups=groups)


def _service(name: str, *keys: Key, inline: tuple[str, ...] = (), path: str = "/", team: str = "") -> User:
    tags = (("team", team),) if team else ()
    return User(name, max(key.age for key in keys), keys=keys, inline=inline, path=path, tags=tags)


def _break_glass(created: int, signed_in: int, name: str = "cc-platform-admin") -> User:
    tags = (("purpose", "break-glass"), ("team", "platform"))
    return User(name, created, console=True, signed_in=signed_in, mfa=True, inline=("full-access",), tags=tags)


# Who created the users of the last 90 days, below `arn:aws:<service>::<account>:`, and with which user agent.
_CONSOLE, _TERRAFORM = "console.amazonaws.com", "APN/1.0 HashiCorp/1.0 Terraform/1.13.3 terraform-provider-aws/6.19.0"
_CLI, _BOTO3 = "aws-cli/2.31.28 md/awscrt#0.27.6 ua/2.1 os/linux", "Boto3/1.40.61 md/Botocore#1.40.61 ua/2.1 os/linux"
_PIPELINE = "assumed-role/platform-terraform/pipeline-4711"
_NINA = "assumed-role/AWSReservedSSO_AdministratorAccess_3f9c1d2e4b5a6978/nina.berg@example.com"
_OMAR = "assumed-role/AWSReservedSSO_PowerUserAccess_7a6b5c4d3e2f1908/omar.haddad@example.com"
CREATIONS = {
    "=1+1": ("root", _CONSOLE),
    "BedrockAPIKey-abcd": (_OMAR, _CONSOLE),
    "cc-rds-manager": (_NINA, _CONSOLE),
    "cc-rds-manger": ("user/cc-platform-admin", _CLI),
    "ci-artifacts": (_PIPELINE, _TERRAFORM),
    "ci-core-dev": (_PIPELINE, _TERRAFORM),
    "ci-data-pipeline": (_PIPELINE, _TERRAFORM),
    "ci-deploy-core": (_PIPELINE, _TERRAFORM),
    "ci-images": (_PIPELINE, _TERRAFORM),
    "ci-payments-dev": (_PIPELINE, _TERRAFORM),
    "ci-runner-arm": (_PIPELINE, _TERRAFORM),
    "ci-runner-linux": (_PIPELINE, _TERRAFORM),
    "integration-test": (_OMAR, _BOTO3),
    "j.novak": (_NINA, _CONSOLE),
    "ml-trainer": (_OMAR, "cloudformation.amazonaws.com"),
    "org-inventory": (_NINA, _CLI),
    "siem-collector": (_PIPELINE, _TERRAFORM),
}

# Active service-specific credentials: the service, and in how many days they end.
SERVICE_KEYS: dict[str, tuple[str, int | None]] = {
    "BedrockAPIKey-abcd": ("bedrock.amazonaws.com", 55),
    "cicd-legacy": ("codecommit.amazonaws.com", None),
}

# The service that a user's keys were last used for, where that is not S3.
USED_FOR = {
    "backup-operator": "backup",
    "cc-rds-manager": "rds",
    "cc-rds-manger": "rds",
    "ci-images": "ecr",
    "cicd-legacy": "iam",
    "looker-reader": "rds",
    "ml-trainer": "sagemaker",
    "org-inventory": "organizations",
    "ses-smtp-relay": "ses",
    "siem-collector": "logs",
    "temp-migration": "iam",
    "terraform-apply": "iam",
}

MANAGEMENT = Account(
    "210987654321",
    "example-management",
    "",
    joined=2900,
    users=(
        _break_glass(created=1400, signed_in=96),
        _service("billing-export", Key(age=340, used=1), inline=("write-bucket",), team="finance"),
        _service("org-inventory", Key(age=61, used=1), team="platform"),
        _person("root-helper", 1900, signed_in=410, mfa=False),
    ),
)

# The account of the example: exactly these seven, four of them on the safelist.
PAYMENTS = Account(
    "557190284613",
    "payments-prod",
    "Workloads/Prod/Payments",
    joined=2100,
    groups={"ec2-developers": "describe-ec2", "database": "read-tables"},
    users=(
        _service("cc-rds-manager", Key(age=402, used=1), inline=("read-tables",), team="database"),
        _person("cc-ec2-developers", 830, signed_in=4, groups=("ec2-developers",)),
        _break_glass(created=1390, signed_in=201),
        _person("cc-accounting-dep", 655, signed_in=23, mfa=False),
        User(
            "cc-iam-manager",
            512,
            console=True,
            signed_in=9,
            mfa=True,
            keys=(Key(age=512, used=9),),
            inline=("manage-iam",),
        ),
        User("cc-sysops-admin", 1204, keys=(Key(age=1204), Key(age=33, used=2)), inline=("describe-ec2", "read-logs")),
        _person("cc-aurora-developer", 298, signed_in=6, groups=("database",)),
    ),
)

ACCOUNTS = (
    MANAGEMENT,
    Account(
        "000123456789",
        "security-audit",
        "Security",
        joined=2800,
        users=(
            _break_glass(created=1385, signed_in=130),
            _service("siem-collector", Key(age=84, used=1), inline=("read-logs",), team="security"),
            _service("guardduty-export", Key(age=395, used=1), inline=("write-bucket",), team="security"),
            _person("forensics-analyst", 240, signed_in=12),
        ),
    ),
    Account("214365870921", "log-archive", "Security", joined=2799),
    PAYMENTS,
    Account(
        "557302918845",
        "payments-ledger-prod",
        "Workloads/Prod/Payments",
        joined=1500,
        users=(
            _break_glass(created=1380, signed_in=131),
            _service("cc-rds-manager", Key(age=17, used=1), inline=("read-tables",), team="database"),
            _service("cc-rds-manger", Key(age=12, used=3), inline=("read-tables",)),
            _service("ledger-batch", Key(age=150, used=1), path="/service/ledger/", team="payments"),
        ),
    ),
    Account(
        "602914873315",
        "core-platform-prod",
        "Workloads/Prod/Core",
        joined=2400,
        groups={"platform-admins": "full-access"},
        users=(
            _break_glass(created=1379, signed_in=96),
            _service("ci-deploy-core", Key(age=70, used=1), inline=("push-images",), team="ci"),
            _service("ci-images", Key(age=71, used=1), inline=("push-images",), team="ci"),
            _service("terraform-apply", Key(age=620, used=58), inline=("full-access",), team="platform"),
            User("backup-operator", 333, keys=(Key(age=88, used=1),), managed=("run-backups",)),
            _person("k.watanabe", 745, signed_in=3, groups=("platform-admins",)),
        ),
    ),
    Account(
        "618840027593",
        "core-data-prod",
        "Workloads/Prod/Core",
        joined=2350,
        groups={"analysts": "read-tables"},
        users=(
            _break_glass(created=1378, signed_in=96),
            _service("ci-data-pipeline", Key(age=66, used=1), team="ci"),
            _service("etl-nightly", Key(age=180, used=1), inline=("read-tables", "write-bucket"), team="data"),
            _service("etl-adhoc", Key(age=540, used=71), inline=("full-access",), team="data"),
            _service("redshift-loader", Key(age=410, used=1), inline=("write-bucket",), team="data"),
            _person("a.lindqvist", 910, signed_in=2, groups=("analysts",)),
            _person("b.okafor", 640, signed_in=190, groups=("analysts",)),
            _person("c.moreau", 433, signed_in=None, mfa=False, groups=("analysts",)),
            _person("d.ivanova", 120, signed_in=8, groups=("analysts",)),
            User(
                "data-science-shared",
                1100,
                console=True,
                signed_in=1,
                keys=(Key(age=1100, used=1),),
                groups=("analysts",),
            ),
            _service("kafka-connect", Key(age=777, used=1), Key(age=20, used=1)),
            _service("looker-reader", Key(age=365, used=1), inline=("read-tables",)),
            _service("snowflake-stage", Key(age=280, used=47), inline=("write-bucket",)),
            _service("tableau-extract", Key(age=1460, used=505), inline=("read-tables",)),
            _service("temp-migration", Key(age=2500, used=2490), inline=("full-access",)),
        ),
    ),
    Account(
        "731920465582",
        "payments-dev",
        "Workloads/Dev",
        joined=1450,
        users=(
            _service("ci-payments-dev", Key(age=44, used=1), team="ci"),
            _service("integration-test", Key(age=9, used=1), team="payments"),
            _person("cc-aurora-developer", 290, signed_in=15),
            _person("m.rossi", 505, signed_in=30, mfa=False),
        ),
    ),
    Account(
        "745561209938",
        "core-dev",
        "Workloads/Dev",
        joined=1440,
        users=(
            _break_glass(created=1370, signed_in=205, name="CC-Platform-Admin"),
            _service("ci-core-dev", Key(age=45, used=1), team="ci"),
            _person("j.novak", 88, signed_in=1),
            User("localstack-test", 700),
        ),
    ),
    Account(
        "753300918274",
        "build-dev",
        "Workloads/Dev",
        joined=1300,
        users=(
            _service("ci-artifacts", Key(age=39, used=1), inline=("write-bucket",), team="ci"),
            _service("ci-runner-arm", Key(age=40, used=1), inline=("push-images",), team="ci"),
            _service("ci-runner-linux", Key(age=40, used=1), inline=("push-images",), team="ci"),
            _service("cicd-legacy", Key(age=1290, used=399), Key(age=1100, active=False), inline=("full-access",)),
        ),
    ),
    Account(
        "860012457739",
        "sandbox-analytics",
        "Sandbox",
        joined=800,
        users=(
            _person("alice.sandbox", 260, signed_in=51, mfa=False),
            User("BedrockAPIKey-abcd", 35),
            _service("hackathon-winner", Key(age=1050, used=1044), inline=("full-access",)),
        ),
    ),
    Account(
        "872219904456",
        "sandbox-ml",
        "Sandbox",
        joined=620,
        users=(
            _service("ml-trainer", Key(age=64, used=5), inline=("write-bucket",), team="ml"),
            _service("notebook-shared", Key(age=300, used=2), inline=("read-logs",), team="ml"),
        ),
    ),
    Account(
        "889930174520",
        "sandbox-retired",
        "Sandbox",
        joined=1800,
        suspended=True,
        users=(_person("old-admin", 1800, signed_in=900), _service("old-deploy", Key(age=1700, used=900))),
    ),
    Account(  # came with a takeover and was never moved into an OU
        "905517342286",
        "legacy-shop",
        "",
        joined=700,
        users=(
            User("=1+1", 15, console=True),
            _service("magento-cron", Key(age=2300, used=1)),
            _person("paul.shop", 2600, signed_in=330, mfa=False),
            _service("ses-smtp-relay", Key(age=2780, used=1)),
            _service("shop-ftp-sync", Key(age=3100, used=1), Key(age=3099), inline=("full-access",)),
            _person("webmaster", 2950, signed_in=20, mfa=False),
        ),
    ),
)
