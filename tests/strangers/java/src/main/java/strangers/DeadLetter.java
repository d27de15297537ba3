package strangers;

import com.google.cloud.pubsub.v1.Subscriber;
import com.google.pubsub.v1.DeadLetterPolicy;
import com.google.pubsub.v1.Subscription;
import java.util.Collections;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/** Nacks a message until it is forwarded, and reads on the dead-letter topic where it came from. */
final class DeadLetter implements Main.Scenario {
  @Override
  public Map<String, Object> run(World world) throws Exception {
    String failed = world.name("topics", "failed");
    String forwarded = world.name("subscriptions", "failed");
    world.topics.createTopic(failed);
    world.subscriptions.createSubscription(Subscription.newBuilder().setName(forwarded).setTopic(failed).build());
    DeadLetterPolicy policy = DeadLetterPolicy.newBuilder().setDeadLetterTopic(failed).setMaxDeliveryAttempts(5).build();
    world.create(Subscription.newBuilder().setDeadLetterPolicy(policy));
    world.publish("poison");

    List<Integer> attempts = Collections.synchronizedList(new ArrayList<>());
    CompletableFuture<Void> allFailed = new CompletableFuture<>();
    world.receive(
        world.subscription,
        allFailed,
        (message, reply) -> {
          attempts.add(Subscriber.getDeliveryAttempt(message));
          reply.nack();
          if (attempts.size() == 5) {
            allFailed.complete(null);
          }
        });
    Map<String, Object> saw = new ConcurrentHashMap<>(Map.of("attempts", attempts));
    CompletableFuture<Void> came = new CompletableFuture<>();
    world.receive(
        forwarded,
        came,
        (message, reply) -> {
          saw.put("data", message.getData().toStringUtf8());
          saw.put("source", message.getAttributesOrThrow("CloudPubSubDeadLetterSourceSubscription"));
          saw.put("count", message.getAttributesOrThrow("CloudPubSubDeadLetterSourceDeliveryCount"));
          reply.ack();
          came.complete(null);
        });
    return saw;
  }
}
