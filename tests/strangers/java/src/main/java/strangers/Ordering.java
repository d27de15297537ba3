package strangers;

import com.google.api.core.ApiFuture;
import com.google.cloud.pubsub.v1.Publisher;
import com.google.protobuf.ByteString;
import com.google.pubsub.v1.PubsubMessage;
import com.google.pubsub.v1.Subscription;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/** Publishes with ordering keys, gets over a message that is refused by resuming its key, and sees each key in its order. */
final class Ordering implements Main.Scenario {
  private static final int KEYS = 3;
  private static final int PER_KEY = 20;
  private static final String FIRST = "key 0";

  private final Map<String, Integer> next = new HashMap<>();
  private int inOrder;
  private int seen;

  @Override
  public Map<String, Object> run(World world) throws Exception {
    world.create(Subscription.newBuilder().setEnableMessageOrdering(true));
    boolean paused = publish(world);
    CompletableFuture<Void> enough = new CompletableFuture<>();
    world.receive(
        world.subscription,
        enough,
        (message, reply) -> {
          if (take(message) == KEYS * PER_KEY + 1) {
            enough.complete(null);
          }
          reply.ack();
        });
    return Map.of("keys", next.size(), "in_order", inOrder, "paused", paused);
  }

  private synchronized int take(PubsubMessage message) {
    int expected = next.getOrDefault(message.getOrderingKey(), 0);
    inOrder += message.getData().toStringUtf8().equals(String.valueOf(expected)) ? 1 : 0;
    next.put(message.getOrderingKey(), expected + 1);
    return ++seen;
  }

  private static boolean publish(World world) throws Exception {
    Publisher publisher = world.publisher(true);
    ApiFuture<String> last = null;
    for (int number = 0; number < PER_KEY; number++) {
      for (int key = 0; key < KEYS; key++) {
        last = publisher.publish(message(String.valueOf(number), "key " + key).build());
      }
    }
    last.get(World.LIMIT_S, TimeUnit.SECONDS);
    // an attribute's value has 1024 bytes at most
    boolean refused = fails(publisher, message("refused", FIRST).putAttributes("attribute", "x".repeat(2000)));
    boolean heldBack = fails(publisher, message("held back", FIRST));
    publisher.resumePublish(FIRST);
    publisher.publish(message(String.valueOf(PER_KEY), FIRST).build()).get(World.LIMIT_S, TimeUnit.SECONDS);
    World.end(publisher);
    return refused && heldBack;
  }

  private static boolean fails(Publisher publisher, PubsubMessage.Builder message) throws Exception {
    try {
      publisher.publish(message.build()).get(World.LIMIT_S, TimeUnit.SECONDS);
      return false;
    } catch (ExecutionException refusal) {
      return true;
    }
  }

  private static PubsubMessage.Builder message(String text, String key) {
    return PubsubMessage.newBuilder().setData(ByteString.copyFromUtf8(text)).setOrderingKey(key);
  }
}
