"""Remediation: what a review decided, planned, confirmed and carried out on IAM users, and undone where AWS allows."""
