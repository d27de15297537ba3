"""Where a subscription's messages go, when nobody comes for them: push and export settings, from protobuf and back.

Source: google.pubsub.v1.PushConfig, BigQueryConfig, CloudStorageConfig, BigtableConfig.

PYTEST_DONT_REWRITE
"""

import dataclasses

from publican_emulator.broker.push import VERSION, VERSIONS, OidcToken, PushConfig, Wrapper
from publican_emulator.broker.settings import SubscriptionSettings
from publican_protocol import pubsub


def push_config(message: pubsub.PushConfig) -> PushConfig | None:
    """Read where to push; without an endpoint that is nowhere, whatever else is set."""
    if not message.push_endpoint:
        return None
    oidc = None
    if message.HasField("oidc_token"):
        oidc = OidcToken(message.oidc_token.service_account_email, message.oidc_token.audience)
    return PushConfig(
        endpoint=message.push_endpoint,
        attributes={VERSION: VERSIONS[0], **message.attributes},
        oidc=oidc,
        wrapper=_wrapper(message),
        write_metadata=message.no_wrapper.write_metadata,
    )


def _wrapper(message: pubsub.PushConfig) -> Wrapper:
    if message.HasField("no_wrapper"):
        return "no_wrapper"
    return "pubsub_wrapper" if message.HasField("pubsub_wrapper") else ""


def push_message(config: PushConfig | None) -> pubsub.PushConfig:
    """Write where to push."""
    message = pubsub.PushConfig()
    if config is None:
        return message
    message.push_endpoint = config.endpoint
    message.attributes.update(config.attributes)
    if config.oidc is not None:
        message.oidc_token.service_account_email = config.oidc.service_account_email
        message.oidc_token.audience = config.oidc.audience
    if config.wrapper == "no_wrapper":
        message.no_wrapper.write_metadata = config.write_metadata
        message.no_wrapper.SetInParent()
    elif config.wrapper == "pubsub_wrapper":
        message.pubsub_wrapper.SetInParent()
    return message


def with_push(settings: SubscriptionSettings, message: pubsub.PushConfig) -> SubscriptionSettings:
    """Give settings with another push config; one that says no version keeps the present one."""
    config = push_config(message)
    if config is not None and settings.push is not None and VERSION not in message.attributes:
        config = dataclasses.replace(config, attributes={**config.attributes, VERSION: settings.push.version})
    return dataclasses.replace(settings, push=config)
