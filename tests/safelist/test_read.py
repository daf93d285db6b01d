"""Which files are read, and that none is passed over in silence."""

import os
from pathlib import Path

import pytest

from scanner.errors import ExitCode, Fault, FaultsError, ScannerError
from scanner.files import MAX_BYTES
from scanner.safelist.entries import read
from scanner.safelist.read import rewrite


def write(path: Path, text: str = "version: 1\nglobal: []\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def faults(*paths: Path) -> tuple[Fault, ...]:
    with pytest.raises(FaultsError) as raised:
        read(paths)
    assert raised.value.exit_code == ExitCode.USAGE
    return raised.value.faults


def test_a_folder_gives_its_yaml_files_in_order_and_no_hidden_ones_and_no_examples(tmp_path: Path) -> None:
    for name in ("b.yml", "a.yaml", "c.yaml.example", ".hidden.yaml", ".git/d.yaml", "notes.txt", "teams/e.yaml"):
        write(tmp_path / name)
    names = [Path(text.path).relative_to(tmp_path).as_posix() for text in read([tmp_path])]
    assert names == ["a.yaml", "b.yml", "teams/e.yaml"]


def test_the_path_is_shown_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "config/safelists/prod.yaml")
    monkeypatch.chdir(tmp_path)
    assert [text.path for text in read([Path("config/safelists")])] == ["config/safelists/prod.yaml"]


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    file = write(tmp_path / "a.yaml")
    assert len(read([file, tmp_path, tmp_path / "." / "a.yaml"])) == 1


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    (text,) = read([write(tmp_path / "a.yaml", "\ufeffversion: 1\r\nglobal: []\r\n")])
    assert text.text.startswith("version: 1\r\n")


def test_what_cannot_be_read_is_a_fault_each(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("version: 1\n# M\u00fcller\n".encode("latin-1"))
    example = write(tmp_path / "x.yaml.example")
    found = faults(tmp_path / "none.yaml", empty, example, latin)
    assert [(Path(fault.file).name, fault.line, fault.problem) for fault in found] == [
        ("none.yaml", None, "There is no such file or folder."),
        ("empty", None, "The folder holds no safelist (*.yaml, *.yml)."),
        ("x.yaml.example", None, "Examples are not read."),
        ("latin.yaml", 2, "Not UTF-8."),
    ]
    assert all(fault.remedy for fault in found)


@pytest.mark.parametrize(
    ("named", "meant"),
    [
        ("teams/prd.yaml", "teams/prod.yaml"),
        ("team", "teams"),
        ("elsewhere/safelists", "config/safelists"),  # where they usually are
        ("/nowhere/at/all.yaml", "config/safelists"),
    ],
)
def test_a_wrong_path_is_not_where_a_first_safelist_goes_while_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str, meant: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("teams/prod.yaml"))
    write(Path("config/safelists/a.yaml"))
    with pytest.raises(FaultsError) as caught:
        read([Path(named)])
    assert [fault.remedy for fault in caught.value.faults] == [f"Did you mean {meant}?"]
    assert not caught.value.advice


@pytest.mark.parametrize(
    ("named", "beside"),
    [
        ("config/safelist.yaml", "config/scanner.yaml"),  # the settings
        ("config/safelists", "config/safelists.example/a.yaml"),
        ("config/safelists", "config/safelist/README.md"),  # a folder without any
        ("lists", "tests/a.py"),
        ("teams/prod.yaml", "teams/prod.txt"),
    ],
)
def test_what_is_no_safelist_is_not_proposed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str, beside: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path(beside))
    with pytest.raises(FaultsError) as caught:
        read([Path(named)])
    assert "write a first safelist" in caught.value.faults[0].remedy
    assert any(named in line for line in caught.value.advice)


def test_a_link_that_leads_nowhere_is_not_proposed_in_its_own_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("prod.yaml").symlink_to("gone.yaml")
    with pytest.raises(FaultsError) as caught:
        read([Path("prod.yaml")])
    assert "Did you mean" not in caught.value.faults[0].remedy


def test_a_file_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    large = tmp_path / "large.yaml"
    with large.open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    assert "Larger than 20 MB" in faults(large)[0].problem


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert faults(tmp_path)[0].problem == "Not a file."


