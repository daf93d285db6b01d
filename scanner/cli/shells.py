"""How a shell asks what Tab offers, and how it is answered: in words that are quoted as that shell reads them.

The scripts that `--install-completion` installs are Typer's, and so is the search for what fits. Typer's own answers
are not quoted: a name with a space would become two words, and zsh, which evaluates what it gets, would run a command
that somebody wrote into a name. So Typer is always asked as if by fish, whose answer is plain text.
"""

import io
import os
import re
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass

VARIABLE = "_IAM_SCANNER_COMPLETE"  # the shell asks by setting it
PROGRAM = "iam-scanner"
_ASKED = {"bash": "COMP_WORDS", "zsh": "_TYPER_COMPLETE_ARGS", "fish": "_TYPER_COMPLETE_ARGS"}
_ACTION_OF_FISH = "_TYPER_COMPLETE_FISH_ACTION"
_END = "\0"  # no line can hold it: it marks where the cursor is, also behind a space or an open quote
_OPTION = re.compile(r"--[a-z-]+=")
_BREAKS = re.compile("[:=]+")  # where bash breaks words, as well as at spaces
# What may mean something to a shell: all of ASCII but these.
_NOT_PLAIN = re.compile(r"(?=[\x00-\x7f])[^\w@%+,./-]")

Offer = tuple[str, str]  # a value, and what it is
Program = Callable[..., object]


@dataclass(frozen=True, slots=True)
class _Line:
    """What is typed, up to the cursor."""

    words: tuple[str, ...]  # unquoted, without the program; the last one is being typed, and may be empty
    before: str = ""  # of the last word: what the shell takes for words before it
    quote: str = ""  # the quote that is open

    @property
    def option(self) -> str:
        """The beginning of `--output=DIR`, as far as it is the option; else ""."""
        found = _OPTION.match(self.words[-1])
        return found.group() if found else ""


def answer(program: Program) -> None:
    """Have the program answer the shell, which asks by variables of the environment."""
    shell = os.environ[VARIABLE].removeprefix("complete_")
    if shell not in _ASKED:  # another shell, whose answer is not evaluated
        program(prog_name=PROGRAM, complete_var=VARIABLE)
        return
    asked = os.environ[_ASKED[shell]]
    line = _of_bash(asked.split("\n"), int(os.environ["COMP_CWORD"])) if shell == "bash" else _Line(_words(asked)[1:])
    offers = _offers(program, line)
    if shell == "fish" and os.environ.get(_ACTION_OF_FISH) == "is-args":
        sys.exit(not offers)  # then fish offers files
    sys.stdout.write(_ANSWERS[shell](line, offers))


def _offers(program: Program, line: _Line) -> list[Offer]:
    """What Typer finds for the last word of the line."""
    out, asked = io.StringIO(), dict(os.environ)
    os.environ.update(
        {
            VARIABLE: "complete_fish",
            _ACTION_OF_FISH: "get-args",
            _ASKED["fish"]: shlex.join((PROGRAM, *line.words)),
            "COLUMNS": "9999",  # or Typer breaks long texts into lines, each of them an offer
        }
    )
    try:
        with redirect_stdout(out), suppress(SystemExit):
            program(prog_name=PROGRAM, complete_var=VARIABLE)
    finally:
        os.environ.clear()
        os.environ.update(asked)
    found = [text.partition("\t")[::2] for text in out.getvalue().split("\n")]
    return [(value, text) for value, text in found if value and value.isprintable()]


def _words(text: str) -> tuple[str, ...]:
    """The words of a line as a shell reads them; a quote that is still open ends with it."""
    lexer = shlex.shlex(text + _END, posix=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    try:
        words.extend(lexer)
    except ValueError:
        words.append(lexer.token)
    return tuple(word.removesuffix(_END) for word in words)


def _of_bash(words: Sequence[str], current: int) -> _Line:
    """Put words together that bash breaks at ":" and "=" where they are not quoted."""
    whole: list[str] = []
    before, glued = "", True
    for raw in words[1 : current + 1]:
        (word,) = _words(raw)
        is_break = _BREAKS.fullmatch(raw) is not None
        before = whole.pop() if whole and (is_break or glued) else ""
        whole.append(before + word)
        glued = is_break
    last = words[current]
    if _BREAKS.fullmatch(last):  # the cursor is right behind it, where the next word begins
        before = whole[-1]
    return _Line(tuple(whole), before, _open_quote(last))


def _open_quote(word: str) -> str:
    quote, escaped = "", False
    for char in word:
        if escaped:
            escaped = False
        elif char == "\\" and quote != "'":
            escaped = True
        elif char == quote:
            quote = ""
        elif char in "\"'" and not quote:
            quote = char
    return quote


def _for_bash(line: _Line, offers: Sequence[Offer]) -> str:
    """Only what follows the words that bash takes for others; bash sets it behind a quote that is open."""
    before = line.before.removeprefix(line.option)
    rests = [value.removeprefix(before) for value, _ in offers]
    match line.quote:
        case "'":
            return "\n".join(rest.replace("'", "'\\''") for rest in rests)
        case '"':
            return "\n".join(re.sub(r'([\\"$`])', r"\\\1", rest) for rest in rests)
        case _:
            return "\n".join(_NOT_PLAIN.sub(r"\\\g<0>", rest) for rest in rests)


def _for_zsh(line: _Line, offers: Sequence[Offer]) -> str:
    """Code, as its script evaluates the answer: of texts it has only letters, digits and escapes, and no space."""
    if not offers:
        return "_files"
    described = (f"{_colons_in_zsh(value)}:{text}" if text else _colons_in_zsh(value) for value, text in offers)
    behind_option = "compset -P '--[^=]#='; " if line.option else ""
    return f"{behind_option}local -a offers=({' '.join(map(_in_zsh, described))}); _describe -V -t values value offers"


def _colons_in_zsh(value: str) -> str:
    return value.replace("\\", "\\\\").replace(":", "\\:")


def _in_zsh(text: str) -> str:
    return "$'" + _NOT_PLAIN.sub(lambda found: f"\\u{ord(found.group()):04x}", text) + "'"


def _for_fish(line: _Line, offers: Sequence[Offer]) -> str:
    """Plain text, which fish quotes itself."""
    return "\n".join(f"{line.option}{value}\t{text}".rstrip("\t") for value, text in offers)


_ANSWERS: Mapping[str, Callable[[_Line, Sequence[Offer]], str]] = {
    "bash": _for_bash,
    "zsh": _for_zsh,
    "fish": _for_fish,
}
