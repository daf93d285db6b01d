"""How long IAM is waited for: it replicates, so that what was just changed may show only seconds later."""

import asyncio
from typing import Final

PAUSES: Final[tuple[float, ...]] = (0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0)  # seconds between two looks


async def may_look_again(looks: int) -> bool:
    """Wait after so many looks and return True; False, at once, where IAM was looked at often enough."""
    if looks >= len(PAUSES):
        return False
    await asyncio.sleep(PAUSES[looks])
    return True
