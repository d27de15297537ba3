"""Break a rule of the semantics on purpose, and see which test notices: `python scripts/mutations.py [--list] [WORD ...]`.

Each mutation is one edit of one file of the core, that turns a rule of docs/semantics.md into something else. A copy of the emulator with that edit
runs the tests of the rule's chapter, on the core alone; when none of them fails, the rule has no test that deserves the name. `make check-all` runs
all of them; `make check` sees to it that each still finds the line that it edits.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent
EMULATOR = ROOT / "emulator"
CORE = pathlib.Path("publican_emulator") / "broker"
HANGS_S = 600
"""A mutation may make a loop endless: that is noticed too."""


@dataclass(frozen=True)
class Mutation:
    """One edit."""

    rule: str
    """The rule that it breaks."""
    meaning: str
    path: str
    """The file, below broker/."""
    old: str
    new: str
    tests: str = ""
    """What has to notice; empty: the module of the rule's chapter."""

    @property
    def command(self) -> list[str]:
        """Give the arguments for pytest."""
        module = self.rule.partition("/")[0].replace("-", "_")
        return [self.tests] if self.tests else [f"tests/semantics/test_{module}.py", "-k", "core"]

    def applied_to(self, text: str) -> str:
        """Give the file with the edit.

        Raises:
            ValueError: the line to edit does not stand there once.
        """
        if text.count(self.old) != 1:
            raise ValueError(f"{self.rule}: {self.path} has {text.count(self.old)} times {self.old!r}")
        return text.replace(self.old, self.new)


MUTATIONS = (
    Mutation("names/7", "a taken name is taken over", "shelf.py", "if name in self._by_name:\n            raise", "if False:\n            raise"),
    Mutation(
        "names/10",
        "a label's key may begin with a capital",
        "settings.py",
        'not in {"Ll", "Lo"}:\n            return f\'first',
        "in set():\n            return f'first",
    ),
    Mutation(
        "publish/6", "an attribute's value of exactly 1,024 bytes is refused", "intake.py", "if value_bytes > limits", "if value_bytes >= limits"
    ),
    Mutation("publish/10", "different keys in one request are taken", "intake.py", "if len(keys) > 1:", "if len(keys) > 2:"),
    Mutation("subscriptions/2", "601 seconds are a deadline", "settings.py", "if not low <= seconds <= high:", "if not low <= seconds <= high + 1:"),
    Mutation(
        "pull/5",
        "who waits is not told of a publish",
        "subscription.py",
        "        self.rotation.tell()\n        return self.rotation.is_waited_on",
        "        return self.rotation.is_waited_on",
    ),
    Mutation(
        "leases/1",
        "leases end a nanosecond late",
        "subscription.py",
        "consumer.lease_for is not None else self.settings.ack_deadline_s * SECOND))",
        "consumer.lease_for is not None else self.settings.ack_deadline_s * SECOND) + 1)",
    ),
    Mutation(
        "leases/5",
        "an extension lasts a nanosecond too long",
        "lease_book.py",
        '"""Give a whole group another deadline."""\n',
        '"""Give a whole group another deadline."""\n        deadline = Nanos(deadline + 1)\n',
    ),
    Mutation(
        "leases/8",
        "a late ack is refused",
        "acks.py",
        "if not is_current and subscription.settings.enable_exactly_once_delivery:",
        "if not is_current:",
    ),
    Mutation(
        "leases/9",
        "a stale nack cuts the newer lease",
        "acks.py",
        "if single.stage is not Stage.LEASED or single.ack_id() != by:",
        "if single.stage is not Stage.LEASED:",
    ),
    Mutation(
        "leases/14",
        "ack ids do not say whose they are",
        "ackids.py",
        "    body = subscription.to_bytes(4) + number",
        "    body = bytes(4) + number",
        tests="tests/broker/test_ackids.py",
    ),
    Mutation(
        "streaming-pull/6",
        "a stream holds one more than it asked for",
        "consumer.py",
        "self.outstanding < self.max_messages)",
        "self.outstanding <= self.max_messages)",
    ),
    Mutation("streaming-pull/7", "the limit of bytes counts for nothing", "consumer.py", "self.outstanding_bytes < self.max_bytes)", "True)"),
    Mutation(
        "streaming-pull/9", "the first stream takes the whole batch", "subscription.py", "rivals = self.rotation.rivals(consumer)", "rivals = 0"
    ),
    Mutation("streaming-pull/14", "streams outlive their subscription", "subscription.py", "        self.rotation.end_all(error)\n", ""),
    Mutation(
        "exactly-once/1", "at the deadline it is still time", "acks.py", "is_late = group.deadline <= now", "is_late = group.deadline < now - 1"
    ),
    Mutation("exactly-once/3", "an ack that is repeated is refused", "exactly_once.py", "return self._good.get(head) == rest", "return False"),
    Mutation(
        "ordering/3",
        "a key is free as soon as one of its run is acked",
        "ordering.py",
        "        if not key.run:\n            key.holder = None\n        if key.is_idle:",
        "        key.holder = None\n        if key.is_idle:",
    ),
    Mutation(
        "ordering/5",
        "later messages stay out when an earlier one comes back",
        "ordering.py",
        "        back = key.run[place:]\n        del key.run[place:]",
        "        back = key.run[place : place + 1]\n        del key.run[place]",
    ),
    Mutation(
        "dead-letters/4",
        "a message gets one attempt more",
        "failures.py",
        "failures < policy.max_delivery_attempts",
        "failures <= policy.max_delivery_attempts",
    ),
    Mutation(
        "dead-letters/5",
        "a dead letter loses its key",
        "dead_letters.py",
        'letter.ClearField("publish_time")',
        'letter.ClearField("publish_time")\n        letter.ClearField("ordering_key")',
    ),
    Mutation(
        "dead-letters/8",
        "failures from before the policy count",
        "failures.py",
        "failures = single.failures - single.uncounted",
        "failures = single.failures",
    ),
    Mutation(
        "dead-letters/7",
        "a topic that is created anew takes the letters of the old one",
        "subscription.py",
        "if policy is not None and policy.topic == topic:",
        "if False:",
    ),
    Mutation("retry/3", "the first failure waits twice as long", "settings.py", "doublings = min(failures - 1, 64)", "doublings = min(failures, 64)"),
    Mutation("retry/5", "an ack of what waits is forgotten", "returning.py", "if lease.stage is not Stage.DELAYED:", "if False:"),
    Mutation(
        "filters/1",
        "an absent key is not different from a value",
        "filters.py",
        "return lambda attributes: attributes.get(key) != value",
        "return lambda attributes: attributes.get(key, value) != value",
    ),
    Mutation("filters/4", "a filter of 257 bytes is taken", "settings.py", "if size > limits.FILTER_BYTES:", "if size > limits.FILTER_BYTES + 1:"),
    Mutation(
        "retention-seek-snapshots/1",
        "messages live a nanosecond too long",
        "retention.py",
        "return max(settings.message_retention, topic_span or Nanos(0))",
        "return Nanos(max(settings.message_retention, topic_span or Nanos(0)) + 1)",
    ),
    Mutation(
        "retention-seek-snapshots/2",
        "the topic's retention counts for nothing",
        "retention.py",
        "return max(settings.message_retention, topic_span or Nanos(0))",
        "return settings.message_retention",
    ),
    Mutation(
        "retention-seek-snapshots/9",
        "a seek leaves out what was published at its time",
        "seeking.py",
        "if publish_time_of(message) >= time], cursor)",
        "if publish_time_of(message) > time], cursor)",
    ),
    Mutation("retention-seek-snapshots/11", "leases outlive a seek", "seeking.py", "    subscription.book.clear()\n", ""),
    Mutation(
        "retention-seek-snapshots/14",
        "a snapshot forgets what is leased",
        "seeking.py",
        "    held = unacked_before_cursor(subscription)\n",
        "    held: list[bytes] = []\n",
    ),
    Mutation(
        "retention-seek-snapshots/16",
        "the age of the backlog does not shorten a snapshot's life",
        "snapshot.py",
        "life = limits.SNAPSHOT_LIFE - age",
        "life = limits.SNAPSHOT_LIFE",
    ),
    Mutation(
        "lifecycle/3",
        "a deleted topic stays in the words of its subscriptions",
        "operations/topics.py",
        "        subscription.topic = None\n",
        "        pass\n",
    ),
    Mutation(
        "lifecycle/8", "an open stream is no use", "rotation.py", "return any(not consumer.takes_once for consumer in self.consumers)", "return False"
    ),
    Mutation(
        "concurrency/3",
        "what came back comes in the order of its nacks",
        "backlog.py",
        "        singles.sort(key=_MESSAGE_ID, reverse=True)\n",
        "        singles.sort(key=_MESSAGE_ID)\n",
    ),
    Mutation(
        "dead-letters/8",
        "a restart counts failures from before the policy",
        "state/leases.py",
        '    group.uncounted = said["uncounted"]\n',
        "",
        tests="tests/emulator/test_state.py",
    ),
    Mutation(
        "ordering/3",
        "a restart forgets who has the key",
        "ordering.py",
        "self.holder = _GONE if run else None",
        "self.holder = None",
        tests="tests/emulator/test_state.py",
    ),
)


