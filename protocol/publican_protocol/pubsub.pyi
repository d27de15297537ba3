# Made by scripts/rebuild_protocol.py; do not edit.

import datetime
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any as _Any

from google.protobuf.message import Message

from publican_protocol import known

class SchemaView:
    @staticmethod
    def Name(number: int) -> str: ...
    @staticmethod
    def Value(name: str) -> int: ...
    SCHEMA_VIEW_UNSPECIFIED: int
    BASIC: int
    FULL: int

SCHEMA_VIEW_UNSPECIFIED: int
BASIC: int
FULL: int

class Encoding:
    @staticmethod
    def Name(number: int) -> str: ...
    @staticmethod
    def Value(name: str) -> int: ...
    ENCODING_UNSPECIFIED: int
    JSON: int
    BINARY: int

ENCODING_UNSPECIFIED: int
JSON: int
BINARY: int

class Schema(Message):
    class Type:
        @staticmethod
        def Name(number: int) -> str: ...
        @staticmethod
        def Value(name: str) -> int: ...
        TYPE_UNSPECIFIED: int
        PROTOCOL_BUFFER: int
        AVRO: int

    TYPE_UNSPECIFIED: int
    PROTOCOL_BUFFER: int
    AVRO: int
    name: str
    type: int
    definition: str
    @property
    def compiled_proto_schema(self) -> CompiledProtoSchema: ...
    revision_id: str
    @property
    def revision_create_time(self) -> known.Timestamp: ...
    @revision_create_time.setter
    def revision_create_time(self, value: datetime.datetime) -> None: ...
    def __init__(self, *, name: str | None = ..., type: int | None = ..., definition: str | None = ..., compiled_proto_schema: CompiledProtoSchema | None = ..., revision_id: str | None = ..., revision_create_time: known.Timestamp | datetime.datetime | None = ...) -> None: ...

class CreateSchemaRequest(Message):
    parent: str
    @property
    def schema(self) -> Schema: ...
    schema_id: str
    def __init__(self, *, parent: str | None = ..., schema: Schema | None = ..., schema_id: str | None = ...) -> None: ...

class GetSchemaRequest(Message):
    name: str
    view: int
    def __init__(self, *, name: str | None = ..., view: int | None = ...) -> None: ...

