"""Find, across every account of an AWS organization, the IAM users that nobody approved (rule IAM-058)."""

__version__ = "0.1.0"
