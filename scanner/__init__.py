"""Find, across every account of an AWS organization, the IAM users that nobody approved (rule IAM-058)."""

import os

__version__ = "0.1.0"

# openpyxl writes through lxml wherever that happens to be installed, and a full disk is then no OSError any more. It is
# told before it is imported, so that a workbook is written and read in one way everywhere.
os.environ["OPENPYXL_LXML"] = "False"
