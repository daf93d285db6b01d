"""The doctor: what is missing before a scan can be complete. It makes the calls of a scan, and changes nothing."""
