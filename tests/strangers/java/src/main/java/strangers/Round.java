package strangers;

import com.google.api.core.ApiFuture;
import com.google.api.core.ApiFutures;
import com.google.api.gax.rpc.NotFoundException;
import com.google.cloud.pubsub.v1.AckReplyConsumerWithResponse;
import com.google.cloud.pubsub.v1.Publisher;
import com.google.protobuf.ByteString;
import com.google.pubsub.v1.PubsubMessage;
import com.google.pubsub.v1.Subscription;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** Create, publish compressed requests, receive on a stream, nack one message once, acknowledge, delete. */
final class Round implements Main.Scenario {
  private static final int MESSAGES = 50;
  private static final String REFUSED = "message 7"; // nacked at its first delivery

  private final Map<String, Integer> deliveries = new ConcurrentHashMap<>();
  private final Set<String> acked = ConcurrentHashMap.newKeySet();
  private final CompletableFuture<Void> enough = new CompletableFuture<>();

  @Override
  public Map<String, Object> run(World world) throws Exception {
    world.create(Subscription.newBuilder());
    publish(world);
    world.receive(world.subscription, enough, this::take);
    check(deliveries.get(REFUSED) == 2, REFUSED + " came " + deliveries.get(REFUSED) + " times");
    world.subscriptions.deleteSubscription(world.subscription);
    world.topics.deleteTopic(world.topic);
    try {
      world.topics.getTopic(world.topic);
      throw new AssertionError("a deleted topic is still there");
    } catch (NotFoundException expected) {
      return Map.of("published", MESSAGES, "seen", acked.size(), "nacked", 1);
    }
  }

  private static void publish(World world) throws Exception {
    Publisher publisher =
        Publisher.newBuilder(world.topic)
            .setChannelProvider(world.channels)
            .setCredentialsProvider(world.nobody)
            .setEnableCompression(true)
            .setCompressionBytesThreshold(1)
            .build();
    List<ApiFuture<String>> ids = new ArrayList<>();
    for (int number = 0; number < MESSAGES; number++) {
      ByteString data = ByteString.copyFromUtf8("message " + number);
      ids.add(publisher.publish(PubsubMessage.newBuilder().setData(data).putAttributes("language", "java").build()));
    }
    Set<String> distinct = new HashSet<>(ApiFutures.allAsList(ids).get(World.LIMIT_S, TimeUnit.SECONDS));
    World.end(publisher);
    check(distinct.size() == MESSAGES, distinct.size() + " different message ids");
  }

  private void take(PubsubMessage message, AckReplyConsumerWithResponse reply) {
    String data = message.getData().toStringUtf8();
    int delivery = deliveries.merge(data, 1, Integer::sum);
    if (data.equals(REFUSED) && delivery == 1) {
      reply.nack();
      return;
    }
    reply.ack();
    if (acked.add(data) && acked.size() == MESSAGES) {
      enough.complete(null);
    }
  }

  private static void check(boolean holds, String otherwise) {
    if (!holds) {
      throw new AssertionError(otherwise);
    }
  }
}
