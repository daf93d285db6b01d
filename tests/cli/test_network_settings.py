"""Settings of the network that cannot be right are named, rather than taken for a connection that broke."""

from pathlib import Path

import pytest

from tests.aws_endpoint import running
from tests.program import calling, program, small_world, workplace

__all__ = ["workplace"]
pytestmark = pytest.mark.usefixtures("workplace")

NETWORK = {
    "a CA bundle that is not there": ({"AWS_CA_BUNDLE": "/absent.pem"}, "The CA bundle /absent.pem cannot be read"),
    "another name for it": (
        {"AWS_CA_BUNDLE": "", "REQUESTS_CA_BUNDLE": "/absent.pem"},
        "The CA bundle /absent.pem cannot be read",
    ),
    "a CA bundle that is a folder": ({"AWS_CA_BUNDLE": "."}, "The CA bundle . cannot be read"),
    "a CA bundle that is none": ({"AWS_CA_BUNDLE": "nobody.yaml"}, "or holds no certificate in PEM format"),
    "a proxy that is no URL": ({"HTTPS_PROXY": "http://"}, "HTTPS_PROXY does not hold the URL of a proxy"),
    "a proxy of another kind": ({"HTTPS_PROXY": "socks5://p:1"}, "HTTPS_PROXY does not hold the URL of a proxy"),
    "a proxy with a bad port": ({"HTTP_PROXY": "http://p:many"}, "HTTP_PROXY does not hold the URL of a proxy"),
    "an endpoint that is no URL": ({"AWS_ENDPOINT_URL": "aws.example.com"}, "cannot be used"),
    "an endpoint without a host": ({"AWS_ENDPOINT_URL": "http://"}, "cannot be used"),
    "an endpoint with a bad port": ({"AWS_ENDPOINT_URL": "http://127.0.0.1:many"}, "cannot be used"),
    "an endpoint of one service": ({"AWS_ENDPOINT_URL_IAM": "ftp//x y"}, "cannot be used"),
    "an endpoint of another scheme": ({"AWS_ENDPOINT_URL": "ftp://127.0.0.1"}, "cannot be used"),
    "a region that is none": ({"AWS_REGION": "eu west"}, "cannot be used"),
}


@pytest.mark.parametrize(("environment", "expected"), NETWORK.values(), ids=NETWORK)
def test_a_setting_of_the_network_that_cannot_be_right_is_said_so(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: str
) -> None:
    with running(small_world()) as endpoint, calling(endpoint):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        done = program("scan", "--safelist", "nobody.yaml")
    assert done.exit_code == 5
    assert expected in done.err
    assert "connection broke" not in done.err
    assert not Path("reports").exists()
