"""The program without its pace, to compare with: `python -m tests.benchmarks.fixed_pace scan ...`.

What is throttled is made again after its back-off, and nothing else slows down.
"""

from scanner.aws.pace import Pace
from scanner.cli.main import main

if __name__ == "__main__":
    Pace._fall = lambda self: None  # type: ignore[method-assign]
    main()
