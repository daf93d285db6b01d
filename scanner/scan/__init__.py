"""The scan: which accounts, each read concurrently, all of it into the journal."""
