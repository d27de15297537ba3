package strangers;

import com.google.api.gax.rpc.ApiException;
import com.google.cloud.pubsub.v1.AckResponse;
import com.google.pubsub.v1.Subscription;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;

/** Acknowledges with confirmations, and is told that an ack id which was given up is none any more. */
final class ExactlyOnce implements Main.Scenario {
  @Override
  public Map<String, Object> run(World world) throws Exception {
    world.create(Subscription.newBuilder().setEnableExactlyOnceDelivery(true));
    world.publish("one", "two", "three");
    String stale = staleAck(world);
    Set<String> confirmed = ConcurrentHashMap.newKeySet();
    CompletableFuture<Void> enough = new CompletableFuture<>();
    world.receive(
        world.subscription,
        enough,
        (message, reply) -> {
          Future<AckResponse> answer = reply.ack();
          CompletableFuture.runAsync(
              () -> {
                if (get(answer) == AckResponse.SUCCESSFUL && confirmed.add(message.getData().toStringUtf8()) && confirmed.size() == 3) {
                  enough.complete(null);
                }
              });
        });
    return Map.of("confirmed", confirmed.size(), "stale", stale);
  }

  private static AckResponse get(Future<AckResponse> answer) {
    try {
      return answer.get();
    } catch (Exception failure) {
      throw new AssertionError(failure);
    }
  }

  @SuppressWarnings("deprecation") // the calls behind a subscriber, which has no way to ack late on purpose
  private static String staleAck(World world) {
    String id = world.subscriptions.pull(world.subscription, 1).getReceivedMessages(0).getAckId();
    world.subscriptions.modifyAckDeadline(world.subscription, List.of(id), 0);
    try {
      world.subscriptions.acknowledge(world.subscription, List.of(id));
      return "accepted";
    } catch (ApiException refusal) {
      return refusal.getMetadata().get(id);
    }
  }
}
