"""Where an account is in the organization now."""

from scanner.aws.clients import Session
from scanner.aws.failures import CallError
from scanner.model import AccountId


async def parent_of(session: Session, account_id: AccountId) -> str | None:
    """Return the ID of the root or OU that holds the account (ListParents); None where the organization lacks it.

    Raises `CallError` where that cannot be told.
    """
    try:
        pages = session.pages("ListParents", ChildId=account_id)
        parents = [str(raw["Id"]) async for page in pages for raw in page.get("Parents", [])]
    except CallError as error:
        if error.failure.code == "ChildNotFoundException":
            return None
        raise
    return parents[0] if parents else None
