"""Find, across every account of an AWS organization, the IAM users that nobody approved (rule IAM-058)."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("iam-scanner")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+source"
