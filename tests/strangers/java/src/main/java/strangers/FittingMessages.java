package strangers;

import com.google.api.gax.rpc.InvalidArgumentException;
import com.google.pubsub.v1.Encoding;
import com.google.pubsub.v1.Schema;
import com.google.pubsub.v1.SchemaSettings;
import com.google.pubsub.v1.Subscription;
import com.google.pubsub.v1.Topic;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;

/** Publishes to a topic that takes only what fits its Avro schema. */
final class FittingMessages implements Main.Scenario {
  private static final String DEFINITION =
      "{\"type\": \"record\", \"name\": \"Order\", \"fields\": [{\"name\": \"id\", \"type\": \"long\"}]}";

  @Override
  public Map<String, Object> run(World world) throws Exception {
    Schema wanted = Schema.newBuilder().setType(Schema.Type.AVRO).setDefinition(DEFINITION).build();
    Schema made = world.schemas.createSchema(world.project, wanted, "order");
    SchemaSettings settings = SchemaSettings.newBuilder().setSchema(made.getName()).setEncoding(Encoding.JSON).build();
    world.create(Topic.newBuilder().setSchemaSettings(settings), Subscription.newBuilder());
    world.publish("{\"id\": 7}");
    Map<String, Object> saw = new ConcurrentHashMap<>();
    try {
      world.publish("{\"id\": \"seven\"}");
      saw.put("refused", "accepted");
    } catch (ExecutionException refusal) {
      saw.put("refused", refusal.getCause() instanceof InvalidArgumentException ? "InvalidArgument" : refusal.getCause().toString());
    }
    CompletableFuture<Void> came = new CompletableFuture<>();
    world.receive(
        world.subscription,
        came,
        (message, reply) -> {
          saw.put("data", message.getData().toStringUtf8());
          saw.put("encoding", message.getAttributesOrThrow("googclient_schemaencoding"));
          saw.put("marked", message.getAttributesOrThrow("googclient_schemarevisionid").equals(made.getRevisionId()));
          reply.ack();
          came.complete(null);
        });
    return saw;
  }
}
