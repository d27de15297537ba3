"""What users may set on topics, subscriptions and snapshots: frozen, and checked when made.

Services translate protobuf to these and back, nothing else; so the property tests on the core meet the rules that users meet. Spans are
nanoseconds; `None` is "not set".

Source: the comments of google.pubsub.v1.Topic, Subscription and Snapshot; docs/semantics.md, subscriptions.

PYTEST_DONT_REWRITE
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from publican_emulator.broker import filters, limits
from publican_emulator.broker.errors import BadArgument, InvalidArgument, InvalidName, OutOfBounds, deadline_out_of_bounds
from publican_emulator.broker.exports import BigQueryConfig, BigtableConfig, CloudStorageConfig, ExportConfig
from publican_emulator.broker.ingestion import Ingestion
from publican_emulator.broker.instants import Nanos, spoken
from publican_emulator.broker.push import PushConfig
from publican_emulator.broker.schema_settings import SchemaSettings
from publican_emulator.broker.transforms import Transform, check_transforms
from publican_protocol import names


@dataclass(frozen=True, slots=True)
class TopicSettings:
    """Settings of a topic; `message_retention` keeps published messages for seeks, subscriptions or none."""

    labels: Mapping[str, str] = field(default_factory=dict)
    message_retention: Nanos | None = None
    kms_key_name: str = ""
    allowed_regions: tuple[str, ...] | None = None
    enforce_in_transit: bool = False
    schema: SchemaSettings | None = None
    ingestion: Ingestion | None = None
    transforms: tuple[Transform, ...] = ()

    def __post_init__(self) -> None:
        check_transforms(self.transforms)
        check_labels(self.labels)
        if self.message_retention is not None:
            check_retention(self.message_retention)
        if self.allowed_regions is not None and not all(self.allowed_regions or ("",)):
            raise BadArgument("message_storage_policy.allowed_persistence_regions", "It must name at least one region, and no empty one.")
        if self.kms_key_name and not is_kms_key(self.kms_key_name):
            raise BadArgument("kms_key_name", f"{self.kms_key_name} is not of the form projects/*/locations/*/keyRings/*/cryptoKeys/*.")


@dataclass(frozen=True, slots=True)
class DeadLetterPolicy:
    """Where messages go that were delivered `max_delivery_attempts` times in vain."""

    topic: str
    max_delivery_attempts: int = limits.DELIVERY_ATTEMPTS_DEFAULT

    def __post_init__(self) -> None:
        if not names.matches("topics", self.topic) and self.topic != names.DELETED_TOPIC:
            raise InvalidName(self.topic)
        low, high = limits.DELIVERY_ATTEMPTS_MIN, limits.DELIVERY_ATTEMPTS_MAX
        if self.max_delivery_attempts < low:
            raise OutOfBounds("max_delivery_attempts", self.max_delivery_attempts, low=low)
        if self.max_delivery_attempts > high:
            raise OutOfBounds("max_delivery_attempts", self.max_delivery_attempts, high=high)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long a message waits after its first failure, and at most after later ones."""

    minimum_backoff: Nanos = Nanos(limits.MINIMUM_BACKOFF_DEFAULT)
    maximum_backoff: Nanos = Nanos(limits.MAXIMUM_BACKOFF_DEFAULT)

    def __post_init__(self) -> None:
        for name, span in (("minimum_backoff", self.minimum_backoff), ("maximum_backoff", self.maximum_backoff)):
            if not 0 <= span <= limits.BACKOFF_MAX:
                raise BadArgument(f"retry_policy.{name}", f"{spoken(span)} is outside 0s..{spoken(limits.BACKOFF_MAX)}.")
        if self.minimum_backoff > self.maximum_backoff:
            raise BadArgument(
                "retry_policy.minimum_backoff",
                f"{spoken(self.minimum_backoff)} is above maximum_backoff, which is {spoken(self.maximum_backoff)}.",
            )

    def backoff(self, failures: int) -> Nanos:
        """Give the wait after the `failures`-th failure (from 1): the minimum, doubled each time, capped at the maximum."""
        # Divergence: the service's back-off formula is not published; ours doubles without jitter.
        doublings = min(failures - 1, 64)
        return Nanos(min(self.maximum_backoff, self.minimum_backoff << doublings))


@dataclass(frozen=True, slots=True)
class SubscriptionSettings:
    """Settings of a subscription, with the service's defaults. `expiration_ttl` None means that it never expires."""

    ack_deadline_s: int = limits.ACK_DEADLINE_S_DEFAULT
    retain_acked_messages: bool = False
    message_retention: Nanos = Nanos(limits.MESSAGE_RETENTION_DEFAULT)
    labels: Mapping[str, str] = field(default_factory=dict)
    enable_message_ordering: bool = False
    expiration_ttl: Nanos | None = Nanos(limits.EXPIRATION_TTL_DEFAULT)
    filter: str = ""
    dead_letter: DeadLetterPolicy | None = None
    retry: RetryPolicy | None = None
    enable_exactly_once_delivery: bool = False
    push: PushConfig | None = None
    bigquery: BigQueryConfig | None = None
    cloud_storage: CloudStorageConfig | None = None
    bigtable: BigtableConfig | None = None
    transforms: tuple[Transform, ...] = ()

    def __post_init__(self) -> None:
        check_transforms(self.transforms)
        check_ack_deadline(self.ack_deadline_s)
        check_retention(self.message_retention)
        check_labels(self.labels)
        if self.expiration_ttl is not None:
            check_expiration(self.expiration_ttl, self.message_retention)
        check_filter(self.filter)
        self._check_target()

    def _check_target(self) -> None:
        configs = ("push", "bigquery", "cloud_storage", "bigtable")
        targets = [f"{name}_config" for name in configs if getattr(self, name) is not None]
        if len(targets) > 1:
            raise BadArgument(targets[-1], f"A subscription has one target, not {' and '.join(targets)}.")
        if self.enable_exactly_once_delivery and targets:
            raise BadArgument("enable_exactly_once_delivery", f"Exactly-once delivery is for pull subscriptions; {targets[0]} is set.")

    @property
    def export(self) -> ExportConfig | None:
        """Where messages are written to, if they are."""
        return self.bigquery or self.cloud_storage or self.bigtable