class ListSchemasRequest(Message):
    parent: str
    view: int
    page_size: int
    page_token: str
    def __init__(self, *, parent: str | None = ..., view: int | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> None: ...

class ListSchemasResponse(Message):
    @property
    def schemas(self) -> list[Schema]: ...
    next_page_token: str
    def __init__(self, *, schemas: Iterable[Schema] | None = ..., next_page_token: str | None = ...) -> None: ...

class ListSchemaRevisionsRequest(Message):
    name: str
    view: int
    page_size: int
    page_token: str
    def __init__(self, *, name: str | None = ..., view: int | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> None: ...

class ListSchemaRevisionsResponse(Message):
    @property
    def schemas(self) -> list[Schema]: ...
    next_page_token: str
    def __init__(self, *, schemas: Iterable[Schema] | None = ..., next_page_token: str | None = ...) -> None: ...

class CommitSchemaRequest(Message):
    name: str
    @property
    def schema(self) -> Schema: ...
    def __init__(self, *, name: str | None = ..., schema: Schema | None = ...) -> None: ...

class RollbackSchemaRequest(Message):
    name: str
    revision_id: str
    def __init__(self, *, name: str | None = ..., revision_id: str | None = ...) -> None: ...

class DeleteSchemaRevisionRequest(Message):
    name: str
    revision_id: str
    def __init__(self, *, name: str | None = ..., revision_id: str | None = ...) -> None: ...

class DeleteSchemaRequest(Message):
    name: str
    def __init__(self, *, name: str | None = ...) -> None: ...

class ValidateSchemaRequest(Message):
    parent: str
    @property
    def schema(self) -> Schema: ...
    def __init__(self, *, parent: str | None = ..., schema: Schema | None = ...) -> None: ...

class ValidateSchemaResponse(Message):
    def __init__(self) -> None: ...

class ValidateMessageRequest(Message):
    parent: str
    name: str
    @property
    def schema(self) -> Schema: ...
    message: bytes
    encoding: int
    def __init__(self, *, parent: str | None = ..., name: str | None = ..., schema: Schema | None = ..., message: bytes | None = ..., encoding: int | None = ...) -> None: ...

class ValidateMessageResponse(Message):
    def __init__(self) -> None: ...

class CompiledProtoSchema(Message):
    root_message: str
    compiled_bytes: bytes
    def __init__(self, *, root_message: str | None = ..., compiled_bytes: bytes | None = ...) -> None: ...

class MessageStoragePolicy(Message):
    @property
    def allowed_persistence_regions(self) -> list[str]: ...
    enforce_in_transit: bool
    def __init__(self, *, allowed_persistence_regions: Iterable[str] | None = ..., enforce_in_transit: bool | None = ...) -> None: ...

class SchemaSettings(Message):
    schema: str
    encoding: int
    first_revision_id: str
    last_revision_id: str
    def __init__(self, *, schema: str | None = ..., encoding: int | None = ..., first_revision_id: str | None = ..., last_revision_id: str | None = ...) -> None: ...

class IngestionDataSourceSettings(Message):
    class AwsKinesis(Message):
        class State:
            @staticmethod
            def Name(number: int) -> str: ...
            @staticmethod
            def Value(name: str) -> int: ...
            STATE_UNSPECIFIED: int
            ACTIVE: int
            KINESIS_PERMISSION_DENIED: int
            PUBLISH_PERMISSION_DENIED: int
            STREAM_NOT_FOUND: int
            CONSUMER_NOT_FOUND: int
            CONFLICTING_REGION_CONSTRAINTS: int

        STATE_UNSPECIFIED: int
        ACTIVE: int
        KINESIS_PERMISSION_DENIED: int
        PUBLISH_PERMISSION_DENIED: int
        STREAM_NOT_FOUND: int
        CONSUMER_NOT_FOUND: int
        CONFLICTING_REGION_CONSTRAINTS: int
        state: int
        stream_arn: str
        consumer_arn: str
        aws_role_arn: str
        gcp_service_account: str
        def __init__(self, *, state: int | None = ..., stream_arn: str | None = ..., consumer_arn: str | None = ..., aws_role_arn: str | None = ..., gcp_service_account: str | None = ...) -> None: ...
    class CloudStorage(Message):
        class State:
            @staticmethod
            def Name(number: int) -> str: ...
            @staticmethod
            def Value(name: str) -> int: ...
            STATE_UNSPECIFIED: int
            ACTIVE: int
            CLOUD_STORAGE_PERMISSION_DENIED: int
            PUBLISH_PERMISSION_DENIED: int
            BUCKET_NOT_FOUND: int
            TOO_MANY_OBJECTS: int
            CONFLICTING_REGION_CONSTRAINTS: int

        STATE_UNSPECIFIED: int
        ACTIVE: int
        CLOUD_STORAGE_PERMISSION_DENIED: int
        PUBLISH_PERMISSION_DENIED: int
        BUCKET_NOT_FOUND: int
        TOO_MANY_OBJECTS: int
        CONFLICTING_REGION_CONSTRAINTS: int
        class TextFormat(Message):
            delimiter: str
            def __init__(self, *, delimiter: str | None = ...) -> None: ...
        class AvroFormat(Message):
            def __init__(self) -> None: ...
        class PubSubAvroFormat(Message):
            def __init__(self) -> None: ...
        state: int
        bucket: str
        @property
        def text_format(self) -> IngestionDataSourceSettings.CloudStorage.TextFormat: ...
        @property
        def avro_format(self) -> IngestionDataSourceSettings.CloudStorage.AvroFormat: ...
        @property
        def pubsub_avro_format(self) -> IngestionDataSourceSettings.CloudStorage.PubSubAvroFormat: ...
        @property
        def minimum_object_create_time(self) -> known.Timestamp: ...
        @minimum_object_create_time.setter
        def minimum_object_create_time(self, value: datetime.datetime) -> None: ...
        match_glob: str
        def __init__(self, *, state: int | None = ..., bucket: str | None = ..., text_format: IngestionDataSourceSettings.CloudStorage.TextFormat | None = ..., avro_format: IngestionDataSourceSettings.CloudStorage.AvroFormat | None = ..., pubsub_avro_format: IngestionDataSourceSettings.CloudStorage.PubSubAvroFormat | None = ..., minimum_object_create_time: known.Timestamp | datetime.datetime | None = ..., match_glob: str | None = ...) -> None: ...
    class AzureEventHubs(Message):
        class State:
            @staticmethod
            def Name(number: int) -> str: ...
            @staticmethod
            def Value(name: str) -> int: ...
            STATE_UNSPECIFIED: int
            ACTIVE: int
            EVENT_HUBS_PERMISSION_DENIED: int
            PUBLISH_PERMISSION_DENIED: int
            NAMESPACE_NOT_FOUND: int
            EVENT_HUB_NOT_FOUND: int
            SUBSCRIPTION_NOT_FOUND: int
            RESOURCE_GROUP_NOT_FOUND: int
            CONFLICTING_REGION_CONSTRAINTS: int

        STATE_UNSPECIFIED: int
        ACTIVE: int
        EVENT_HUBS_PERMISSION_DENIED: int
        PUBLISH_PERMISSION_DENIED: int
        NAMESPACE_NOT_FOUND: int
        EVENT_HUB_NOT_FOUND: int
        SUBSCRIPTION_NOT_FOUND: int
        RESOURCE_GROUP_NOT_FOUND: int
        CONFLICTING_REGION_CONSTRAINTS: int
        state: int
        resource_group: str
        namespace: str
        event_hub: str
        client_id: str
        tenant_id: str
        subscription_id: str
        gcp_service_account: str
        def __init__(self, *, state: int | None = ..., resource_group: str | None = ..., namespace: str | None = ..., event_hub: str | None = ..., client_id: str | None = ..., tenant_id: str | None = ..., subscription_id: str | None = ..., gcp_service_account: str | None = ...) -> None: ...
    class AwsMsk(Message):
        class State:
            @staticmethod
            def Name(number: int) -> str: ...
            @staticmethod
            def Value(name: str) -> int: ...
            STATE_UNSPECIFIED: int
            ACTIVE: int
            MSK_PERMISSION_DENIED: int
            PUBLISH_PERMISSION_DENIED: int
            CLUSTER_NOT_FOUND: int
            TOPIC_NOT_FOUND: int
            CONFLICTING_REGION_CONSTRAINTS: int

        STATE_UNSPECIFIED: int
        ACTIVE: int
        MSK_PERMISSION_DENIED: int
        PUBLISH_PERMISSION_DENIED: int
        CLUSTER_NOT_FOUND: int
        TOPIC_NOT_FOUND: int
        CONFLICTING_REGION_CONSTRAINTS: int
        state: int
        cluster_arn: str
        topic: str
        aws_role_arn: str
        gcp_service_account: str
        def __init__(self, *, state: int | None = ..., cluster_arn: str | None = ..., topic: str | None = ..., aws_role_arn: str | None = ..., gcp_service_account: str | None = ...) -> None: ...
    class ConfluentCloud(Message):
        class State:
            @staticmethod
            def Name(number: int) -> str: ...
            @staticmethod
            def Value(name: str) -> int: ...
            STATE_UNSPECIFIED: int
            ACTIVE: int
            CONFLUENT_CLOUD_PERMISSION_DENIED: int
            PUBLISH_PERMISSION_DENIED: int
            UNREACHABLE_BOOTSTRAP_SERVER: int
            CLUSTER_NOT_FOUND: int
            TOPIC_NOT_FOUND: int
            CONFLICTING_REGION_CONSTRAINTS: int

        STATE_UNSPECIFIED: int
        ACTIVE: int
        CONFLUENT_CLOUD_PERMISSION_DENIED: int
        PUBLISH_PERMISSION_DENIED: int
        UNREACHABLE_BOOTSTRAP_SERVER: int
        CLUSTER_NOT_FOUND: int
        TOPIC_NOT_FOUND: int
        CONFLICTING_REGION_CONSTRAINTS: int
        state: int
        bootstrap_server: str
        cluster_id: str
        topic: str
        identity_pool_id: str
        gcp_service_account: str
        def __init__(self, *, state: int | None = ..., bootstrap_server: str | None = ..., cluster_id: str | None = ..., topic: str | None = ..., identity_pool_id: str | None = ..., gcp_service_account: str | None = ...) -> None: ...
    @property
    def aws_kinesis(self) -> IngestionDataSourceSettings.AwsKinesis: ...
    @property
    def cloud_storage(self) -> IngestionDataSourceSettings.CloudStorage: ...
    @property
    def azure_event_hubs(self) -> IngestionDataSourceSettings.AzureEventHubs: ...
    @property
    def aws_msk(self) -> IngestionDataSourceSettings.AwsMsk: ...
    @property
    def confluent_cloud(self) -> IngestionDataSourceSettings.ConfluentCloud: ...
    @property
    def platform_logs_settings(self) -> PlatformLogsSettings: ...
    def __init__(self, *, aws_kinesis: IngestionDataSourceSettings.AwsKinesis | None = ..., cloud_storage: IngestionDataSourceSettings.CloudStorage | None = ..., azure_event_hubs: IngestionDataSourceSettings.AzureEventHubs | None = ..., aws_msk: IngestionDataSourceSettings.AwsMsk | None = ..., confluent_cloud: IngestionDataSourceSettings.ConfluentCloud | None = ..., platform_logs_settings: PlatformLogsSettings | None = ...) -> None: ...

class PlatformLogsSettings(Message):
    class Severity:
        @staticmethod
        def Name(number: int) -> str: ...
        @staticmethod
        def Value(name: str) -> int: ...
        SEVERITY_UNSPECIFIED: int
        DISABLED: int
        DEBUG: int
        INFO: int
        WARNING: int
        ERROR: int

    SEVERITY_UNSPECIFIED: int
    DISABLED: int
    DEBUG: int
    INFO: int
    WARNING: int
    ERROR: int
    severity: int
    def __init__(self, *, severity: int | None = ...) -> None: ...

class IngestionFailureEvent(Message):
    class ApiViolationReason(Message):
        def __init__(self) -> None: ...
    class AvroFailureReason(Message):
        def __init__(self) -> None: ...
    class SchemaViolationReason(Message):
        def __init__(self) -> None: ...
    class MessageTransformationFailureReason(Message):
        def __init__(self) -> None: ...
    class CloudStorageFailure(Message):
        bucket: str
        object_name: str
        object_generation: int
        @property
        def avro_failure_reason(self) -> IngestionFailureEvent.AvroFailureReason: ...
        @property
        def api_violation_reason(self) -> IngestionFailureEvent.ApiViolationReason: ...
        @property
        def schema_violation_reason(self) -> IngestionFailureEvent.SchemaViolationReason: ...
        @property
        def message_transformation_failure_reason(self) -> IngestionFailureEvent.MessageTransformationFailureReason: ...
        def __init__(self, *, bucket: str | None = ..., object_name: str | None = ..., object_generation: int | None = ..., avro_failure_reason: IngestionFailureEvent.AvroFailureReason | None = ..., api_violation_reason: IngestionFailureEvent.ApiViolationReason | None = ..., schema_violation_reason: IngestionFailureEvent.SchemaViolationReason | None = ..., message_transformation_failure_reason: IngestionFailureEvent.MessageTransformationFailureReason | None = ...) -> None: ...
    class AwsMskFailureReason(Message):
        cluster_arn: str
        kafka_topic: str
        partition_id: int
        offset: int
        @property
        def api_violation_reason(self) -> IngestionFailureEvent.ApiViolationReason: ...
        @property
        def schema_violation_reason(self) -> IngestionFailureEvent.SchemaViolationReason: ...
        @property
        def message_transformation_failure_reason(self) -> IngestionFailureEvent.MessageTransformationFailureReason: ...
        def __init__(self, *, cluster_arn: str | None = ..., kafka_topic: str | None = ..., partition_id: int | None = ..., offset: int | None = ..., api_violation_reason: IngestionFailureEvent.ApiViolationReason | None = ..., schema_violation_reason: IngestionFailureEvent.SchemaViolationReason | None = ..., message_transformation_failure_reason: IngestionFailureEvent.MessageTransformationFailureReason | None = ...) -> None: ...
    class AzureEventHubsFailureReason(Message):
        namespace: str
        event_hub: str
        partition_id: int
        offset: int
        @property
        def api_violation_reason(self) -> IngestionFailureEvent.ApiViolationReason: ...
        @property
        def schema_violation_reason(self) -> IngestionFailureEvent.SchemaViolationReason: ...
        @property
        def message_transformation_failure_reason(self) -> IngestionFailureEvent.MessageTransformationFailureReason: ...
        def __init__(self, *, namespace: str | None = ..., event_hub: str | None = ..., partition_id: int | None = ..., offset: int | None = ..., api_violation_reason: IngestionFailureEvent.ApiViolationReason | None = ..., schema_violation_reason: IngestionFailureEvent.SchemaViolationReason | None = ..., message_transformation_failure_reason: IngestionFailureEvent.MessageTransformationFailureReason | None = ...) -> None: ...
    class ConfluentCloudFailureReason(Message):
        cluster_id: str
        kafka_topic: str
        partition_id: int
        offset: int
        @property
        def api_violation_reason(self) -> IngestionFailureEvent.ApiViolationReason: ...
        @property
        def schema_violation_reason(self) -> IngestionFailureEvent.SchemaViolationReason: ...
        @property
        def message_transformation_failure_reason(self) -> IngestionFailureEvent.MessageTransformationFailureReason: ...
        def __init__(self, *, cluster_id: str | None = ..., kafka_topic: str | None = ..., partition_id: int | None = ..., offset: int | None = ..., api_violation_reason: IngestionFailureEvent.ApiViolationReason | None = ..., schema_violation_reason: IngestionFailureEvent.SchemaViolationReason | None = ..., message_transformation_failure_reason: IngestionFailureEvent.MessageTransformationFailureReason | None = ...) -> None: ...
    class AwsKinesisFailureReason(Message):
        stream_arn: str
        partition_key: str
        sequence_number: str
        @property
        def schema_violation_reason(self) -> IngestionFailureEvent.SchemaViolationReason: ...
        @property
        def message_transformation_failure_reason(self) -> IngestionFailureEvent.MessageTransformationFailureReason: ...
        @property
        def api_violation_reason(self) -> IngestionFailureEvent.ApiViolationReason: ...
        def __init__(self, *, stream_arn: str | None = ..., partition_key: str | None = ..., sequence_number: str | None = ..., schema_violation_reason: IngestionFailureEvent.SchemaViolationReason | None = ..., message_transformation_failure_reason: IngestionFailureEvent.MessageTransformationFailureReason | None = ..., api_violation_reason: IngestionFailureEvent.ApiViolationReason | None = ...) -> None: ...
    topic: str
    error_message: str
    @property
    def cloud_storage_failure(self) -> IngestionFailureEvent.CloudStorageFailure: ...
    @property
    def aws_msk_failure(self) -> IngestionFailureEvent.AwsMskFailureReason: ...
    @property
    def azure_event_hubs_failure(self) -> IngestionFailureEvent.AzureEventHubsFailureReason: ...
    @property
    def confluent_cloud_failure(self) -> IngestionFailureEvent.ConfluentCloudFailureReason: ...
    @property
    def aws_kinesis_failure(self) -> IngestionFailureEvent.AwsKinesisFailureReason: ...
    def __init__(self, *, topic: str | None = ..., error_message: str | None = ..., cloud_storage_failure: IngestionFailureEvent.CloudStorageFailure | None = ..., aws_msk_failure: IngestionFailureEvent.AwsMskFailureReason | None = ..., azure_event_hubs_failure: IngestionFailureEvent.AzureEventHubsFailureReason | None = ..., confluent_cloud_failure: IngestionFailureEvent.ConfluentCloudFailureReason | None = ..., aws_kinesis_failure: IngestionFailureEvent.AwsKinesisFailureReason | None = ...) -> None: ...

class JavaScriptUDF(Message):
    function_name: str
    code: str
    def __init__(self, *, function_name: str | None = ..., code: str | None = ...) -> None: ...

class Compression(Message):
    class CompressionAlgorithm:
        @staticmethod
        def Name(number: int) -> str: ...
        @staticmethod
        def Value(name: str) -> int: ...
        COMPRESSION_ALGORITHM_UNSPECIFIED: int
        ZLIB: int
        ZSTD: int

    COMPRESSION_ALGORITHM_UNSPECIFIED: int
    ZLIB: int
    ZSTD: int
    class CompressionMode:
        @staticmethod
        def Name(number: int) -> str: ...
        @staticmethod
        def Value(name: str) -> int: ...
        COMPRESSION_MODE_UNSPECIFIED: int
        COMPRESS: int
        DECOMPRESS: int

    COMPRESSION_MODE_UNSPECIFIED: int
    COMPRESS: int
    DECOMPRESS: int
    compression_algorithm: int
    compression_mode: int
    def __init__(self, *, compression_algorithm: int | None = ..., compression_mode: int | None = ...) -> None: ...

class AIInference(Message):
    class UnstructuredInference(Message):
        @property
        def parameters(self) -> known.Struct: ...
        def __init__(self, *, parameters: known.Struct | None = ...) -> None: ...
    endpoint: str
    @property
    def unstructured_inference(self) -> AIInference.UnstructuredInference: ...
    service_account_email: str
    def __init__(self, *, endpoint: str | None = ..., unstructured_inference: AIInference.UnstructuredInference | None = ..., service_account_email: str | None = ...) -> None: ...

class MessageTransform(Message):
    @property
    def javascript_udf(self) -> JavaScriptUDF: ...
    @property
    def compression(self) -> Compression: ...
    @property
    def ai_inference(self) -> AIInference: ...
    enabled: bool
    disabled: bool
    def __init__(self, *, javascript_udf: JavaScriptUDF | None = ..., compression: Compression | None = ..., ai_inference: AIInference | None = ..., enabled: bool | None = ..., disabled: bool | None = ...) -> None: ...

class Topic(Message):
    class State:
        @staticmethod
        def Name(number: int) -> str: ...
        @staticmethod
        def Value(name: str) -> int: ...
        STATE_UNSPECIFIED: int
        ACTIVE: int
        INGESTION_RESOURCE_ERROR: int

    STATE_UNSPECIFIED: int
    ACTIVE: int
    INGESTION_RESOURCE_ERROR: int
    name: str
    @property
    def labels(self) -> MutableMapping[str, str]: ...
    @property
    def message_storage_policy(self) -> MessageStoragePolicy: ...
    kms_key_name: str
    @property
    def schema_settings(self) -> SchemaSettings: ...
    satisfies_pzs: bool
    @property
    def message_retention_duration(self) -> known.Duration: ...
    @message_retention_duration.setter
    def message_retention_duration(self, value: datetime.timedelta) -> None: ...
    state: int
    @property
    def ingestion_data_source_settings(self) -> IngestionDataSourceSettings: ...
    @property
    def message_transforms(self) -> list[MessageTransform]: ...
    @property
    def tags(self) -> MutableMapping[str, str]: ...
    def __init__(self, *, name: str | None = ..., labels: Mapping[str, str] | None = ..., message_storage_policy: MessageStoragePolicy | None = ..., kms_key_name: str | None = ..., schema_settings: SchemaSettings | None = ..., satisfies_pzs: bool | None = ..., message_retention_duration: known.Duration | datetime.timedelta | None = ..., state: int | None = ..., ingestion_data_source_settings: IngestionDataSourceSettings | None = ..., message_transforms: Iterable[MessageTransform] | None = ..., tags: Mapping[str, str] | None = ...) -> None: ...

class PubsubMessage(Message):
    data: bytes
    @property
    def attributes(self) -> MutableMapping[str, str]: ...
    message_id: str
    @property
    def publish_time(self) -> known.Timestamp: ...
    @publish_time.setter
    def publish_time(self, value: datetime.datetime) -> None: ...
    ordering_key: str
    def __init__(self, *, data: bytes | None = ..., attributes: Mapping[str, str] | None = ..., message_id: str | None = ..., publish_time: known.Timestamp | datetime.datetime | None = ..., ordering_key: str | None = ...) -> None: ...

class GetTopicRequest(Message):
    topic: str
    def __init__(self, *, topic: str | None = ...) -> None: ...

class UpdateTopicRequest(Message):
    @property
    def topic(self) -> Topic: ...
    @property
    def update_mask(self) -> known.FieldMask: ...
    def __init__(self, *, topic: Topic | None = ..., update_mask: known.FieldMask | None = ...) -> None: ...

class PublishRequest(Message):
    topic: str
    @property
    def messages(self) -> list[PubsubMessage]: ...
    def __init__(self, *, topic: str | None = ..., messages: Iterable[PubsubMessage] | None = ...) -> None: ...

class PublishResponse(Message):
    @property
    def message_ids(self) -> list[str]: ...
    def __init__(self, *, message_ids: Iterable[str] | None = ...) -> None: ...

class ListTopicsRequest(Message):
    project: str
    page_size: int
    page_token: str
    def __init__(self, *, project: str | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> None: ...

class ListTopicsResponse(Message):
    @property
    def topics(self) -> list[Topic]: ...
    next_page_token: str
    def __init__(self, *, topics: Iterable[Topic] | None = ..., next_page_token: str | None = ...) -> None: ...

class ListTopicSubscriptionsRequest(Message):
    topic: str
    page_size: int
    page_token: str
    def __init__(self, *, topic: str | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> None: ...

class ListTopicSubscriptionsResponse(Message):
    @property
    def subscriptions(self) -> list[str]: ...
    next_page_token: str
    def __init__(self, *, subscriptions: Iterable[str] | None = ..., next_page_token: str | None = ...) -> None: ...

class ListTopicSnapshotsRequest(Message):
    topic: str
    page_size: int
    page_token: str
    def __init__(self, *, topic: str | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> None: ...

class ListTopicSnapshotsResponse(Message):
    @property
    def snapshots(self) -> list[str]: ...
    next_page_token: str
    def __init__(self, *, snapshots: Iterable[str] | None = ..., next_page_token: str | None = ...) -> None: ...

class DeleteTopicRequest(Message):
    topic: str
    def __init__(self, *, topic: str | None = ...) -> None: ...

class DetachSubscriptionRequest(Message):
    subscription: str
    def __init__(self, *, subscription: str | None = ...) -> None: ...

class DetachSubscriptionResponse(Message):
    def __init__(self) -> None: ...

class Subscription(Message):
    class State:
        @staticmethod
        def Name(number: int) -> str: ...
        @staticmethod
        def Value(name: str) -> int: ...
        STATE_UNSPECIFIED: int
        ACTIVE: int
        RESOURCE_ERROR: int

    STATE_UNSPECIFIED: int
    ACTIVE: int
    RESOURCE_ERROR: int
    class AnalyticsHubSubscriptionInfo(Message):
        listing: str
        subscription: str
        def __init__(self, *, listing: str | None = ..., subscription: str | None = ...) -> None: ...
    name: str
    topic: str
    @property
    def push_config(self) -> PushConfig: ...
    @property
    def bigquery_config(self) -> BigQueryConfig: ...
    @property
    def cloud_storage_config(self) -> CloudStorageConfig: ...
    @property
    def bigtable_config(self) -> BigtableConfig: ...
    ack_deadline_seconds: int
    retain_acked_messages: bool
    @property
    def message_retention_duration(self) -> known.Duration: ...
    @message_retention_duration.setter
    def message_retention_duration(self, value: datetime.timedelta) -> None: ...
    @property
    def labels(self) -> MutableMapping[str, str]: ...
    enable_message_ordering: bool
    @property
    def expiration_policy(self) -> ExpirationPolicy: ...
    filter: str
    @property
    def dead_letter_policy(self) -> DeadLetterPolicy: ...
    @property
    def retry_policy(self) -> RetryPolicy: ...
    detached: bool
    enable_exactly_once_delivery: bool
    @property
    def topic_message_retention_duration(self) -> known.Duration: ...
    @topic_message_retention_duration.setter
    def topic_message_retention_duration(self, value: datetime.timedelta) -> None: ...
    state: int
    @property
    def analytics_hub_subscription_info(self) -> Subscription.AnalyticsHubSubscriptionInfo: ...
    @property
    def message_transforms(self) -> list[MessageTransform]: ...
    @property
    def tags(self) -> MutableMapping[str, str]: ...
    def __init__(self, *, name: str | None = ..., topic: str | None = ..., push_config: PushConfig | None = ..., bigquery_config: BigQueryConfig | None = ..., cloud_storage_config: CloudStorageConfig | None = ..., bigtable_config: BigtableConfig | None = ..., ack_deadline_seconds: int | None = ..., retain_acked_messages: bool | None = ..., message_retention_duration: known.Duration | datetime.timedelta | None = ..., labels: Mapping[str, str] | None = ..., enable_message_ordering: bool | None = ..., expiration_policy: ExpirationPolicy | None = ..., filter: str | None = ..., dead_letter_policy: DeadLetterPolicy | None = ..., retry_policy: RetryPolicy | None = ..., detached: bool | None = ..., enable_exactly_once_delivery: bool | None = ..., topic_message_retention_duration: known.Duration | datetime.timedelta | None = ..., state: int | None = ..., analytics_hub_subscription_info: Subscription.AnalyticsHubSubscriptionInfo | None = ..., message_transforms: Iterable[MessageTransform] | None = ..., tags: Mapping[str, str] | None = ...) -> None: ...

class RetryPolicy(Message):
    @property
    def minimum_backoff(self) -> known.Duration: ...
    @minimum_backoff.setter
    def minimum_backoff(self, value: datetime.timedelta) -> None: ...
    @property
    def maximum_backoff(self) -> known.Duration: ...
    @maximum_backoff.setter
    def maximum_backoff(self, value: datetime.timedelta) -> None: ...
    def __init__(self, *, minimum_backoff: known.Duration | datetime.timedelta | None = ..., maximum_backoff: known.Duration | datetime.timedelta | None = ...) -> None: ...

class DeadLetterPolicy(Message):
    dead_letter_topic: str
    max_delivery_attempts: int
    def __init__(self, *, dead_letter_topic: str | None = ..., max_delivery_attempts: int | None = ...) -> None: ...

class ExpirationPolicy(Message):
    @property
    def ttl(self) -> known.Duration: ...
    @ttl.setter
    def ttl(self, value: datetime.timedelta) -> None: ...
    def __init__(self, *, ttl: known.Duration | datetime.timedelta | None = ...) -> None: ...

class PushConfig(Message):
    class OidcToken(Message):
        service_account_email: str
        audience: str
        def __init__(self, *, service_account_email: str | None = ..., audience: str | None = ...) -> None: ...
    class PubsubWrapper(Message):
        def __init__(self) -> None: ...
    class NoWrapper(Message):
        write_metadata: bool
        def __init__(self, *, write_metadata: bool | None = ...) -> None: ...
    push_endpoint: str
    @property
    def attributes(self) -> MutableMapping[str, str]: ...
    @property
    def oidc_token(self) -> PushConfig.OidcToken: ...
    @property
    def pubsub_wrapper(self) -> PushConfig.PubsubWrapper: ...
    @property
    def no_wrapper(self) -> PushConfig.NoWrapper: ...
    def __init__(self, *, push_endpoint: str | None = ..., attributes: Mapping[str, str] | None = ..., oidc_token: PushConfig.OidcToken | None = ..., pubsub_wrapper: PushConfig.PubsubWrapper | None = ..., no_wrapper: PushConfig.NoWrapper | None = ...) -> None: ...

class BigQueryConfig(Message):
    class State:
        @staticmethod
        def Name(number: int) -> str: ...
        @staticmethod
        def Value(name: str) -> int: ...
        STATE_UNSPECIFIED: int
        ACTIVE: int
        PERMISSION_DENIED: int
        NOT_FOUND: int
        SCHEMA_MISMATCH: int
        IN_TRANSIT_LOCATION_RESTRICTION: int
        VERTEX_AI_LOCATION_RESTRICTION: int

    STATE_UNSPECIFIED: int
    ACTIVE: int
    PERMISSION_DENIED: int
    NOT_FOUND: int
    SCHEMA_MISMATCH: int
    IN_TRANSIT_LOCATION_RESTRICTION: int
    VERTEX_AI_LOCATION_RESTRICTION: int
    table: str
    use_topic_schema: bool
    write_metadata: bool
    drop_unknown_fields: bool
    state: int
    use_table_schema: bool
    service_account_email: str
    def __init__(self, *, table: str | None = ..., use_topic_schema: bool | None = ..., write_metadata: bool | None = ..., drop_unknown_fields: bool | None = ..., state: int | None = ..., use_table_schema: bool | None = ..., service_account_email: str | None = ...) -> None: ...

class BigtableConfig(Message):
    class State:
        @staticmethod
        def Name(number: int) -> str: ...
        @staticmethod
        def Value(name: str) -> int: ...
        STATE_UNSPECIFIED: int
        ACTIVE: int
        NOT_FOUND: int
        APP_PROFILE_MISCONFIGURED: int
        PERMISSION_DENIED: int
        SCHEMA_MISMATCH: int
        IN_TRANSIT_LOCATION_RESTRICTION: int
        VERTEX_AI_LOCATION_RESTRICTION: int

    STATE_UNSPECIFIED: int
    ACTIVE: int
    NOT_FOUND: int
    APP_PROFILE_MISCONFIGURED: int
    PERMISSION_DENIED: int
    SCHEMA_MISMATCH: int
    IN_TRANSIT_LOCATION_RESTRICTION: int
    VERTEX_AI_LOCATION_RESTRICTION: int
    class ColumnFamilyMapping(Message):
        class RowKeySchema(Message):
            def __init__(self) -> None: ...
        class DelimitedKey(Message):
            @property
            def key_fields(self) -> list[str]: ...
            delimiter: bytes
            def __init__(self, *, key_fields: Iterable[str] | None = ..., delimiter: bytes | None = ...) -> None: ...
        @property
        def row_key_schema(self) -> BigtableConfig.ColumnFamilyMapping.RowKeySchema: ...
        @property
        def delimited_key(self) -> BigtableConfig.ColumnFamilyMapping.DelimitedKey: ...
        def __init__(self, *, row_key_schema: BigtableConfig.ColumnFamilyMapping.RowKeySchema | None = ..., delimited_key: BigtableConfig.ColumnFamilyMapping.DelimitedKey | None = ...) -> None: ...
    table: str
    app_profile_id: str
    service_account_email: str
    write_metadata: bool
    @property
    def column_family_mapping(self) -> BigtableConfig.ColumnFamilyMapping: ...
    state: int
    def __init__(self, *, table: str | None = ..., app_profile_id: str | None = ..., service_account_email: str | None = ..., write_metadata: bool | None = ..., column_family_mapping: BigtableConfig.ColumnFamilyMapping | None = ..., state: int | None = ...) -> None: ...

class CloudStorageConfig(Message):
    class State:
        @staticmethod
        def Name(number: int) -> str: ...
        @staticmethod
        def Value(name: str) -> int: ...
        STATE_UNSPECIFIED: int
        ACTIVE: int
        PERMISSION_DENIED: int
        NOT_FOUND: int
        IN_TRANSIT_LOCATION_RESTRICTION: int
        SCHEMA_MISMATCH: int
        VERTEX_AI_LOCATION_RESTRICTION: int

    STATE_UNSPECIFIED: int
    ACTIVE: int
    PERMISSION_DENIED: int
    NOT_FOUND: int
    IN_TRANSIT_LOCATION_RESTRICTION: int
    SCHEMA_MISMATCH: int
    VERTEX_AI_LOCATION_RESTRICTION: int
    class TextConfig(Message):
        def __init__(self) -> None: ...
    class AvroConfig(Message):
        write_metadata: bool
        use_topic_schema: bool
        def __init__(self, *, write_metadata: bool | None = ..., use_topic_schema: bool | None = ...) -> None: ...
    bucket: str
    filename_prefix: str
    filename_suffix: str
    filename_datetime_format: str
    @property
    def text_config(self) -> CloudStorageConfig.TextConfig: ...
    @property
    def avro_config(self) -> CloudStorageConfig.AvroConfig: ...
    @property
    def max_duration(self) -> known.Duration: ...
    @max_duration.setter
    def max_duration(self, value: datetime.timedelta) -> None: ...
    max_bytes: int
    max_messages: int
    state: int
    service_account_email: str
    def __init__(self, *, bucket: str | None = ..., filename_prefix: str | None = ..., filename_suffix: str | None = ..., filename_datetime_format: str | None = ..., text_config: CloudStorageConfig.TextConfig | None = ..., avro_config: CloudStorageConfig.AvroConfig | None = ..., max_duration: known.Duration | datetime.timedelta | None = ..., max_bytes: int | None = ..., max_messages: int | None = ..., state: int | None = ..., service_account_email: str | None = ...) -> None: ...

class ReceivedMessage(Message):
    ack_id: str
    @property
    def message(self) -> PubsubMessage: ...
    delivery_attempt: int
    def __init__(self, *, ack_id: str | None = ..., message: PubsubMessage | None = ..., delivery_attempt: int | None = ...) -> None: ...

class GetSubscriptionRequest(Message):
    subscription: str
    def __init__(self, *, subscription: str | None = ...) -> None: ...

class UpdateSubscriptionRequest(Message):
    @property
    def subscription(self) -> Subscription: ...
    @property
    def update_mask(self) -> known.FieldMask: ...
    def __init__(self, *, subscription: Subscription | None = ..., update_mask: known.FieldMask | None = ...) -> None: ...

class ListSubscriptionsRequest(Message):
    project: str
    page_size: int
    page_token: str
    def __init__(self, *, project: str | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> None: ...

class ListSubscriptionsResponse(Message):
    @property
    def subscriptions(self) -> list[Subscription]: ...
    next_page_token: str
    def __init__(self, *, subscriptions: Iterable[Subscription] | None = ..., next_page_token: str | None = ...) -> None: ...

class DeleteSubscriptionRequest(Message):
    subscription: str
    def __init__(self, *, subscription: str | None = ...) -> None: ...

class ModifyPushConfigRequest(Message):
    subscription: str
    @property
    def push_config(self) -> PushConfig: ...
    def __init__(self, *, subscription: str | None = ..., push_config: PushConfig | None = ...) -> None: ...

class PullRequest(Message):
    subscription: str
    return_immediately: bool
    max_messages: int
    def __init__(self, *, subscription: str | None = ..., return_immediately: bool | None = ..., max_messages: int | None = ...) -> None: ...

class PullResponse(Message):
    @property
    def received_messages(self) -> list[ReceivedMessage]: ...
    def __init__(self, *, received_messages: Iterable[ReceivedMessage] | None = ...) -> None: ...

class ModifyAckDeadlineRequest(Message):
    subscription: str
    @property
    def ack_ids(self) -> list[str]: ...
    ack_deadline_seconds: int
    def __init__(self, *, subscription: str | None = ..., ack_ids: Iterable[str] | None = ..., ack_deadline_seconds: int | None = ...) -> None: ...

class AcknowledgeRequest(Message):
    subscription: str
    @property
    def ack_ids(self) -> list[str]: ...
    def __init__(self, *, subscription: str | None = ..., ack_ids: Iterable[str] | None = ...) -> None: ...

class StreamingPullRequest(Message):
    subscription: str
    @property
    def ack_ids(self) -> list[str]: ...
    @property
    def modify_deadline_seconds(self) -> list[int]: ...
    @property
    def modify_deadline_ack_ids(self) -> list[str]: ...
    stream_ack_deadline_seconds: int
    client_id: str
    max_outstanding_messages: int
    max_outstanding_bytes: int
    protocol_version: int
    def __init__(self, *, subscription: str | None = ..., ack_ids: Iterable[str] | None = ..., modify_deadline_seconds: Iterable[int] | None = ..., modify_deadline_ack_ids: Iterable[str] | None = ..., stream_ack_deadline_seconds: int | None = ..., client_id: str | None = ..., max_outstanding_messages: int | None = ..., max_outstanding_bytes: int | None = ..., protocol_version: int | None = ...) -> None: ...

class StreamingPullResponse(Message):
    class AcknowledgeConfirmation(Message):
        @property
        def ack_ids(self) -> list[str]: ...
        @property
        def invalid_ack_ids(self) -> list[str]: ...
        @property
        def unordered_ack_ids(self) -> list[str]: ...
        @property
        def temporary_failed_ack_ids(self) -> list[str]: ...
        def __init__(self, *, ack_ids: Iterable[str] | None = ..., invalid_ack_ids: Iterable[str] | None = ..., unordered_ack_ids: Iterable[str] | None = ..., temporary_failed_ack_ids: Iterable[str] | None = ...) -> None: ...
    class ModifyAckDeadlineConfirmation(Message):
        @property
        def ack_ids(self) -> list[str]: ...
        @property
        def invalid_ack_ids(self) -> list[str]: ...
        @property
        def temporary_failed_ack_ids(self) -> list[str]: ...
        def __init__(self, *, ack_ids: Iterable[str] | None = ..., invalid_ack_ids: Iterable[str] | None = ..., temporary_failed_ack_ids: Iterable[str] | None = ...) -> None: ...
    class SubscriptionProperties(Message):
        exactly_once_delivery_enabled: bool
        message_ordering_enabled: bool
        def __init__(self, *, exactly_once_delivery_enabled: bool | None = ..., message_ordering_enabled: bool | None = ...) -> None: ...
    @property
    def received_messages(self) -> list[ReceivedMessage]: ...
    @property
    def acknowledge_confirmation(self) -> StreamingPullResponse.AcknowledgeConfirmation: ...
    @property
    def modify_ack_deadline_confirmation(self) -> StreamingPullResponse.ModifyAckDeadlineConfirmation: ...
    @property
    def subscription_properties(self) -> StreamingPullResponse.SubscriptionProperties: ...
    def __init__(self, *, received_messages: Iterable[ReceivedMessage] | None = ..., acknowledge_confirmation: StreamingPullResponse.AcknowledgeConfirmation | None = ..., modify_ack_deadline_confirmation: StreamingPullResponse.ModifyAckDeadlineConfirmation | None = ..., subscription_properties: StreamingPullResponse.SubscriptionProperties | None = ...) -> None: ...

class CreateSnapshotRequest(Message):
    name: str
    subscription: str
    @property
    def labels(self) -> MutableMapping[str, str]: ...
    @property
    def tags(self) -> MutableMapping[str, str]: ...
    def __init__(self, *, name: str | None = ..., subscription: str | None = ..., labels: Mapping[str, str] | None = ..., tags: Mapping[str, str] | None = ...) -> None: ...

class UpdateSnapshotRequest(Message):
    @property
    def snapshot(self) -> Snapshot: ...
    @property
    def update_mask(self) -> known.FieldMask: ...
    def __init__(self, *, snapshot: Snapshot | None = ..., update_mask: known.FieldMask | None = ...) -> None: ...

class Snapshot(Message):
    name: str
    topic: str
    @property
    def expire_time(self) -> known.Timestamp: ...
    @expire_time.setter
    def expire_time(self, value: datetime.datetime) -> None: ...
    @property
    def labels(self) -> MutableMapping[str, str]: ...
    def __init__(self, *, name: str | None = ..., topic: str | None = ..., expire_time: known.Timestamp | datetime.datetime | None = ..., labels: Mapping[str, str] | None = ...) -> None: ...

class GetSnapshotRequest(Message):
    snapshot: str
    def __init__(self, *, snapshot: str | None = ...) -> None: ...

class ListSnapshotsRequest(Message):
    project: str
    page_size: int
    page_token: str
    def __init__(self, *, project: str | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> None: ...

class ListSnapshotsResponse(Message):
    @property
    def snapshots(self) -> list[Snapshot]: ...
    next_page_token: str
    def __init__(self, *, snapshots: Iterable[Snapshot] | None = ..., next_page_token: str | None = ...) -> None: ...

class DeleteSnapshotRequest(Message):
    snapshot: str
    def __init__(self, *, snapshot: str | None = ...) -> None: ...

class SeekRequest(Message):
    subscription: str
    @property
    def time(self) -> known.Timestamp: ...
    @time.setter
    def time(self, value: datetime.datetime) -> None: ...
    snapshot: str
    def __init__(self, *, subscription: str | None = ..., time: known.Timestamp | datetime.datetime | None = ..., snapshot: str | None = ...) -> None: ...

class SeekResponse(Message):
    def __init__(self) -> None: ...

class PubsubClientTelemetry(Message):
    class PublishOperation(Message):
        hedged_attempt_count: int
        @property
        def publish_start_time(self) -> known.Timestamp: ...
        @publish_start_time.setter
        def publish_start_time(self, value: datetime.datetime) -> None: ...
        def __init__(self, *, hedged_attempt_count: int | None = ..., publish_start_time: known.Timestamp | datetime.datetime | None = ...) -> None: ...
    @property
    def publish_operation(self) -> PubsubClientTelemetry.PublishOperation: ...
    def __init__(self, *, publish_operation: PubsubClientTelemetry.PublishOperation | None = ...) -> None: ...
