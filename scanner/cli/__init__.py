"""The command line: parse, call, render, exit; one error boundary."""
