package strangers;

import com.google.gson.Gson;
import java.util.Map;

/**
 * Google's Java client against the server named by PUBSUB_EMULATOR_HOST, in scenarios: the first argument names one of them, which is run, prints
 * what it saw as a line of JSON, and ends with 0 when everything happened as it should.
 */
public final class Main {
  private static final Map<String, Scenario> SCENARIOS =
      Map.of(
          "round", new Round(),
          "ordering", new Ordering(),
          "exactly_once", new ExactlyOnce(),
          "dead_letter", new DeadLetter(),
          "schema", new FittingMessages(),
          "seek", new Seek(),
          "push", new Push());

  /** One feature, used as a user of it would. */
  interface Scenario {
    Map<String, Object> run(World world) throws Exception;
  }

  public static void main(String[] arguments) throws Exception {
    try (World world = new World(System.getenv("PUBSUB_EMULATOR_HOST"), System.getenv("PUBSUB_PROJECT_ID"))) {
      System.out.println(new Gson().toJson(SCENARIOS.get(arguments[0]).run(world)));
    }
  }
}