def test_a_link_that_leads_nowhere_is_a_fault(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").symlink_to(tmp_path / "gone.yaml")
    assert len(faults(tmp_path)) == 1


def test_a_link_to_a_folder_is_a_fault_and_not_passed_over(tmp_path: Path) -> None:
    """What it leads to could hold a revocation."""
    write(tmp_path / "elsewhere/revoked.yaml")
    write(tmp_path / "safelists/a.yaml")
    (tmp_path / "safelists/teams").symlink_to(tmp_path / "elsewhere")
    (fault,) = faults(tmp_path / "safelists")
    assert fault.file == (tmp_path / "safelists/teams").as_posix()
    assert (fault.problem, fault.remedy) == ("A link to a folder is not followed.", "Name its target with --safelist.")


def test_a_folder_of_links_to_nothing_but_folders_tells_of_each(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere/revoked.yaml")
    (tmp_path / "safelists").mkdir()
    (tmp_path / "safelists/teams").symlink_to(tmp_path / "elsewhere")
    assert "A link to a folder is not followed." in [fault.problem for fault in faults(tmp_path / "safelists")]


def test_links_to_files_are_read_and_hidden_folders_stay_out_as_kubernetes_mounts_them(tmp_path: Path) -> None:
    write(tmp_path / "..2026_11_23/a.yaml")
    (tmp_path / "..data").symlink_to("..2026_11_23")
    (tmp_path / "a.yaml").symlink_to("..data/a.yaml")
    assert [Path(text.path).name for text in read([tmp_path])] == ["a.yaml"]


def test_a_folder_that_is_named_itself_may_be_a_link(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere/a.yaml")
    (tmp_path / "safelists").symlink_to(tmp_path / "elsewhere")
    assert len(read([tmp_path / "safelists"])) == 1


def test_a_file_that_is_written_anew_keeps_mode_mark_and_link(tmp_path: Path) -> None:
    file = write(tmp_path / "real/a.yaml", "\ufeffversion: 1\r\nglobal: []\r\n")
    file.chmod(0o640)
    (tmp_path / "b.yaml").symlink_to(file)
    (text,) = read([tmp_path / "b.yaml"])
    rewrite(text, text.text + "# more\r\n")
    assert (tmp_path / "b.yaml").is_symlink()
    assert file.read_bytes() == b"\xef\xbb\xbfversion: 1\r\nglobal: []\r\n# more\r\n"
    assert file.stat().st_mode & 0o777 == 0o640


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    file = write(tmp_path / "a.yaml")
    (text,) = read([file])
    write(file, "version: 1\nglobal: [alice]\n")
    with pytest.raises(ScannerError, match="has changed since it was read"):
        rewrite(text, "version: 1\nglobal: []\n# more\n")
    assert file.read_text(encoding="utf-8") == "version: 1\nglobal: [alice]\n"


@pytest.mark.parametrize(
    "name",
    [
        "prod.yaml.txt",
        "prod.yml.bak",
        "prod.yaml~",
        "prod.yaml.orig",
        "PROD.YAML.disabled",
        "prod.yaml (1)",
        "prod.yaml ",
        "prod.YAML.example~",
        "prod.ymal",
        "prod.json",
    ],
)
def test_a_name_that_only_looks_like_a_safelist_is_a_fault_and_not_passed_over(tmp_path: Path, name: str) -> None:
    """A revocation may stand in it."""
    (tmp_path / "prod.yaml").write_text("version: 1\nglobal: []\n", encoding="utf-8")
    (tmp_path / name).write_text("version: 1\nglobal: []\n", encoding="utf-8")
    with pytest.raises(FaultsError) as raised:
        read([tmp_path])
    (fault,) = raised.value.faults
    assert fault.file == (tmp_path / name).as_posix()
    assert fault.problem == "Its name does not end in .yaml or .yml, so it is not read."


@pytest.mark.parametrize(
    "name", ["README.md", "old.yaml.example", ".prod.yaml.swp", "notes.txt", "prod.yaml.yaml", "x.schema.json"]
)
def test_other_names_beside_safelists_are_no_fault(tmp_path: Path, name: str) -> None:
    (tmp_path / "prod.yaml").write_text("version: 1\nglobal: []\n", encoding="utf-8")
    (tmp_path / name).write_text("version: 1\nglobal: []\n", encoding="utf-8")
    assert Path(read([tmp_path])[0].path).name == "prod.yaml"
