"""A call that was let in: what the actions of all services work on."""

from dataclasses import dataclass, field

from tests.aws_endpoint.sessions import Caller
from tests.aws_endpoint.wire import Parameters, Reply, reply_xml

FOREIGN_ACCOUNT = "999999999999"  # what ARNs name under the lie "wrong-account"


@dataclass(frozen=True, slots=True)
class Ask:
    service: str
    action: str
    parameters: Parameters
    caller: Caller
    user_agent: str = ""
    region: str = ""  # that the signature is for
    lies: set[str] = field(default_factory=set)

    def reply(self, result: str) -> Reply:
        """The answer of a query service: the XML inside its result element."""
        if "wrong-account" in self.lies:
            result = result.replace(f"::{self.caller.account_id}:", f"::{FOREIGN_ACCOUNT}:")
        return reply_xml(self.service, self.action, result)