def caught_by(mutation: Mutation) -> str:
    """Give the name of the first test that fails under a mutation; empty: none does."""
    with tempfile.TemporaryDirectory() as scratch:
        shutil.copytree(EMULATOR, scratch, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        edited = pathlib.Path(scratch) / CORE / mutation.path
        edited.write_text(mutation.applied_to(edited.read_text()))
        command = [sys.executable, "-m", "pytest", "-n0", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", *mutation.command]
        environment = {**os.environ, "PYTHONPATH": scratch, "PYTHONDONTWRITEBYTECODE": "1", "HYPOTHESIS_DATABASE": ""}
        try:
            ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=HANGS_S)
        except subprocess.TimeoutExpired:
            return f"no end within {HANGS_S} s"
    if ran.returncode == 0:
        return ""
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", ran.stdout, re.MULTILINE)
    return found[1].rpartition("/")[2] if found else f"pytest itself: {(ran.stdout + ran.stderr)[-500:]}"


def main() -> int:
    """Run the mutations that were asked for, and say who caught each; 1 when one has survived."""
    parser = argparse.ArgumentParser(description="Break rules of the semantics on purpose, one at a time.")
    parser.add_argument("words", nargs="*", help="only mutations with one of these in their rule or meaning")
    parser.add_argument("--list", action="store_true", help="say what they are")
    asked = parser.parse_args()
    chosen = [each for each in MUTATIONS if not asked.words or any(word in f"{each.rule} {each.meaning}" for word in asked.words)]
    survived = 0
    for mutation in chosen:
        caught = "" if asked.list else caught_by(mutation)
        survived += not caught
        print(f"{mutation.rule:<28} {mutation.meaning:<70} {'' if asked.list else caught or 'SURVIVED'}", flush=True)
    return int(bool(survived) and not asked.list)


if __name__ == "__main__":
    raise SystemExit(main())
