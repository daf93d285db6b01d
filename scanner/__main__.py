"""`python -m scanner`: the same as `iam-scanner`."""

from scanner.cli.main import main

main()
