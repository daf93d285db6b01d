"""Write the SBOM that the wheel carries (PEP 770), as CycloneDX: the program, and what requirements-all.txt pins.

    python -m tests.sbom

The same pins give the same bytes: there is no time and no random number in it, and nothing of the machine. What needs
what is read from the packages that are installed, so install the pins first (`make sbom` does).
"""

import tomllib
from collections.abc import Iterable
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.contact import OrganizationalContact
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scanner import __version__

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = ROOT / "requirements-all.txt"
SBOM = ROOT / ".sbom" / "iam-scanner.cdx.json"
OLDEST = {"python_version": "3.11", "python_full_version": "3.11.0"}  # later ones need the same, or less
PLATFORMS = [("linux", "Linux"), ("darwin", "Darwin"), ("win32", "Windows")]


def pinned(file: Path = PINS) -> dict[str, list[Requirement]]:
    """The pins by name; one package can have several, each for other machines."""
    pins: dict[str, list[Requirement]] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith((" ", "#")):
            pin = Requirement(line.removesuffix("\\"))
            pins.setdefault(canonicalize_name(pin.name), []).append(pin)
    return pins


def graph(needs: Iterable[Requirement]) -> dict[str, set[str]]:
    """What of the pins is needed for these, and what each of them needs in turn, on any machine."""
    pins = pinned()
    edges: dict[str, set[str]] = {}
    waiting = list(needs)
    seen: set[str] = set()
    while waiting:
        need = waiting.pop()
        name = canonicalize_name(need.name)
        if str(need) in seen or name not in pins:
            continue
        seen.add(str(need))
        further = [other for other in requirements_of(name) if wanted(other, need.extras)]
        edges.setdefault(name, set()).update({canonicalize_name(other.name) for other in further} & pins.keys())
        waiting += further
    return edges


def requirements_of(name: str) -> list[Requirement]:
    try:
        return [Requirement(text) for text in metadata.requires(name) or ()]
    except metadata.PackageNotFoundError:
        return []  # pinned for other machines than this


def wanted(need: Requirement, extras: set[str]) -> bool:
    """Whether something asks for this on some platform, with one of these extras or with none."""
    marker = need.marker
    return marker is None or any(
        marker.evaluate({**OLDEST, "sys_platform": platform, "platform_system": system, "extra": extra})
        for platform, system in PLATFORMS
        for extra in extras or {""}
    )


def sbom() -> str:
    needs = [Requirement(text) for text in PROJECT["dependencies"]]
    extras = [Requirement(text) for texts in PROJECT["optional-dependencies"].values() for text in texts]
    always = graph(needs)
    components = {name: [component(pin, required=name in always) for pin in pins] for name, pins in pinned().items()}
    digest = sha256(PINS.read_bytes()).hexdigest()
    program = Component(
        type=ComponentType.APPLICATION,
        name=PROJECT["name"],
        version=__version__,
        bom_ref=PROJECT["name"],
        purl=PackageURL("pypi", name=PROJECT["name"], version=__version__),
        external_references=[
            ExternalReference(
                type=ExternalReferenceType.OTHER,
                url=XsUri(PINS.name),
                comment="the pins, with the SHA-256 of each file that may be installed",
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
            )
        ],
    )
    bom = Bom(
        components=[each for pins in components.values() for each in pins],
        serial_number=uuid5(NAMESPACE_OID, f"{program.purl} {digest}"),
    )
    bom.metadata.timestamp = None  # type: ignore[assignment]  # else it is now
    bom.metadata.component = program
    bom.metadata.authors = [OrganizationalContact(name=author["name"]) for author in PROJECT["authors"]]
    direct = {canonicalize_name(need.name) for need in needs + extras}
    bom.register_dependency(program, [each for name in direct for each in components[name]])
    for name, others in graph(needs + extras).items():
        for each in components[name]:
            bom.register_dependency(each, [one for other in others for one in components[other]])
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def component(pin: Requirement, *, required: bool) -> Component:
    """A pinned package; only an extra needs it if it is not required."""
    version = next(iter(pin.specifier)).version
    purl = PackageURL("pypi", name=pin.name, version=version)
    return Component(
        name=pin.name,
        version=version,
        bom_ref=str(purl),
        purl=purl,
        scope=ComponentScope.REQUIRED if required else ComponentScope.OPTIONAL,
        description=f"where {pin.marker}" if pin.marker else None,
    )


def main() -> None:
    SBOM.parent.mkdir(exist_ok=True)
    SBOM.write_text(sbom(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
