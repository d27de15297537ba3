"""The API's own message classes, `types.Topic`: requests, responses and resources as the service defines them.

They live in a descriptor pool of their own, beside google-cloud-pubsub and never in its way. A `timedelta` or `datetime` may be assigned to
durations and timestamps. Types come from the stub beside publican_protocol/pubsub.py.

PYTEST_DONT_REWRITE
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from publican_protocol.iam import *  # noqa: F403 - one name for both packages of the API
    from publican_protocol.pubsub import *  # noqa: F403


def __getattr__(name: str) -> Any:
    from publican_protocol import iam, pubsub

    for home in (pubsub, iam):
        try:
            return getattr(home, name)
        except AttributeError:
            continue
    raise AttributeError(f"publican.types has no {name!r}: it is no message or enum of google.pubsub.v1 or google.iam.v1")
