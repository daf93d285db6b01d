"""Runs of different organizations in one report: which may stand side by side, and what they come to in all. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

from scanner.audit.assessment import Assessment, Part, Totals
from scanner.audit.rule import accounts_words, left_out_words
from scanner.audit.split import with_owners
from scanner.errors import UsageError
from scanner.model import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class InAll:
    """What several runs come to; complete only where every one of them is."""

    status: Status
    status_text: str
    totals: Totals
    part: Part | None


def organization_id(assessment: Assessment) -> str:
    """The organization of a run; "" where its accounts came from a file."""
    organization = assessment.record.header.organization
    return organization.id if organization else ""


def side_by_side(assessments: Sequence[Assessment]) -> tuple[Assessment, ...]:
    """The runs by organization; raise `UsageError` where one has no organization of its own among them.

    Two runs of one organization would count its users twice, and not say so.
    """
    by_organization: dict[str, Assessment] = {}
    for assessment in assessments:
        header, organization = assessment.record.header, organization_id(assessment)
        if not organization:
            raise UsageError(
                f"Run {header.run_id} read its accounts from {assessment.record.listing.source} and not from AWS "
                "Organizations, so it is not known which organization it is of. Report it by itself."
            )
        other = by_organization.setdefault(organization, assessment).record.header.run_id
        if by_organization[organization] is assessment:
            continue
        if other == header.run_id:
            raise UsageError(f"Run {other} is given twice. Name each run once.")
        raise UsageError(
            f"Runs {other} and {header.run_id} are both of organization {organization}. Give one run of each "
            f"organization; to see what changed between the two: iam-scanner diff {other} {header.run_id}"
        )
    return tuple(by_organization[organization] for organization in sorted(by_organization))


def with_owners_of_all(
    assessments: Sequence[Assessment], owners: Mapping[str, str], source: str
) -> tuple[Assessment, ...]:
    """The same under these owners of accounts; an account that only another run knows is not unknown."""
    known = [{account.id for account in assessment.record.listing.accounts} for assessment in assessments]
    everywhere = set[str]().union(*known)
    return tuple(
        with_owners(
            assessment, {key: owner for key, owner in owners.items() if key in own or key not in everywhere}, source
        )
        for assessment, own in zip(assessments, known, strict=True)
    )


def in_all(assessments: Sequence[Assessment]) -> InAll:
    """Add the runs up. What could not be read in one of them is missing from the whole."""
    totals = Totals(
        **{item.name: sum(getattr(one.totals, item.name) for one in assessments) for item in fields(Totals)}
    )
    status, part = _status({one.status for one in assessments}), _part(assessments)
    text = _text(assessments, totals, status)
    text += f"; this is a part: {part.words}" if part else ""
    return InAll(status=status, status_text=text, totals=totals, part=part)


def _status(found: set[Status]) -> Status:
    return found.pop() if len(found) == 1 else Status.INCOMPLETE


def _text(assessments: Sequence[Assessment], totals: Totals, status: Status) -> str:
    organizations = f"{len(assessments)} organization{'' if len(assessments) == 1 else 's'}"
    if status is Status.COMPLETE:
        read = f"{totals.scanned:,} of {accounts_words(totals.listed)}"
        return f"complete for {organizations}: {read}{left_out_words(totals)}"
    lacking = [one for one in assessments if one.status is not Status.COMPLETE]
    why = ". ".join(f"{organization_id(one)}: {one.status_text}" for one in lacking)
    return f"{status.lower()}: {len(lacking)} of {organizations}. {why}"


def _part(assessments: Sequence[Assessment]) -> Part | None:
    """What the runs were cut down to, all to the same."""
    parts = [one.part for one in assessments if one.part is not None]
    if not parts:
        return None
    return replace(
        parts[0], listed=sum(part.listed for part in parts), of=sum(part.of for part in parts), runs=len(parts)
    )
