package strangers;

import com.google.api.gax.core.NoCredentialsProvider;
import com.google.api.gax.grpc.GrpcTransportChannel;
import com.google.api.gax.rpc.FixedTransportChannelProvider;
import com.google.api.gax.rpc.TransportChannelProvider;
import com.google.cloud.pubsub.v1.MessageReceiverWithAckResponse;
import com.google.cloud.pubsub.v1.Publisher;
import com.google.cloud.pubsub.v1.SchemaServiceClient;
import com.google.cloud.pubsub.v1.SchemaServiceSettings;
import com.google.cloud.pubsub.v1.Subscriber;
import com.google.cloud.pubsub.v1.SubscriptionAdminClient;
import com.google.cloud.pubsub.v1.SubscriptionAdminSettings;
import com.google.cloud.pubsub.v1.TopicAdminClient;
import com.google.cloud.pubsub.v1.TopicAdminSettings;
import com.google.protobuf.ByteString;
import com.google.pubsub.v1.PubsubMessage;
import com.google.pubsub.v1.Subscription;
import com.google.pubsub.v1.Topic;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * The clients, and the names of one topic and one subscription in a project of their own.
 *
 * <p>The Java client does not read PUBSUB_EMULATOR_HOST itself: its users make a plain-text channel, as here.
 */
final class World implements AutoCloseable {
  static final long LIMIT_S = 30;

  final String project;
  final String topic;
  final String subscription;
  final TopicAdminClient topics;
  final SubscriptionAdminClient subscriptions;
  final SchemaServiceClient schemas;
  final TransportChannelProvider channels;
  final NoCredentialsProvider nobody = NoCredentialsProvider.create();
  private final ManagedChannel channel;

  World(String address, String projectId) throws Exception {
    project = "projects/" + projectId;
    topic = name("topics", "orders");
    subscription = name("subscriptions", "billing");
    channel = ManagedChannelBuilder.forTarget(address).usePlaintext().build();
    channels = FixedTransportChannelProvider.create(GrpcTransportChannel.create(channel));
    topics =
        TopicAdminClient.create(TopicAdminSettings.newBuilder().setTransportChannelProvider(channels).setCredentialsProvider(nobody).build());
    subscriptions =
        SubscriptionAdminClient.create(
            SubscriptionAdminSettings.newBuilder().setTransportChannelProvider(channels).setCredentialsProvider(nobody).build());
    schemas =
        SchemaServiceClient.create(SchemaServiceSettings.newBuilder().setTransportChannelProvider(channels).setCredentialsProvider(nobody).build());
  }

  String name(String kind, String id) {
    return project + "/" + kind + "/" + id;
  }

  /** Creates the topic, and the subscription with these settings. */
  void create(Subscription.Builder settings) {
    create(Topic.newBuilder(), settings);
  }

  void create(Topic.Builder topicSettings, Subscription.Builder settings) {
    topics.createTopic(topicSettings.setName(topic).build());
    subscriptions.createSubscription(settings.setName(subscription).setTopic(topic).build());
  }

  Publisher publisher(boolean ordered) throws Exception {
    return Publisher.newBuilder(topic).setChannelProvider(channels).setCredentialsProvider(nobody).setEnableMessageOrdering(ordered).build();
  }

  /** Publishes messages one by one, each when the one before has its id. */
  void publish(String... texts) throws Exception {
    Publisher publisher = publisher(false);
    for (String text : texts) {
      publisher.publish(PubsubMessage.newBuilder().setData(ByteString.copyFromUtf8(text)).build()).get(LIMIT_S, TimeUnit.SECONDS);
    }
    end(publisher);
  }

  static void end(Publisher publisher) throws Exception {
    publisher.shutdown();
    publisher.awaitTermination(LIMIT_S, TimeUnit.SECONDS);
  }

  /** Receives on a stream until the receiver has completed `enough`. */
  void receive(String from, CompletableFuture<Void> enough, MessageReceiverWithAckResponse receiver) throws Exception {
    Subscriber subscriber = Subscriber.newBuilder(from, receiver).setChannelProvider(channels).setCredentialsProvider(nobody).build();
    subscriber.startAsync().awaitRunning(LIMIT_S, TimeUnit.SECONDS);
    try {
      enough.get(LIMIT_S, TimeUnit.SECONDS);
    } finally {
      subscriber.stopAsync().awaitTerminated(LIMIT_S, TimeUnit.SECONDS);
    }
  }

  @Override
  public void close() throws Exception {
    topics.close();
    subscriptions.close();
    schemas.close();
    channel.shutdown();
    channel.awaitTermination(LIMIT_S, TimeUnit.SECONDS);
  }
}
