import assert from "node:assert/strict";

const MESSAGES = 50;
const REFUSED = "message 7"; // nacked at its first delivery
const NOT_FOUND = 5;

// Create, publish, receive on a stream, nack one message once, acknowledge, delete.
export async function round(pubsub) {
  const [topic] = await pubsub.createTopic("orders");
  const [subscription] = await topic.createSubscription("billing");
  await publish(topic);
  const { deliveries, nacks } = await receive(subscription);
  assert.equal(nacks, 1);
  assert.equal(deliveries.get(REFUSED), 2);
  assert.equal(deliveries.size, MESSAGES);

  await subscription.delete();
  await topic.delete();
  await assert.rejects(topic.getMetadata(), { code: NOT_FOUND });
  return { published: MESSAGES, seen: deliveries.size, nacked: nacks };
}

async function publish(topic) {
  const sent = [];
  for (let number = 0; number < MESSAGES; number++) {
    sent.push(topic.publishMessage({ data: Buffer.from(`message ${number}`), attributes: { language: "node" } }));
  }
  assert.equal(new Set(await Promise.all(sent)).size, MESSAGES);
}

// How often each message was delivered, and how many nacks were sent. Ends when every message has been acknowledged.
async function receive(subscription) {
  const deliveries = new Map();
  const acked = new Set();
  let nacks = 0;
  await new Promise((resolve, reject) => {
    subscription.on("error", reject);
    subscription.on("message", (message) => {
      const data = message.data.toString();
      deliveries.set(data, (deliveries.get(data) ?? 0) + 1);
      if (data === REFUSED && deliveries.get(data) === 1) {
        nacks++;
        message.nack();
        return;
      }
      message.ack();
      acked.add(data);
      if (acked.size === MESSAGES) {
        resolve();
      }
    });
  });
  await subscription.close(); // sends the acks that wait
  return { deliveries, nacks };
}
