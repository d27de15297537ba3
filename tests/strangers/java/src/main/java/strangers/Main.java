package strangers;

import com.google.api.core.ApiFuture;
import com.google.api.core.ApiFutures;
import com.google.api.gax.core.NoCredentialsProvider;
import com.google.api.gax.grpc.GrpcTransportChannel;
import com.google.api.gax.rpc.FixedTransportChannelProvider;
import com.google.api.gax.rpc.NotFoundException;
import com.google.api.gax.rpc.TransportChannelProvider;
import com.google.cloud.pubsub.v1.AckReplyConsumer;
import com.google.cloud.pubsub.v1.Publisher;
import com.google.cloud.pubsub.v1.Subscriber;
import com.google.cloud.pubsub.v1.SubscriptionAdminClient;
import com.google.cloud.pubsub.v1.SubscriptionAdminSettings;
import com.google.cloud.pubsub.v1.TopicAdminClient;
import com.google.cloud.pubsub.v1.TopicAdminSettings;
import com.google.protobuf.ByteString;
import com.google.pubsub.v1.PubsubMessage;
import com.google.pubsub.v1.Subscription;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Google's Java client against the server named by PUBSUB_EMULATOR_HOST: create, publish, receive on a stream, nack one message once,
 * acknowledge, delete. One line of JSON and exit code 0 when everything happened as it should.
 *
 * <p>The Java client does not read the variable itself: its users make a plain-text channel, as here.
 */
public final class Main {
  private static final int MESSAGES = 50;
  private static final String REFUSED = "message 7"; // nacked at its first delivery
  private static final long LIMIT_S = 30;

  private final Map<String, Integer> deliveries = new ConcurrentHashMap<>();
  private final Set<String> acked = ConcurrentHashMap.newKeySet();
  private final CountDownLatch allAcked = new CountDownLatch(MESSAGES);
  private final TransportChannelProvider channel;

  private Main(ManagedChannel channel) {
    this.channel = FixedTransportChannelProvider.create(GrpcTransportChannel.create(channel));
  }

  public static void main(String[] arguments) throws Exception {
    String project = System.getenv("PUBSUB_PROJECT_ID");
    ManagedChannel channel = ManagedChannelBuilder.forTarget(System.getenv("PUBSUB_EMULATOR_HOST")).usePlaintext().build();
    try {
      new Main(channel).run("projects/" + project + "/topics/orders", "projects/" + project + "/subscriptions/billing");
    } finally {
      channel.shutdown();
      channel.awaitTermination(LIMIT_S, TimeUnit.SECONDS);
    }
  }

  private void run(String topic, String subscription) throws Exception {
    NoCredentialsProvider nobody = NoCredentialsProvider.create();
    TopicAdminSettings topicSettings =
        TopicAdminSettings.newBuilder().setTransportChannelProvider(channel).setCredentialsProvider(nobody).build();
    SubscriptionAdminSettings subscriptionSettings =
        SubscriptionAdminSettings.newBuilder().setTransportChannelProvider(channel).setCredentialsProvider(nobody).build();
    try (TopicAdminClient topics = TopicAdminClient.create(topicSettings);
        SubscriptionAdminClient subscriptions = SubscriptionAdminClient.create(subscriptionSettings)) {
      topics.createTopic(topic);
      subscriptions.createSubscription(Subscription.newBuilder().setName(subscription).setTopic(topic).build());
      publish(topic);
      receive(subscription);
      check(deliveries.get(REFUSED) == 2, REFUSED + " came " + deliveries.get(REFUSED) + " times");
      check(acked.size() == MESSAGES, acked.size() + " of " + MESSAGES + " messages were acknowledged");
      subscriptions.deleteSubscription(subscription);
      topics.deleteTopic(topic);
      try {
        topics.getTopic(topic);
        throw new AssertionError("a deleted topic is still there");
      } catch (NotFoundException expected) {
        System.out.printf("{\"client\": \"java\", \"published\": %d, \"seen\": %d, \"nacked\": 1}%n", MESSAGES, acked.size());
      }
    }
  }

  private void publish(String topic) throws Exception {
    Publisher publisher =
        Publisher.newBuilder(topic)
            .setChannelProvider(channel)
            .setCredentialsProvider(NoCredentialsProvider.create())
            .setEnableCompression(true)
            .setCompressionBytesThreshold(1)
            .build();
    List<ApiFuture<String>> ids = new ArrayList<>();
    for (int number = 0; number < MESSAGES; number++) {
      ByteString data = ByteString.copyFromUtf8("message " + number);
      ids.add(publisher.publish(PubsubMessage.newBuilder().setData(data).putAttributes("language", "java").build()));
    }
    Set<String> distinct = new HashSet<>(ApiFutures.allAsList(ids).get(LIMIT_S, TimeUnit.SECONDS));
    publisher.shutdown();
    publisher.awaitTermination(LIMIT_S, TimeUnit.SECONDS);
    check(distinct.size() == MESSAGES, distinct.size() + " different message ids");
  }

  private void receive(String subscription) throws Exception {
    Subscriber subscriber =
        Subscriber.newBuilder(subscription, this::take)
            .setChannelProvider(channel)
            .setCredentialsProvider(NoCredentialsProvider.create())
            .build();
    subscriber.startAsync().awaitRunning(LIMIT_S, TimeUnit.SECONDS);
    boolean finished = allAcked.await(LIMIT_S, TimeUnit.SECONDS);
    subscriber.stopAsync().awaitTerminated(LIMIT_S, TimeUnit.SECONDS);
    check(finished, "only " + acked.size() + " messages came within " + LIMIT_S + " s");
  }

  private void take(PubsubMessage message, AckReplyConsumer reply) {
    String data = message.getData().toStringUtf8();
    int delivery = deliveries.merge(data, 1, Integer::sum);
    if (data.equals(REFUSED) && delivery == 1) {
      reply.nack();
      return;
    }
    reply.ack();
    if (acked.add(data)) {
      allAcked.countDown();
    }
  }

  private static void check(boolean holds, String otherwise) {
    if (!holds) {
      throw new AssertionError(otherwise);
    }
  }
}
