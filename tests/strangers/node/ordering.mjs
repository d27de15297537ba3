import { receive } from "./receiving.mjs";

const KEYS = ["key 0", "key 1", "key 2"];
const PER_KEY = 20;

// Publishes with ordering keys, gets over a message that is refused by resuming its key, and sees each key in its order.
export async function ordering(pubsub) {
  const [made] = await pubsub.createTopic("orders");
  const [subscription] = await made.createSubscription("billing", { enableMessageOrdering: true });
  const topic = pubsub.topic("orders", { messageOrdering: true });
  const sent = [];
  for (let number = 0; number < PER_KEY; number++) {
    for (const orderingKey of KEYS) {
      sent.push(topic.publishMessage({ data: Buffer.from(String(number)), orderingKey }));
    }
  }
  await Promise.all(sent);
  const [orderingKey] = KEYS;
  const tooLong = { attribute: "x".repeat(2000) }; // an attribute's value has 1024 bytes at most
  const behindIt = [
    topic.publishMessage({ data: Buffer.from("refused"), attributes: tooLong, orderingKey }),
    topic.publishMessage({ data: Buffer.from("held back"), orderingKey }), // this client stops a key only for what waits behind the failure
  ];
  const paused = (await Promise.allSettled(behindIt)).every(({ status }) => status === "rejected");
  topic.resumePublishing(orderingKey);
  await topic.publishMessage({ data: Buffer.from(String(PER_KEY)), orderingKey });

  const next = new Map();
  let inOrder = 0;
  let seen = 0;
  await receive(subscription, (message) => {
    const expected = next.get(message.orderingKey) ?? 0;
    inOrder += Number(message.data.toString() === String(expected));
    next.set(message.orderingKey, expected + 1);
    message.ack();
    return ++seen === KEYS.length * PER_KEY + 1;
  });
  return { keys: next.size, in_order: inOrder, paused };
}
