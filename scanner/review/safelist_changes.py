"""Decisions → what the safelists lack of them. Pure: nothing is written here."""

from collections.abc import Sequence
from dataclasses import replace

from scanner.errors import Fault
from scanner.model import Choice, Revocation
from scanner.review.decisions import Decided
from scanner.safelist.file_changes import Renewable, Wanted, bare
from scanner.safelist.match import Index


def wanted(decided: Sequence[Decided], index: Index) -> Wanted:
    """What is to be added and taken out; what is there already is neither."""
    known = {bare(entry) for entry in index.safelist.entries}
    approved = [one for one in decided if one.decision.choice is Choice.APPROVE]
    lacking = [one for one in approved if bare(one.approval) not in known]
    renewable = Renewable(index.safelist.entries)
    approvals, renewals = [], []
    for one in lacking:
        new = one.approval
        if (old := renewable.taken_by(new, one.finding.user.arn)) is None:
            approvals.append(new)
        else:
            renewals.append((old, replace(new, selector=old.selector, value=old.value)))
    return Wanted(
        approvals=tuple(approvals),
        renewals=tuple((old, new) for old, new in renewals if bare(old) != bare(new)),
        revocations=tuple(_revocation(one) for one in decided if one.decision.is_removal and not revoking(one, index)),
        lifted=tuple(dict.fromkeys(found for approval in approved for found in revoking(approval, index))),
    )


def revoking(decided: Decided, index: Index) -> tuple[Revocation, ...]:
    return index.revocations(decided.finding.account.id, decided.finding.user)


def forbidden(decided: Decided, index: Index) -> Fault | None:
    """The fault of an approval of somebody whom the safelists revoke; None where they do not."""
    found = revoking(decided, index) if decided.decision.choice is Choice.APPROVE else ()
    if not found:
        return None
    problem = f"{found[0].at} revokes this user, which beats every approval."
    return decided.fault("decision", problem, "Give --supersede to take that revocation out.")


def _revocation(decided: Decided) -> Revocation:
    decision = decided.decision
    return Revocation(
        account_id=decision.account_id,
        user=decided.finding.user.user_name,
        user_id=decision.user_id,
        by=decision.reviewer,
        on=decision.reviewed_on,
        ticket=decision.ticket,
        file="",
        line=0,
    )
