"""commands.sh, run: by a stand-in for the AWS CLI that makes the very calls on the endpoint that the real one would."""

import functools
import json
import os
import shutil
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from scanner.model import Choice
from scanner.remediation.make_plan import Made
from tests.aws_endpoint import Caller, Endpoint, Fault, deny
from tests.aws_endpoint.iam_state import LiveAccount, LiveKey
from tests.remediation.site import LONG_AGO, Site, furnish

# `aws iam delete-access-key --user-name=alice ...`: the operation and its parameters by the SDK's own names of them.
STAND_IN = """#!{python} -IS
import http.client, json, os, re, sys
from urllib.parse import urlencode, urlsplit

service, operation, *options = sys.argv[1:]
name, members, version = json.loads({names!r})[operation]
parameters, query = {{"Action": name, "Version": version}}, None
for option in options:
    key, equals, value = option.partition("=")
    assert key.startswith("--") and equals, f"not --name=value: {{option!r}}"
    if key == "--query":
        query = value.split(".")[-1]
    elif key != "--output":
        parameters[members[key]] = value
url = urlsplit(os.environ["AWS_ENDPOINT_URL"])
connection = http.client.HTTPConnection(url.hostname, url.port)
scope = f"Credential={{os.environ['AWS_ACCESS_KEY_ID']}}/20261124/us-east-1/{{service}}/aws4_request"
connection.request("POST", "/", urlencode(parameters), {{"Authorization": f"AWS4-HMAC-SHA256 {{scope}}, Signature=0"}})
answer = connection.getresponse()
text = answer.read().decode()
if answer.status != 200:
    sys.exit("An error occurred: " + "".join(re.findall("<Code>.*</Message>", text)))
if query:
    print(*re.findall(f"<{{query}}>(.*?)</{{query}}>", text))
"""


@functools.cache
def names_of_the_cli() -> str:
    """Operation → its name in the API, the names of its parameters by those of its options, and the API's version."""
    names = {}
    for service in ("iam", "sts"):
        model = botocore.session.get_session().get_service_model(service)
        for name in model.operation_names:
            shape = model.operation_model(name).input_shape
            members = {f"--{_kebab(member)}": member for member in (shape.members if shape else ())}
            names[_kebab(name)] = (name, members, model.api_version)
    return json.dumps(names)


def _kebab(name: str) -> str:
    return str(xform_name(name, "-"))


def run(site: Site, made: Made, prod: LiveAccount, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the script, signed in to the account as somebody who may do everything."""
    tools = Path("tools")
    tools.mkdir(exist_ok=True)
    stand_in = tools / "aws"
    stand_in.write_text(STAND_IN.format(python=sys.executable, names=names_of_the_cli()), encoding="utf-8")
    stand_in.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tools.resolve()}:{os.environ['PATH']}", "AWS_ACCESS_KEY_ID": "AKIAADMIN0"}
    shell = shutil.which("sh")
    assert shell is not None
    return subprocess.run(
        [shell, str(made.folder / "commands.sh"), *(arguments or (prod.id,))],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def serving_admin(site: Site, prod: LiveAccount, *faults: Fault) -> AbstractContextManager[Endpoint]:
    caller = Caller(access_key_id="AKIAADMIN0", account_id=prod.id, arn=prod.arn("user", "/", "admin"))
    return site.serving(*faults, callers=[caller])


@pytest.fixture
def prod(site: Site) -> LiveAccount:
    prod = site.account()
    furnish(prod)
    furnish(prod, "bob")
    furnish(prod, "carol")
    site.decide({"alice": Choice.REMOVE, "bob": Choice.QUARANTINE})
    return prod


def test_the_script_does_what_the_plan_says_and_apply_then_agrees(site: Site, prod: LiveAccount) -> None:
    """eks-workshop#764 swapped the ID of a key and its secret: so the script is run."""
    before = prod.snapshot()
    with serving_admin(site, prod):
        made = site.plan()
        done = run(site, made, prod)
    assert done.returncode == 0, done.stderr
    del before.users["alice"]
    before.devices.discard(prod.device("alice"))
    before.users["bob"].attached.append(prod.aws_policy("AWSDenyAll"))
    before.users["bob"].keys["AKIABOB1"].active = False
    assert prod.kept == before
    calls = [(call.action, call.parameters) for user in made.plan.users for call in user.calls]
    assert [(action, {**parameters}) for action, parameters in prod.made] == calls


def test_it_stops_at_the_first_error(site: Site, prod: LiveAccount) -> None:
    with serving_admin(site, prod, Fault("iam:DeleteLoginProfile", deny)):
        done = run(site, site.plan(), prod)
    assert done.returncode != 0
    assert "AccessDenied" in done.stderr
    assert [action for action, _ in prod.made] == ["AttachUserPolicy", "UpdateAccessKey"]


def test_it_refuses_another_account_another_user_and_no_account(site: Site, prod: LiveAccount) -> None:
    with serving_admin(site, prod):
        made = site.plan()
        other = run(site, made, prod, "111122223333")
        assert f"the account that you are signed in to is {prod.id} and not 111122223333" in other.stderr
        none = run(site, made, prod, "")
        assert none.returncode != 0
        del prod.kept.users["alice"]
        furnish(prod, serial=2)
        namesake = run(site, made, prod)
        assert "the user alice is AIDA" in namesake.stderr
        assert namesake.returncode != 0
    assert prod.made == []


HOSTILE = ("-rf", "=1+1", "a,b", "@x")


def test_names_that_a_shell_or_a_parser_might_take_for_something_else(site: Site) -> None:
    prod = site.account()
    for name in HOSTILE:
        prod.user(
            name,
            path="/it's;$HOME`id`/" if name == "@x" else "/",
            keys={f"AKIA{HOSTILE.index(name)}HOSTILE000": LiveKey(last_used=LONG_AGO)},
            inline={f"-{name}": '{"Statement":[]}'},
            groups=[f"-{name}"],
        )
    path = "/it's;(touch)`touch,pwned`&|#</"  # all of it may stand in the path of a policy or a device
    rights, device = prod.arn("policy", path, "p"), prod.arn("mfa", path, "d")
    prod.documents[rights] = '{"Statement":[]}'
    prod.user("paths", attached=[rights], mfa=[device])
    site.decide(dict.fromkeys((*HOSTILE, "paths"), Choice.REMOVE))
    with serving_admin(site, prod):
        made = site.plan()
        assert [each.target.user_name for each in made.plan.spared] == ["@x"]  # a $ in its path
        done = run(site, made, prod)
    assert done.returncode == 0, done.stderr
    assert set(prod.kept.users) == {"@x"}
    assert prod.kept.devices == set()
    assert {path.name for path in Path().iterdir()} == {"nobody.yaml", "reports", "tools"}


def test_what_others_wrote_stays_in_a_comment_of_one_line(site: Site) -> None:
    prod = site.account()
    alice = furnish(prod)
    hostile = "as agreed\nrm -rf /\r$(touch pwned)\u2028`id`"
    site.decide({"alice": Choice.REMOVE}, comment=hostile, ticket="T\n1")
    with serving_admin(site, prod):
        made = site.plan()
        done = run(site, made, prod)
    text = (made.folder / "commands.sh").read_text(encoding="utf-8")
    assert r"as agreed\nrm -rf /\r$(touch pwned)\u2028`id`" in text
    assert not any(line.strip().startswith(("rm ", "$(")) for line in text.splitlines())
    assert done.returncode == 0, done.stderr
    assert not Path("pwned").exists()
    assert alice.user_id not in {user.user_id for user in prod.kept.users.values()}
