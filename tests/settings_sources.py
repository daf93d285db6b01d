"""Settings from a file, the environment and options, and their faults as a person reads them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from scanner.errors import FaultsError
from scanner.settings import Settings, load


def written(text: str, name: str = "scanner.yaml") -> Path:
    file = Path(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def of_file(text: str) -> Settings:
    return load({}, {}, written(text))


def refused(
    options: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None, text: str = ""
) -> list[str]:
    """The faults, as a person reads them."""
    with pytest.raises(FaultsError) as caught:
        load(options or {}, environment or {}, written(text) if text else None)
    return [str(fault) for fault in caught.value.faults]
