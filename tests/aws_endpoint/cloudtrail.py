"""CloudTrail: the event history of an account, in the one Region that has IAM's events, at two calls a second."""

import json
from datetime import UTC, datetime
from typing import Any

from tests.aws_endpoint.ask import Ask
from tests.aws_endpoint.clock import Clock
from tests.aws_endpoint.organization import SimulatedAccount, SimulatedEvent
from tests.aws_endpoint.pages import BadToken, page
from tests.aws_endpoint.wire import AwsError

IAM_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
_A_SECOND = 2  # calls, an account and Region


class EventHistory:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}  # account → calls left, at which second

    def lookup_events(self, account: SimulatedAccount, ask: Ask) -> dict[str, Any]:
        self._throttle(account)
        wanted = {each["AttributeKey"]: each["AttributeValue"] for each in ask.parameters["LookupAttributes"]}
        since = datetime.fromtimestamp(ask.parameters.get("StartTime", 0), UTC)
        here = account.events if ask.region == IAM_REGIONS[account.partition] else []
        events = [each for each in here if each.name == wanted["EventName"] and each.time >= since]
        events.sort(key=lambda each: each.time, reverse=True)
        size = int(ask.parameters.get("MaxResults", 50))
        if not 1 <= size <= 50:
            raise AwsError(400, "InvalidMaxResultsException", f"{size} is not a valid value for MaxResults.")
        token = ask.parameters.get("NextToken")
        try:
            part = page(events, of=f"{account.id}:LookupEvents", token=token, size=size, lies=ask.lies)
        except BadToken as error:
            raise AwsError(400, "InvalidNextTokenException", "The token is not valid.") from error
        answer = {"Events": [_event(account, each) for each in part.items]}
        return answer | ({"NextToken": part.token} if part.token else {})

    def _throttle(self, account: SimulatedAccount) -> None:
        now = self._clock.now().timestamp()
        left, since = self._left.get(account.id, (float(_A_SECOND), now))
        left = min(_A_SECOND, left + (now - since) * _A_SECOND)
        self._left[account.id] = (left - 1 if left >= 1 else left, now)
        if left < 1:
            raise AwsError(400, "ThrottlingException", "Rate exceeded")


def _event(account: SimulatedAccount, event: SimulatedEvent) -> dict[str, Any]:
    text = {
        "eventVersion": "1.11",
        "eventTime": event.time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "iam.amazonaws.com",
        "eventName": event.name,
        "recipientAccountId": account.id,
        **event.fields,
    }
    return {
        "EventId": event.id,
        "EventName": event.name,
        "EventTime": event.time.timestamp(),
        "EventSource": "iam.amazonaws.com",
        "CloudTrailEvent": event.text if event.text is not None else json.dumps(text),
    }
