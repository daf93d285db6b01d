"""A quarter as a person sees it: each screen at 80 and at 140 columns, with what happens in between.

They are written into this file by `make test ARGS="tests/cli/test_screens.py -n 0 --inline-snapshot=create,fix"`. Read what that changes, as the person would. Run ids, digests and days are put in place of those that differ by run.
"""

# ruff: noqa: E501  # a screen has 140 columns

from datetime import UTC, datetime
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from scanner.demo import sample
from tests.aws_endpoint import Fault, deny, running
from tests.conftest import BROKEN_AWS
from tests.program import calling, named, small_world
from tests.readme_picture import PICTURES, words
from tests.screens import Screens, walk


def denied(width: int, folder: Path) -> Screens:
    """A first try, where the accounts do not have the role; and a run in which one account fails."""
    screens, world = Screens(width), small_world()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, value in BROKEN_AWS.items():
            patch.setenv(name, value)
        Path("config/safelists").mkdir(parents=True)
        Path("config/safelists/safelist.yaml").write_text("version: 1\nglobal: [alice]\n", encoding="utf-8")
        with running(world, [Fault("sts:AssumeRole", deny)]) as endpoint, calling(endpoint):
            screens.run("all denied", "scan", "--role-name", "Auditor", code=4)
            endpoint.faults.rules[:] = [
                Fault("sts:AssumeRole", deny, account=named(world, "dev").id),
                Fault("iam:ListUsers", deny, account=named(world, "core").id),
            ]
            screens.run("two denied", "scan", code=4)
    return screens


# Left whole for `patch`, for pasting, and for whoever searches a log.
WHOLE = (" ", "+", "-", "@", "iam-scanner ", "error: ", "warning: ")


def assert_no_line_is_wider_than_the_terminal(screens: Screens) -> None:
    lines = [line for text in screens.shown.values() for line in text.splitlines()]
    assert [line for line in lines if len(line) > screens.width and not line.startswith(WHOLE)] == []


def assert_the_status_is_in_sight(screen: str) -> None:
    lines = screen.strip("\n").splitlines()
    assert lines[0].startswith("COMPLETE for the whole organization")
    assert len(lines) <= 24


