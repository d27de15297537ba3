package strangers;

import com.google.protobuf.util.Timestamps;
import com.google.pubsub.v1.SeekRequest;
import com.google.pubsub.v1.Snapshot;
import com.google.pubsub.v1.Subscription;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/** Acknowledges everything, and has it back by a snapshot and by a time, on one stream. */
final class Seek implements Main.Scenario {
  private static final long MINUTE_MS = 60_000;

  private final List<Integer> rounds = new ArrayList<>();
  private final Set<String> seen = new HashSet<>();

  @Override
  public Map<String, Object> run(World world) throws Exception {
    SeekRequest.Builder aMinuteAgo = SeekRequest.newBuilder().setTime(Timestamps.fromMillis(System.currentTimeMillis() - MINUTE_MS));
    world.create(Subscription.newBuilder().setRetainAckedMessages(true));
    world.publish("one", "two");
    Snapshot snapshot = world.subscriptions.createSnapshot(world.name("snapshots", "before"), world.subscription);
    List<SeekRequest.Builder> targets = List.of(SeekRequest.newBuilder().setSnapshot(snapshot.getName()), aMinuteAgo);
    CompletableFuture<Void> enough = new CompletableFuture<>();
    world.receive(
        world.subscription,
        enough,
        (message, reply) -> {
          reply.ack();
          synchronized (this) {
            seen.add(message.getData().toStringUtf8());
            if (seen.size() < 2) {
              return;
            }
            rounds.add(seen.size());
            seen.clear();
            if (rounds.size() > targets.size()) {
              enough.complete(null);
            } else {
              world.subscriptions.seek(targets.get(rounds.size() - 1).setSubscription(world.subscription).build());
            }
          }
        });
    return Map.of("rounds", rounds);
  }
}
