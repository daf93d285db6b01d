"""What the endpoint answers: who is let in, and which action serves the call."""

from collections.abc import Iterable, Mapping

from tests.aws_endpoint import iam, organizations_api, s3
from tests.aws_endpoint.ask import Ask
from tests.aws_endpoint.clock import Clock
from tests.aws_endpoint.cloudtrail import EventHistory
from tests.aws_endpoint.credential_report import CredentialReports
from tests.aws_endpoint.faults import Call, in_json
from tests.aws_endpoint.iam_state import LiveAccount
from tests.aws_endpoint.iam_state_changes import STATEFUL, answer_stateful
from tests.aws_endpoint.organization import SimulatedOrganization
from tests.aws_endpoint.sessions import Caller, Sessions, account_of, check_permitted
from tests.aws_endpoint.wire import JSON_SERVICES, AwsError, Reply, Request, reply_json, xml

# The resource that a call is authorised on, where that is not "*".
_RESOURCES = {"ListUsers": "arn:{partition}:iam::{account}:user/"}


class Services:
    """Organizations, STS, IAM, CloudTrail and S3 of one world."""

    def __init__(self, world: SimulatedOrganization, callers: Iterable[Caller], clock: Clock) -> None:
        self.world = world
        self.sessions = Sessions(world, callers, clock)
        self.iam: dict[str, iam.Action] = iam.actions(CredentialReports(clock))
        self._sts = {"GetCallerIdentity": self._get_caller_identity, "AssumeRole": self._assume_role}
        self._cloudtrail = {"LookupEvents": EventHistory(clock).lookup_events}
        self._known: Mapping[str, Mapping[str, object]] = {
            "organizations": organizations_api.ACTIONS,
            "sts": self._sts,
            "cloudtrail": self._cloudtrail,
            "iam": self.iam | dict.fromkeys(STATEFUL),
            "s3": dict.fromkeys(s3.ACTIONS),
        }

    def admit(self, request: Request) -> Ask:
        """The call, once it is known who makes it."""
        if request.action not in self._known.get(request.service, {}):
            raise _unknown_action(request)
        caller = self.sessions.authenticate(request)
        agent = request.headers.get("user-agent", "")
        return Ask(request.service, request.action, request.parameters, caller, agent, request.region)

    def answer(self, ask: Ask) -> Reply:
        match ask.service:
            case "organizations":
                return self._answer_organizations(ask)
            case "sts":
                return self._sts[ask.action](ask)
            case "s3":
                return s3.answer_s3(self.world.buckets, ask)
            case "cloudtrail":
                return self._answer_cloudtrail(ask)
            case _:
                return self._answer_iam(ask)

    def _answer_organizations(self, ask: Ask) -> Reply:
        organizations_api.check_access(self.world, ask)
        try:
            check_permitted(ask.caller, f"organizations:{ask.action}", "*")
        except AwsError as error:
            raise in_json(error) from error
        return reply_json(organizations_api.ACTIONS[ask.action](self.world, ask))

    def _answer_cloudtrail(self, ask: Ask) -> Reply:
        try:
            check_permitted(ask.caller, f"cloudtrail:{ask.action}", "*")
        except AwsError as error:
            raise in_json(error) from error
        return reply_json(self._cloudtrail[ask.action](self.world.accounts[ask.caller.account_id], ask))

    def _answer_iam(self, ask: Ask) -> Reply:
        account = self.world.accounts[ask.caller.account_id]
        if isinstance(account, LiveAccount) and ask.action in STATEFUL and "AllUsers" not in ask.parameters:
            return answer_stateful(account, ask)
        resource = _RESOURCES.get(ask.action, "*").format(partition=account.partition, account=account.id)
        check_permitted(ask.caller, f"iam:{ask.action}", resource)
        return self.iam[ask.action](account, ask)

    def _get_caller_identity(self, ask: Ask) -> Reply:
        caller = ask.caller
        return ask.reply(
            f"<Arn>{xml(caller.arn)}</Arn><UserId>{xml(caller.user_id)}</UserId><Account>{caller.account_id}</Account>"
        )

    def _assume_role(self, ask: Ask) -> Reply:
        session = self.sessions.assume(ask.caller, ask.parameters)
        assert session.expires_at is not None
        return ask.reply(
            f"<AssumedRoleUser><AssumedRoleId>{xml(session.user_id)}</AssumedRoleId><Arn>{xml(session.arn)}</Arn>"
            f"</AssumedRoleUser><Credentials><AccessKeyId>{session.access_key_id}</AccessKeyId>"
            f"<SecretAccessKey>secret-of-{session.access_key_id}</SecretAccessKey>"
            f"<SessionToken>{session.session_token}</SessionToken>"
            f"<Expiration>{iam.time(session.expires_at)}</Expiration></Credentials><PackedPolicySize>6</PackedPolicySize>"
        )


def call_of(ask: Ask) -> Call:
    """What is recorded of a call, and what fault rules see of it."""
    account_id = ask.caller.account_id
    if ask.action == "AssumeRole":
        account_id = account_of(ask.parameters.get("RoleArn", "")) or account_id
    caller = ask.caller
    return Call(
        ask.service, ask.action, account_id, caller.access_key_id, caller.account_id, ask.parameters, ask.user_agent
    )


def _unknown_action(request: Request) -> AwsError:
    if request.service == "s3":
        return AwsError(501, "NotImplemented", "A header you provided implies functionality that is not implemented")
    if request.service in JSON_SERVICES:
        return AwsError(400, "UnknownOperationException", "")
    return AwsError(400, "InvalidAction", f"Could not find operation {request.action}")