@pytest.mark.parametrize("width", [80, 140])
def test_a_quarter_on_the_screen(width: int, tmp_path: Path) -> None:
    pytest.importorskip("moto")
    with sample(datetime.now(UTC).date()) as demo:
        quarter = walk(width, demo, tmp_path)
    assert_no_line_is_wider_than_the_terminal(quarter)
    for name in ("the first scan", "the next scan"):
        assert_the_status_is_in_sight(quarter.shown[name])
    expected = {
        80: snapshot(
            {
                "the first scan": """\

COMPLETE for the whole organization: 13 of 14 accounts (1 inactive)
IAM-058 Check for unapproved IAM users: o-demosample, as of 2026-11-28
Accounts   14 listed = 1 inactive + 13 scanned + 0 failed
Users      64 found = 26 approved + 38 unapproved
           of the 38: 8 administrators, 9 with console and no MFA, 12 dormant
Changes    unknown: no earlier finished run of this organization in reports
Safelist   21 entries: 12 in use, 1 expiring, 3 unused, 1 expired, 1 not
           started, 1 invalid, 2 unmatched; 1 revocation
Most urgent of 40 to review (iam-scanner users 20261128T080000Z-000000)
payments-prod       cc-iam-manager     administrator, on no safelist
core-platform-prod  k.watanabe         administrator, on no safelist
core-platform-prod  terraform-apply    administrator, dormant with active key…
core-data-prod      etl-adhoc          administrator, dormant with active key…
core-data-prod      temp-migration     administrator, dormant with active key…
build-dev           cicd-legacy        administrator, dormant with active key…
sandbox-analytics   hackathon-winner   administrator, dormant with active key…
legacy-shop         shop-ftp-sync      administrator, on no safelist
example-management  root-helper        console without MFA, dormant, on no sa…
payments-prod       cc-accounting-dep  console without MFA, on no safelist
Digest     0000000000000000000000000000000000000000000000000000000000000000
Next       decide on the sheet Review of a copy, and read it back:
cp reports/20261128T080000Z-000000/iam-users.xlsx review.xlsx
iam-scanner review import review.xlsx --safelist reports/demo/safelist.yaml
""",
                "a preview with faults": """\

warning: review.xlsx seems to be open in a spreadsheet program (~$review.xlsx is beside it), and edits that are not saved are not read. Save and close it, and run the command again.
error: review.xlsx, Review!L2 (cc-iam-manager in payments-prod): The approval would break the policy: it has no expires_on. Fill in approve_until.
error: 1 fault. Nothing was imported.
""",
                "a preview": """\

--- reports/demo/safelist.yaml
+++ reports/demo/safelist.yaml
@@ -142,6 +142,15 @@
       approved_on: 2026-04-22
       expires_on: 2027-04-22
       ticket: SEC-095
+    - user: cc-iam-manager
+      user_id: AIDAGLHEJWQSKGMGKZBYQ
+      kind: service
+      owner: payments@example.com
+      reason: as agreed with the owner
+      approved_by: ciso@example.com
+      approved_on: 2026-11-28
+      expires_on: 2027-05-27
+      ticket: SEC-200

   "557302918845":               # payments-ledger-prod
     # Pinned to the user of that name who was deleted; the present one is another.
@@ -232,3 +241,15 @@
     by: ciso@example.com
     on: 2026-11-14
     ticket: SEC-122
+  - account: "745561209938"
+    user: j.novak
+    user_id: AIDAB3B2ARVZSX222CVEE
+    by: ciso@example.com
+    on: 2026-11-28
+    ticket: SEC-200
+  - account: "905517342286"
+    user: webmaster
+    user_id: AIDAEPS5RRXJTDH67UP76
+    by: ciso@example.com
+    on: 2026-11-28
+    ticket: SEC-200

Review of run 20261128T080000Z-000000: PREVIEW, nothing was written
Decided    3 users: 1 Approve, 1 Remove, 1 Quarantine
Undecided  37 of 40 users that the run says need a decision
Safelist   would add 1 approval and 2 revocations: reports/demo/safelist.yaml
Removals   would list 2 users in removals.json:
           reports/20261128T080000Z-000000-review
Ledger     would add 3 decisions: reports/decisions.csv
Next       check all of this, then run the same command with --write; or correct
           the workbook first
""",
                "the import": """\

--- reports/demo/safelist.yaml
+++ reports/demo/safelist.yaml
@@ -142,6 +142,15 @@
       approved_on: 2026-04-22
       expires_on: 2027-04-22
       ticket: SEC-095
+    - user: cc-iam-manager
+      user_id: AIDAGLHEJWQSKGMGKZBYQ
+      kind: service
+      owner: payments@example.com
+      reason: as agreed with the owner
+      approved_by: ciso@example.com
+      approved_on: 2026-11-28
+      expires_on: 2027-05-27
+      ticket: SEC-200

   "557302918845":               # payments-ledger-prod
     # Pinned to the user of that name who was deleted; the present one is another.
@@ -232,3 +241,15 @@
     by: ciso@example.com
     on: 2026-11-14
     ticket: SEC-122
+  - account: "745561209938"
+    user: j.novak
+    user_id: AIDAB3B2ARVZSX222CVEE
+    by: ciso@example.com
+    on: 2026-11-28
+    ticket: SEC-200
+  - account: "905517342286"
+    user: webmaster
+    user_id: AIDAEPS5RRXJTDH67UP76
+    by: ciso@example.com
+    on: 2026-11-28
+    ticket: SEC-200

Review of run 20261128T080000Z-000000
Decided    3 users: 1 Approve, 1 Remove, 1 Quarantine
Undecided  37 of 40 users that the run says need a decision
Safelist   1 approval and 2 revocations added: reports/demo/safelist.yaml
Removals   2 users listed in removals.json:
           reports/20261128T080000Z-000000-review
Ledger     3 decisions added: reports/decisions.csv
Next       have the change of reports/demo/safelist.yaml reviewed and merged:
           that is what approves
           import the decisions that are missing, in the same workbook or in
           others of this run
           plan the removals and quarantines, which changes nothing yet; scan
           again when they are done:
iam-scanner remediate plan reports/20261128T080000Z-000000-review/removals.json --safelist reports/demo/safelist.yaml
""",
                "the plan": """\

Plan 20261128T080001Z-000001: 1 user to quarantine, in 1 account
Nothing was changed.

To be quarantined
User                 What hangs on it  Last use            Why
webmaster            console password  2026-11-08 console  Quarantine, decided
905517342286                                               by ciso@example.com
legacy-shop                                                on 2026-11-28
                                                           (SEC-200): as agreed
                                                           with the owner

To know before
webmaster (905517342286)
  Its console password was used on 2026-11-08.

Spared: not in the plan
RECENTLY_USED  j.novak in 745561209938 core-dev: Remove
  Its console password was used on 2026-11-27, less than 30 days ago. Quarantine
  it first, or give --include-active.

Files      reports/20261128T080000Z-000000-remediation/20261128T080001Z-000001
           plan.csv, commands.sh
Digest     0000000000000000000000000000000000000000000000000000000000000000
           of the plan; note it elsewhere
Valid      until 2026-12-05 08:00 UTC
Next       read the plan; this shows each call, and makes them with --execute:
iam-scanner remediate apply 20261128T080001Z-000001 --safelist reports/demo/safelist.yaml
""",
                "the next scan": """\

COMPLETE for the whole organization: 13 of 14 accounts (1 inactive)
IAM-058 Check for unapproved IAM users: o-demosample, as of 2026-11-28
Accounts   14 listed = 1 inactive + 13 scanned + 0 failed
Users      64 found = 27 approved + 37 unapproved
           of the 37: 8 administrators, 9 with console and no MFA, 12 dormant
Changes    1 privilege gained (integration-test), 1 new (new-hire), 1 newly
           approved, 1 gone, 61 unchanged
           since 20261128T080000Z-000000, the newest complete run for this scope
Decisions  1 to be removed and still there: j.novak (core-dev)
           1 to be quarantined and still there: webmaster (legacy-shop)
Safelist   22 entries: 13 in use, 1 expiring, 3 unused, 1 expired, 1 not
           started, 1 invalid, 2 unmatched; 3 revocations
Fail on    new: 1 user, exit code 3
Most urgent of 39 to review (iam-scanner users 20261128T080002Z-000002)
payments-dev        integration-test  privilege gained, administrator, approv…
core-platform-prod  k.watanabe        administrator, on no safelist
core-platform-prod  terraform-apply   administrator, dormant with active keys…
Digest     0000000000000000000000000000000000000000000000000000000000000000
Next       carry out what was decided; decide on the sheet Review of a copy, and
           read it back:
iam-scanner remediate plan reports/20261128T080000Z-000000-review/removals.json --safelist reports/demo/safelist.yaml
cp reports/20261128T080002Z-000002/iam-users.xlsx review.xlsx
iam-scanner review import review.xlsx --safelist reports/demo/safelist.yaml
""",
                "who is new": """\

Account       Name          User      Why
731920465582  payments-dev  new-hire  new, on no safelist

1 of 64 users of run 20261128T080002Z-000002: COMPLETE
""",
                "who gained rights": """\

Account       Name          User              Why
731920465582  payments-dev  integration-test  privilege gained, administrator,
                                              approval not started yet

1 of 64 users of run 20261128T080002Z-000002: COMPLETE
""",
                "who flips by January": """\

2 users flip, compared with run 20261128T080002Z-000002 as it was decided: 1
from approved to unapproved, 1 from unapproved to approved.

Newly unapproved: 1 user
  557190284613  payments-prod  cc-aurora-developer
      approval: approved -> unapproved (The approval at
      reports/demo/safelist.yaml:127 ended on 2026-12-19)

Newly approved: 1 user
  731920465582  payments-dev  integration-test
      approval: unapproved (approval not started yet) -> approved for this
      account by reports/demo/safelist.yaml:208 until 2027-06-06

COMPLETE for the whole organization: 13 of 14 accounts (1 inactive)
WHAT-IF: run 20261128T080002Z-000002, decided again by its own safelists,
approvals judged on 2027-01-31, not on 2026-11-28. No account was read again,
and the run stays as it was decided.
Accounts   14 listed = 1 inactive + 13 scanned + 0 failed
Users      64 found = 27 approved + 37 unapproved
Safelist   22 entries: 12 in use, 2 expiring, 3 unused, 2 expired, 1 invalid, 2
           unmatched; 3 revocations
Fail on    new: 1 user, exit code 3
Files      reports/20261128T080002Z-000002-evaluated-9cb5bd5b
Next       the run stays as it is; a scan by these safelists, on that day,
           decides as shown here.
""",
                "what changed": """\

Old        20261128T080000Z-000000  2026-11-28  COMPLETE for the whole
           organization: 13 of 14 accounts (1 inactive)
New        20261128T080002Z-000002  2026-11-28  COMPLETE for the whole
           organization: 13 of 14 accounts (1 inactive)
Changed    1 privilege gained, 1 new, 1 newly approved, 1 gone
Unchanged  61 users

Privilege gained: 1 user
  731920465582  payments-dev  integration-test
      rights: none -> administrator, policy Everything
      approval: unapproved (The approval at reports/demo/safelist.yaml:208
      starts on 2026-12-05)

New: 1 user
  731920465582  payments-dev  new-hire
      user: not there -> there
      approval: unapproved (No entry matches)
      rights: none

Newly approved: 1 user
  557190284613  payments-prod  cc-iam-manager
      approval: unapproved (on no safelist) -> approved for this account by
      reports/demo/safelist.yaml:145 until 2027-05-27

Gone: 1 user
  731920465582  payments-dev  leaver
      user: there -> not there any more
      approval: unapproved (on no safelist)
      rights: none
""",
                "whether it is whole": """\

ok          manifest.json names 5 files
ok          accounts.csv is as it was
ok          iam-users.csv is as it was
ok          iam-users.xlsx is as it was
ok          journal.jsonl is as it was
ok          summary.json is as it was
ok          journal.jsonl every line follows the one before it
ok          iam-users.csv rendered again from the journal: the same bytes
ok          accounts.csv rendered again from the journal: the same bytes
The run is whole.
Without --digest this does not show that nobody rewrote all of it.
""",
                "the safelist": """\

Valid: 22 entries, 3 revocations, in 1 file.
reports/demo/safelist.yaml:198  breaks the policy  account 618840027593
    redshift-loader  data-engineer@example.com is not among the policy's
    approvers
reports/demo/safelist.yaml:96  expired  account 000123456789  guardduty-export
    ended on 2026-10-29
reports/demo/safelist.yaml:127  expiring  account 557190284613
    cc-aurora-developer  ends on 2026-12-19
reports/demo/safelist.yaml:228  expiring  account 999988887777  partner-feed
    ends on 2027-02-01
reports/demo/safelist.yaml:208  not started  account 731920465582
    integration-test  starts on 2026-12-05
The approval at reports/demo/safelist.yaml:178 has no effect:
    reports/demo/safelist.yaml:239 revokes it.
""",
            }
        ),
        140: snapshot(
            {
                "the first scan": """\

COMPLETE for the whole organization: 13 of 14 accounts (1 inactive)
IAM-058 Check for unapproved IAM users: o-demosample, as of 2026-11-28
Accounts   14 listed = 1 inactive + 13 scanned + 0 failed
Users      64 found = 26 approved + 38 unapproved
           of the 38: 8 administrators, 9 with console and no MFA, 12 dormant
Changes    unknown: no earlier finished run of this organization in reports
Safelist   21 entries: 12 in use, 1 expiring, 3 unused, 1 expired, 1 not started, 1 invalid, 2 unmatched; 1 revocation
Most urgent of 40 to review (iam-scanner users 20261128T080000Z-000000)
557190284613  payments-prod       cc-iam-manager     administrator, on no safelist
602914873315  core-platform-prod  k.watanabe         administrator, on no safelist
602914873315  core-platform-prod  terraform-apply    administrator, dormant with active keys, revoked
618840027593  core-data-prod      etl-adhoc          administrator, dormant with active keys, on no safelist
618840027593  core-data-prod      temp-migration     administrator, dormant with active keys, on no safelist
753300918274  build-dev           cicd-legacy        administrator, dormant with active keys, on no safelist
860012457739  sandbox-analytics   hackathon-winner   administrator, dormant with active keys, on no safelist
905517342286  legacy-shop         shop-ftp-sync      administrator, on no safelist
210987654321  example-management  root-helper        console without MFA, dormant, on no safelist
557190284613  payments-prod       cc-accounting-dep  console without MFA, on no safelist
Digest     0000000000000000000000000000000000000000000000000000000000000000
Next       decide on the sheet Review of a copy, and read it back:
cp reports/20261128T080000Z-000000/iam-users.xlsx review.xlsx
iam-scanner review import review.xlsx --safelist reports/demo/safelist.yaml
""",
                "a preview with faults": """\

warning: review.xlsx seems to be open in a spreadsheet program (~$review.xlsx is beside it), and edits that are not saved are not read. Save and close it, and run the command again.
error: review.xlsx, Review!L2 (cc-iam-manager in payments-prod): The approval would break the policy: it has no expires_on. Fill in approve_until.
error: 1 fault. Nothing was imported.
""",
                "a preview": """\

--- reports/demo/safelist.yaml
+++ reports/demo/safelist.yaml
@@ -142,6 +142,15 @@
       approved_on: 2026-04-22
       expires_on: 2027-04-22
       ticket: SEC-095
+    - user: cc-iam-manager
+      user_id: AIDAGLHEJWQSKGMGKZBYQ
+      kind: service
+      owner: payments@example.com
+      reason: as agreed with the owner
+      approved_by: ciso@example.com
+      approved_on: 2026-11-28
+      expires_on: 2027-05-27
+      ticket: SEC-200

   "557302918845":               # payments-ledger-prod
     # Pinned to the user of that name who was deleted; the present one is another.
@@ -232,3 +241,15 @@
     by: ciso@example.com
     on: 2026-11-14
     ticket: SEC-122
+  - account: "745561209938"
+    user: j.novak
+    user_id: AIDAB3B2ARVZSX222CVEE
+    by: ciso@example.com
+    on: 2026-11-28
+    ticket: SEC-200
+  - account: "905517342286"
+    user: webmaster
+    user_id: AIDAEPS5RRXJTDH67UP76
+    by: ciso@example.com
+    on: 2026-11-28
+    ticket: SEC-200

Review of run 20261128T080000Z-000000: PREVIEW, nothing was written
Decided    3 users: 1 Approve, 1 Remove, 1 Quarantine
Undecided  37 of 40 users that the run says need a decision
Safelist   would add 1 approval and 2 revocations: reports/demo/safelist.yaml
Removals   would list 2 users in removals.json: reports/20261128T080000Z-000000-review
Ledger     would add 3 decisions: reports/decisions.csv
Next       check all of this, then run the same command with --write; or correct the workbook first
""",
                "the import": """\

--- reports/demo/safelist.yaml
+++ reports/demo/safelist.yaml
@@ -142,6 +142,15 @@
       approved_on: 2026-04-22
       expires_on: 2027-04-22
       ticket: SEC-095
+    - user: cc-iam-manager
+      user_id: AIDAGLHEJWQSKGMGKZBYQ
+      kind: service
+      owner: payments@example.com
+      reason: as agreed with the owner
+      approved_by: ciso@example.com
+      approved_on: 2026-11-28
+      expires_on: 2027-05-27
+      ticket: SEC-200

   "557302918845":               # payments-ledger-prod
     # Pinned to the user of that name who was deleted; the present one is another.
@@ -232,3 +241,15 @@
     by: ciso@example.com
     on: 2026-11-14
     ticket: SEC-122
+  - account: "745561209938"
+    user: j.novak
+    user_id: AIDAB3B2ARVZSX222CVEE
+    by: ciso@example.com
+    on: 2026-11-28
+    ticket: SEC-200
+  - account: "905517342286"
+    user: webmaster
+    user_id: AIDAEPS5RRXJTDH67UP76
+    by: ciso@example.com
+    on: 2026-11-28
+    ticket: SEC-200

Review of run 20261128T080000Z-000000
Decided    3 users: 1 Approve, 1 Remove, 1 Quarantine
Undecided  37 of 40 users that the run says need a decision
Safelist   1 approval and 2 revocations added: reports/demo/safelist.yaml
Removals   2 users listed in removals.json: reports/20261128T080000Z-000000-review
Ledger     3 decisions added: reports/decisions.csv
Next       have the change of reports/demo/safelist.yaml reviewed and merged: that is what approves
           import the decisions that are missing, in the same workbook or in others of this run
           plan the removals and quarantines, which changes nothing yet; scan again when they are done:
iam-scanner remediate plan reports/20261128T080000Z-000000-review/removals.json --safelist reports/demo/safelist.yaml
""",
                "the plan": """\

Plan 20261128T080001Z-000001: 1 user to quarantine, in 1 account
Nothing was changed.

To be quarantined
User                      What hangs on it  Last use            Why
webmaster                 console password  2026-11-08 console  Quarantine, decided by ciso@example.com on 2026-11-28 (SEC-200): as agreed
905517342286 legacy-shop                                        with the owner

To know before
webmaster (905517342286)
  Its console password was used on 2026-11-08.

Spared: not in the plan
RECENTLY_USED  j.novak in 745561209938 core-dev: Remove
  Its console password was used on 2026-11-27, less than 30 days ago. Quarantine it first, or give --include-active.

Files      reports/20261128T080000Z-000000-remediation/20261128T080001Z-000001
           plan.csv, commands.sh
Digest     0000000000000000000000000000000000000000000000000000000000000000
           of the plan; note it elsewhere
Valid      until 2026-12-05 08:00 UTC
Next       read the plan; this shows each call, and makes them with --execute:
iam-scanner remediate apply 20261128T080001Z-000001 --safelist reports/demo/safelist.yaml
""",
                "the next scan": """\

COMPLETE for the whole organization: 13 of 14 accounts (1 inactive)
IAM-058 Check for unapproved IAM users: o-demosample, as of 2026-11-28
Accounts   14 listed = 1 inactive + 13 scanned + 0 failed
Users      64 found = 27 approved + 37 unapproved
           of the 37: 8 administrators, 9 with console and no MFA, 12 dormant
Changes    1 privilege gained (integration-test), 1 new (new-hire), 1 newly approved, 1 gone, 61 unchanged
           since 20261128T080000Z-000000, the newest complete run for this scope
Decisions  1 to be removed and still there: j.novak (core-dev)
           1 to be quarantined and still there: webmaster (legacy-shop)
Safelist   22 entries: 13 in use, 1 expiring, 3 unused, 1 expired, 1 not started, 1 invalid, 2 unmatched; 3 revocations
Fail on    new: 1 user, exit code 3
Most urgent of 39 to review (iam-scanner users 20261128T080002Z-000002)
731920465582  payments-dev        integration-test  privilege gained, administrator, approval not started yet
602914873315  core-platform-prod  k.watanabe        administrator, on no safelist
602914873315  core-platform-prod  terraform-apply   administrator, dormant with active keys, revoked
618840027593  core-data-prod      etl-adhoc         administrator, dormant with active keys, on no safelist
618840027593  core-data-prod      temp-migration    administrator, dormant with active keys, on no safelist
753300918274  build-dev           cicd-legacy       administrator, dormant with active keys, on no safelist
Digest     0000000000000000000000000000000000000000000000000000000000000000
Next       carry out what was decided; decide on the sheet Review of a copy, and read it back:
iam-scanner remediate plan reports/20261128T080000Z-000000-review/removals.json --safelist reports/demo/safelist.yaml
cp reports/20261128T080002Z-000002/iam-users.xlsx review.xlsx
iam-scanner review import review.xlsx --safelist reports/demo/safelist.yaml
""",
                "who is new": """\

Account       Name          User      Why
731920465582  payments-dev  new-hire  new, on no safelist

1 of 64 users of run 20261128T080002Z-000002: COMPLETE
""",
                "who gained rights": """\

Account       Name          User              Why
731920465582  payments-dev  integration-test  privilege gained, administrator, approval not started yet

1 of 64 users of run 20261128T080002Z-000002: COMPLETE
""",
                "who flips by January": """\

2 users flip, compared with run 20261128T080002Z-000002 as it was decided: 1 from approved to unapproved, 1 from unapproved to approved.

Newly unapproved: 1 user
  557190284613  payments-prod  cc-aurora-developer
      approval: approved -> unapproved (The approval at reports/demo/safelist.yaml:127 ended on 2026-12-19)

Newly approved: 1 user
  731920465582  payments-dev  integration-test
      approval: unapproved (approval not started yet) -> approved for this account by reports/demo/safelist.yaml:208 until 2027-06-06

COMPLETE for the whole organization: 13 of 14 accounts (1 inactive)
WHAT-IF: run 20261128T080002Z-000002, decided again by its own safelists, approvals judged on 2027-01-31, not on 2026-11-28. No account was
read again, and the run stays as it was decided.
Accounts   14 listed = 1 inactive + 13 scanned + 0 failed
Users      64 found = 27 approved + 37 unapproved
Safelist   22 entries: 12 in use, 2 expiring, 3 unused, 2 expired, 1 invalid, 2 unmatched; 3 revocations
Fail on    new: 1 user, exit code 3
Files      reports/20261128T080002Z-000002-evaluated-9cb5bd5b
Next       the run stays as it is; a scan by these safelists, on that day, decides as shown here.
""",
                "what changed": """\

Old        20261128T080000Z-000000  2026-11-28  COMPLETE for the whole organization: 13 of 14 accounts (1 inactive)
New        20261128T080002Z-000002  2026-11-28  COMPLETE for the whole organization: 13 of 14 accounts (1 inactive)
Changed    1 privilege gained, 1 new, 1 newly approved, 1 gone
Unchanged  61 users

Privilege gained: 1 user
  731920465582  payments-dev  integration-test
      rights: none -> administrator, policy Everything
      approval: unapproved (The approval at reports/demo/safelist.yaml:208 starts on 2026-12-05)

New: 1 user
  731920465582  payments-dev  new-hire  user: not there -> there; approval: unapproved (No entry matches); rights: none

Newly approved: 1 user
  557190284613  payments-prod  cc-iam-manager
      approval: unapproved (on no safelist) -> approved for this account by reports/demo/safelist.yaml:145 until 2027-05-27

Gone: 1 user
  731920465582  payments-dev  leaver  user: there -> not there any more; approval: unapproved (on no safelist); rights: none
""",
                "whether it is whole": """\

ok          manifest.json names 5 files
ok          accounts.csv is as it was
ok          iam-users.csv is as it was
ok          iam-users.xlsx is as it was
ok          journal.jsonl is as it was
ok          summary.json is as it was
ok          journal.jsonl every line follows the one before it
ok          iam-users.csv rendered again from the journal: the same bytes
ok          accounts.csv rendered again from the journal: the same bytes
The run is whole.
Without --digest this does not show that nobody rewrote all of it.
""",
                "the safelist": """\

Valid: 22 entries, 3 revocations, in 1 file.
reports/demo/safelist.yaml:198  breaks the policy  account 618840027593  redshift-loader  data-engineer@example.com is not among the
    policy's approvers
reports/demo/safelist.yaml:96  expired  account 000123456789  guardduty-export  ended on 2026-10-29
reports/demo/safelist.yaml:127  expiring  account 557190284613  cc-aurora-developer  ends on 2026-12-19
reports/demo/safelist.yaml:228  expiring  account 999988887777  partner-feed  ends on 2027-02-01
reports/demo/safelist.yaml:208  not started  account 731920465582  integration-test  starts on 2026-12-05
The approval at reports/demo/safelist.yaml:178 has no effect: reports/demo/safelist.yaml:239 revokes it.
""",
            }
        ),
    }
    assert quarter.shown == expected[width]
    if width == 80:
        for name, picture in PICTURES.items():
            drawn = "\n".join(words(picture.read_text(encoding="utf-8"))[1:]).split()
            assert drawn == quarter.shown[name].split(), "draw it again: python -m tests.readme_picture"


