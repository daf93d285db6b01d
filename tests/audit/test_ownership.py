"""The note on owners of accounts: what it counts, and what it cannot know."""

from dataclasses import replace

from scanner.audit.ownership import with_owner_note
from scanner.model import FailReason, Failure
from scanner.record import OwnerTags, Record
from tests.builders import account, account_id, failure, header, listing, record

THREE = tuple(map(account, (1, 2, 3)))


def run(owners: dict[int, str], tags: OwnerTags | None = None, problem: Failure | None = None) -> Record:
    by_file = header(account_owners={account_id(number): owner for number, owner in owners.items()})
    made = record(header=by_file, listing=listing(*THREE, in_scope=(1, 2), problem=problem, notes=("another note",)))
    return with_owner_note(replace(made, owner_tags=tags))


def tags(*read: int, problem: Failure | None = None, owner: str | None = None) -> OwnerTags:
    return OwnerTags(values={account_id(number): owner for number in read}, problem=problem)


def test_nothing_is_said_where_no_owners_were_asked_for_or_all_are_named() -> None:
    assert run({}).listing.notes == run({1: "a", 2: "b"}).listing.notes == ("another note",)
    assert run({1: "a"}, tags(2, owner="b")).listing.notes == ("another note",)


def test_an_account_whose_tags_were_not_read_is_not_said_to_have_no_owner() -> None:
    (_, note) = run({}, tags(1)).listing.notes
    assert note == (
        "Account owners: 1 of the 2 accounts in scope has no owner; the tags of 1 account in scope were not read "
        "before the run ended. Name their owners with --account-owners."
    )


def test_a_refusal_is_quoted_with_its_remedy() -> None:
    denied = replace(failure(FailReason.ACCESS_DENIED), call="organizations:ListTagsForResource", code="AccessDenied")
    (_, note) = run({}, tags(problem=replace(denied, detail="No."))).listing.notes
    assert note == (
        "Account owners: the tags of 2 accounts in scope were not read (organizations:ListTagsForResource; "
        "AccessDenied: No). Allow organizations:ListTagsForResource to whoever reads AWS Organizations, or name their "
        "owners with --account-owners."
    )


def test_of_a_listing_that_broke_off_only_the_unread_tags_are_known() -> None:
    (_, note) = run({9: "a"}, tags(1), failure(FailReason.THROTTLED)).listing.notes
    assert note.startswith("Account owners: the tags of 1 account in scope were not read")


def test_the_note_takes_the_place_of_an_earlier_one() -> None:
    earlier = run({9: "a", 1: "a", 2: "b"})
    again = with_owner_note(replace(earlier, header=header(account_owners={account_id(1): "a"})))
    assert again.listing.notes == ("another note", "Account owners: 1 of the 2 accounts in scope has no owner.")
