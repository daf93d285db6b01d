"""Tab, pressed: what the program answers a shell."""

import pytest

from tests.program import program


def offered(*words: str, shell: str = "fish") -> list[str]:
    """What the shell gets when Tab is pressed at the end of the last word."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("_IAM_SCANNER_COMPLETE", f"complete_{shell}")
        patch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
        patch.setenv("_TYPER_COMPLETE_ARGS", " ".join(("iam-scanner", *words)))
        patch.setenv("COMP_WORDS", "\n".join(("iam-scanner", *words)))
        patch.setenv("COMP_CWORD", str(len(words)))
        done = program()
    assert done.exit_code == 0
    assert done.err == ""
    return done.out.splitlines()


def values(*words: str, shell: str = "fish") -> list[str]:
    return [line.partition("\t")[0] for line in offered(*words, shell=shell) if line]
