package strangers;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.pubsub.v1.PushConfig;
import com.google.pubsub.v1.Subscription;
import com.sun.net.httpserver.HttpServer;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Answers the first request with 500 and sees its message again. */
final class Push implements Main.Scenario {
  @Override
  public Map<String, Object> run(World world) throws Exception {
    AtomicInteger refusals = new AtomicInteger();
    CompletableFuture<JsonObject> accepted = new CompletableFuture<>();
    HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          JsonObject body = new Gson().fromJson(new InputStreamReader(exchange.getRequestBody(), StandardCharsets.UTF_8), JsonObject.class);
          boolean first = refusals.compareAndSet(0, 1);
          exchange.sendResponseHeaders(first ? 500 : 204, -1);
          exchange.close();
          if (!first) {
            accepted.complete(body);
          }
        });
    server.start();
    try {
      String endpoint = "http://127.0.0.1:" + server.getAddress().getPort() + "/";
      world.create(Subscription.newBuilder().setPushConfig(PushConfig.newBuilder().setPushEndpoint(endpoint)));
      world.publish("one");
      JsonObject body = accepted.get(World.LIMIT_S, TimeUnit.SECONDS);
      JsonObject message = body.getAsJsonObject("message");
      return Map.of(
          "data", new String(Base64.getDecoder().decode(message.get("data").getAsString()), StandardCharsets.UTF_8),
          "refusals", refusals.get(),
          "mine", body.get("subscription").getAsString().equals(world.subscription),
          "has_id", !message.get("messageId").getAsString().isEmpty());
    } finally {
      server.stop(0);
    }
  }
}
