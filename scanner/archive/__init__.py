"""The archive: finished runs and the ledger in an S3 bucket, put there once and for all, and brought back verified."""
