"""The review: decisions out of the reviewers' workbooks, kept in a ledger, and carried over into safelists."""
