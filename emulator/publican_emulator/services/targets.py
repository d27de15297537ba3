"""Where a subscription's messages go, when nobody comes for them: push and export settings, from protobuf and back.

Source: google.pubsub.v1.PushConfig, BigQueryConfig, CloudStorageConfig, BigtableConfig.

PYTEST_DONT_REWRITE
"""

import dataclasses

from publican_emulator.broker.errors import BadArgument
from publican_emulator.broker.exports import BigQueryConfig, BigtableConfig, CloudStorageConfig, DelimitedKey, ExportState, RowKeySchema
from publican_emulator.broker.push import VERSION, VERSIONS, OidcToken, PushConfig, Wrapper
from publican_emulator.broker.settings import SubscriptionSettings
from publican_emulator.services.stamps import set_span, span
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


# export


def bigquery(message: pubsub.Subscription) -> BigQueryConfig | None:
    """Read which table messages go to."""
    if not message.HasField("bigquery_config"):
        return None
    config = message.bigquery_config
    return BigQueryConfig(
        table=config.table,
        use_topic_schema=config.use_topic_schema,
        use_table_schema=config.use_table_schema,
        write_metadata=config.write_metadata,
        drop_unknown_fields=config.drop_unknown_fields,
        service_account_email=config.service_account_email,
    )


def cloud_storage(message: pubsub.Subscription) -> CloudStorageConfig | None:
    """Read which bucket messages go to, and how."""
    if not message.HasField("cloud_storage_config"):
        return None
    config = message.cloud_storage_config
    output = config.WhichOneof("output_format")
    return CloudStorageConfig(
        bucket=config.bucket,
        filename_prefix=config.filename_prefix,
        filename_suffix=config.filename_suffix,
        filename_datetime_format=config.filename_datetime_format,
        output="" if output is None else "avro" if output == "avro_config" else "text",
        write_metadata=config.avro_config.write_metadata,
        use_topic_schema=config.avro_config.use_topic_schema,
        max_duration=span(config, "max_duration"),
        max_bytes=config.max_bytes,
        max_messages=config.max_messages,
        service_account_email=config.service_account_email,
    )


def bigtable(message: pubsub.Subscription) -> BigtableConfig | None:
    """Read which Bigtable table messages would go to."""
    if not message.HasField("bigtable_config"):
        return None
    config = message.bigtable_config
    return BigtableConfig(
        table=config.table,
        app_profile_id=config.app_profile_id,
        service_account_email=config.service_account_email,
        write_metadata=config.write_metadata,
        maps_column_families=config.HasField("column_family_mapping"),
        key=_row_key(config.column_family_mapping),
    )


def _row_key(mapping: pubsub.BigtableConfig.ColumnFamilyMapping) -> RowKeySchema | DelimitedKey | None:
    if mapping.HasField("row_key_schema"):
        return RowKeySchema()
    if mapping.HasField("delimited_key"):
        return DelimitedKey(tuple(mapping.delimited_key.key_fields), mapping.delimited_key.delimiter)
    return None


def write_export(message: pubsub.Subscription, settings: SubscriptionSettings, state: ExportState) -> None:
    """Write where messages go, and how that stands."""
    if settings.bigquery is not None:
        _write_bigquery(message.bigquery_config, settings.bigquery)
        message.bigquery_config.state = pubsub.BigQueryConfig.State.Value(state.value)
    if settings.cloud_storage is not None:
        _write_cloud_storage(message.cloud_storage_config, settings.cloud_storage)
        message.cloud_storage_config.state = pubsub.CloudStorageConfig.State.Value(state.value)
    if settings.bigtable is not None:
        _write_bigtable(message.bigtable_config, settings.bigtable)
        message.bigtable_config.state = pubsub.BigtableConfig.State.Value(state.value)
    if state is not ExportState.ACTIVE:
        message.state = pubsub.Subscription.State.RESOURCE_ERROR


def _write_bigquery(message: pubsub.BigQueryConfig, config: BigQueryConfig) -> None:
    message.table = config.table
    message.use_topic_schema = config.use_topic_schema
    message.use_table_schema = config.use_table_schema
    message.write_metadata = config.write_metadata
    message.drop_unknown_fields = config.drop_unknown_fields
    message.service_account_email = config.service_account_email


def _write_cloud_storage(message: pubsub.CloudStorageConfig, config: CloudStorageConfig) -> None:
    message.bucket = config.bucket
    message.filename_prefix = config.filename_prefix
    message.filename_suffix = config.filename_suffix
    message.filename_datetime_format = config.filename_datetime_format
    message.max_bytes = config.max_bytes
    message.max_messages = config.max_messages
    message.service_account_email = config.service_account_email
    set_span(message.max_duration, config.duration)
    if config.output == "avro":
        message.avro_config.write_metadata = config.write_metadata
        message.avro_config.use_topic_schema = config.use_topic_schema
        message.avro_config.SetInParent()
    else:
        message.text_config.SetInParent()


def _write_bigtable(message: pubsub.BigtableConfig, config: BigtableConfig) -> None:
    message.table = config.table
    message.app_profile_id = config.app_profile_id
    message.service_account_email = config.service_account_email
    message.write_metadata = config.write_metadata
    if isinstance(config.key, RowKeySchema):
        message.column_family_mapping.row_key_schema.SetInParent()
    elif config.key is not None:
        message.column_family_mapping.delimited_key.key_fields.extend(config.key.key_fields)
        message.column_family_mapping.delimited_key.delimiter = config.key.delimiter


def check_pushable(settings: SubscriptionSettings) -> None:
    """Refuse ModifyPushConfig for a subscription that exports: UpdateSubscription moves it, with both paths in its mask."""
    if settings.export is not None:
        raise BadArgument("push_config", "The subscription exports its messages; UpdateSubscription can give it another target.")