@pytest.mark.parametrize("width", [80, 140])
def test_what_failed_on_the_screen(width: int, tmp_path: Path) -> None:
    screens = denied(width, tmp_path)
    assert_no_line_is_wider_than_the_terminal(screens)
    expected = {
        80: snapshot(
            {
                "all denied": """\

INCOMPLETE: 6 of 7 accounts in scope could not be read
IAM-058 Check for unapproved IAM users: o-example0001, as of 2026-11-28
Accounts   7 listed = 1 scanned + 6 failed
Users      2 found = 1 approved + 1 unapproved
Changes    unknown: no earlier finished run of this organization in reports
Safelist   1 entry: 1 in use
Not read: 6 accounts
No account but the caller's own could be entered. Most likely their role is not
called Auditor (give its name with --role-name), the external ID is missing
(--external-id), or their roles trust another principal than the caller.
  6 accounts: payments-1 162261467039, dev 324522934078, payments-2 549681956052
  and 3 more, see accounts.csv
  ROLE_NOT_ASSUMABLE sts:AssumeRole AccessDenied
  Check in this account that the role exists, that its trust policy names the
  caller (and the external ID, if one is asked for), and that no SCP denies it:
  AWS does not say which.
Most urgent of 2 to review (iam-scanner users 20261128T080000Z-000000)
management  bob    on no safelist
management  alice  approved, never reviewed
Files      reports/20261128T080000Z-000000
Digest     0000000000000000000000000000000000000000000000000000000000000000
Next       start a new scan with what was missing: a resumed run keeps its role
           and external ID.
""",
                "two denied": """\

INCOMPLETE: 2 of 7 accounts in scope could not be read
IAM-058 Check for unapproved IAM users: o-example0001, as of 2026-11-28
Accounts   7 listed = 5 scanned + 2 failed
Users      10 found = 5 approved + 5 unapproved
Changes    unknown: no earlier run is complete and covers this scope (1
           incomplete)
Safelist   1 entry: 1 in use
Not read: 2 accounts
  1 account: dev 324522934078
  ROLE_NOT_ASSUMABLE sts:AssumeRole AccessDenied
  Check in this account that the role exists, that its trust policy names the
  caller (and the external ID, if one is asked for), and that no SCP denies it:
  AWS does not say which.
  1 account: core 937102445065
  ACCESS_DENIED iam:ListUsers AccessDenied
  Allow this call in the role's policies, and check SCPs, permissions boundaries
  and the session policy.
Digest     0000000000000000000000000000000000000000000000000000000000000000
Next       nothing is known of the users in accounts that were not read. Fix the
           cause; then:
iam-scanner scan --resume reports/20261128T080001Z-000001
""",
            }
        ),
        140: snapshot(
            {
                "all denied": """\

INCOMPLETE: 6 of 7 accounts in scope could not be read
IAM-058 Check for unapproved IAM users: o-example0001, as of 2026-11-28
Accounts   7 listed = 1 scanned + 6 failed
Users      2 found = 1 approved + 1 unapproved
Changes    unknown: no earlier finished run of this organization in reports
Safelist   1 entry: 1 in use
Not read: 6 accounts
No account but the caller's own could be entered. Most likely their role is not called Auditor (give its name with --role-name), the
external ID is missing (--external-id), or their roles trust another principal than the caller.
  6 accounts: payments-1 162261467039, dev 324522934078, payments-2 549681956052 and 3 more, see accounts.csv
  ROLE_NOT_ASSUMABLE sts:AssumeRole AccessDenied (of payments-1): User: arn:aws:iam::387420489013:user/auditor is not authorized to perform:
  sts:AssumeRole on resource: arn:aws:iam::162261467039:role/Auditor
  Check in this account that the role exists, that its trust policy names the caller (and the external ID, if one is asked for), and that no
  SCP denies it: AWS does not say which.
Most urgent of 2 to review (iam-scanner users 20261128T080000Z-000000)
387420489013  management  bob    on no safelist
387420489013  management  alice  approved, never reviewed
Files      reports/20261128T080000Z-000000
Digest     0000000000000000000000000000000000000000000000000000000000000000
Next       start a new scan with what was missing: a resumed run keeps its role and external ID.
""",
                "two denied": """\

INCOMPLETE: 2 of 7 accounts in scope could not be read
IAM-058 Check for unapproved IAM users: o-example0001, as of 2026-11-28
Accounts   7 listed = 5 scanned + 2 failed
Users      10 found = 5 approved + 5 unapproved
Changes    unknown: no earlier run is complete and covers this scope (1 incomplete)
Safelist   1 entry: 1 in use
Not read: 2 accounts
  1 account: dev 324522934078
  ROLE_NOT_ASSUMABLE sts:AssumeRole AccessDenied: User: arn:aws:iam::387420489013:user/auditor is not authorized to perform: sts:AssumeRole
  on resource: arn:aws:iam::324522934078:role/OrganizationAccountAccessRole
  Check in this account that the role exists, that its trust policy names the caller (and the external ID, if one is asked for), and that no
  SCP denies it: AWS does not say which.
  1 account: core 937102445065
  ACCESS_DENIED iam:ListUsers AccessDenied: User: arn:aws:sts::937102445065:assumed-role/OrganizationAccountAccessRole/iam-scanner is not
  authorized to perform: iam:ListUsers on resource: *
  Allow this call in the role's policies, and check SCPs, permissions boundaries and the session policy.
Most urgent of 10 to review (iam-scanner users 20261128T080001Z-000001)
162261467039  payments-1  bob  on no safelist
387420489013  management  bob  on no safelist
549681956052  payments-2  bob  on no safelist
Digest     0000000000000000000000000000000000000000000000000000000000000000
Next       nothing is known of the users in accounts that were not read. Fix the cause; then:
iam-scanner scan --resume reports/20261128T080001Z-000001
""",
            }
        ),
    }
    assert screens.shown == expected[width]
