import { once } from "node:events";
import { createServer } from "node:http";
import { json } from "node:stream/consumers";

// Answers the first request with 500 and sees its message again.
export async function push(pubsub) {
  let refusals = 0;
  let accept;
  const accepted = new Promise((resolve) => (accept = resolve));
  const server = createServer(async (request, response) => {
    const body = await json(request);
    if (refusals === 0) {
      refusals++;
      response.writeHead(500).end();
      return;
    }
    response.writeHead(204).end();
    accept(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const [topic] = await pubsub.createTopic("orders");
  const pushEndpoint = `http://127.0.0.1:${server.address().port}/`;
  const [subscription] = await topic.createSubscription("billing", { pushConfig: { pushEndpoint } });
  await topic.publishMessage({ data: Buffer.from("one") });
  const { message, subscription: name } = await accepted;
  server.close();
  server.closeAllConnections();
  return { data: Buffer.from(message.data, "base64").toString(), refusals, mine: name === subscription.name, has_id: message.messageId !== "" };
}