def check_ack_deadline(seconds: int) -> None:
    """Refuse an ack deadline of a subscription or a stream outside its bounds."""
    low, high = limits.ACK_DEADLINE_S_MIN, limits.ACK_DEADLINE_S_MAX
    if not low <= seconds <= high:
        raise deadline_out_of_bounds(seconds, low, high)


def check_extension(seconds: int) -> None:
    """Refuse a new deadline of a delivery outside 0..600 seconds."""
    if not 0 <= seconds <= limits.ACK_DEADLINE_S_MAX:
        raise deadline_out_of_bounds(seconds, 0, limits.ACK_DEADLINE_S_MAX)


def check_retention(span: int) -> None:
    """Refuse a retention outside 10 minutes..31 days."""
    low, high = limits.MESSAGE_RETENTION_MIN, limits.MESSAGE_RETENTION_MAX
    if not low <= span <= high:
        raise InvalidArgument(
            f"The value for message retention duration is out of bounds. You passed {spoken(span)} in the request, "
            f"but the value must be between {spoken(low)} and {spoken(high)}."
        )


def check_expiration(ttl: int, retention: int) -> None:
    """Refuse a time to live under a day, or under the retention: the backlog would outlive its subscription."""
    if ttl < limits.EXPIRATION_TTL_MIN:
        raise OutOfBounds("expiration duration", spoken(ttl), low=spoken(limits.EXPIRATION_TTL_MIN))
    if ttl < retention:
        raise OutOfBounds("expiration duration", spoken(ttl), low=f"the message retention duration, {spoken(retention)}")


def check_filter(text: str) -> None:
    """Refuse a filter that is too long or does not parse; the message points at the column."""
    size = len(text.encode())
    if size > limits.FILTER_BYTES:
        raise InvalidArgument(f"Invalid filter (filter={text}): it has {size} bytes, the maximum is {limits.FILTER_BYTES}.")
    try:
        filters.parse(text)
    except filters.FilterError as error:
        raise InvalidArgument(f"Invalid filter (filter={text}): {error}.") from None


def check_labels(labels: Mapping[str, str]) -> None:
    """Refuse more than 64 labels, and keys or values of the wrong form."""
    if len(labels) > limits.LABELS_MAX:
        raise BadArgument("labels", f"There are {len(labels)} labels, the maximum is {limits.LABELS_MAX}.")
    for key, value in labels.items():
        if problem := _label_problem(key, first_is_letter=True):
            pattern = r"[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}"
            raise BadArgument(f'Invalid labels: Invalid field "labels"; key "{key}" does not conform to regular expression "{pattern}"; {problem}')
        if problem := _label_problem(value, first_is_letter=False):
            pattern = r"[\p{Ll}\p{Lo}\p{N}_-]{0,63}"
            found = f'value "{value}" for key "{key}" does not conform to regular expression "{pattern}"; {problem}'
            raise BadArgument(f'Invalid labels: Invalid field "labels"; {found}')


def check_tags(tags: Mapping[str, str]) -> None:
    """Refuse tags that are none, `{"123456/environment": "production"}`; they bind to nothing here, and no answer of the service shows them."""
    # Divergence: tags are checked and bind to nothing.
    for key, value in tags.items():
        owner, _, name = key.partition("/")
        if not owner or not name or "/" in name:
            raise BadArgument("tags", f"{key!r} is not of the form ORGANIZATION_OR_PROJECT/TAG_KEY.")
        if not value:
            raise BadArgument("tags", f"The value of {key!r} is empty.")


def _label_problem(text: str, *, first_is_letter: bool) -> str:
    if len(text) > limits.LABEL_CHARS:
        return f"it has {len(text)} characters, the maximum is {limits.LABEL_CHARS}"
    if first_is_letter:
        if not text:
            return "it is empty"
        if unicodedata.category(text[0]) not in {"Ll", "Lo"}:
            return f'first character "{text[0]}" is not a non-uppercased letter (Unicode character class Ll or Lo)'
    for char in text:
        if char not in "_-" and unicodedata.category(char) not in {"Ll", "Lo", "Nd", "Nl", "No"}:
            return f'character "{char}" is not a non-uppercased letter, a digit, "_" or "-"'
    return ""


def is_kms_key(name: str) -> bool:
    """Say whether `name` has the form of a Cloud KMS key's name."""
    parts = name.split("/")
    return parts[::2] == ["projects", "locations", "keyRings", "cryptoKeys"] and len(parts) == 8 and all(parts)
