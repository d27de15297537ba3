import { v1 } from "@google-cloud/pubsub";

import { receive } from "./receiving.mjs";

// Acknowledges with confirmations, and is told that an ack id which was given up is none any more.
export async function exactlyOnce(pubsub) {
  const [topic] = await pubsub.createTopic("orders");
  const [subscription] = await topic.createSubscription("billing", { enableExactlyOnceDelivery: true });
  for (const text of ["one", "two", "three"]) {
    await topic.publishMessage({ data: Buffer.from(text) });
  }
  const stale = await staleAck(await pubsub.getClientConfig(), subscription.name);
  const confirmed = new Set();
  await receive(subscription, async (message) => {
    await message.ackWithResponse();
    confirmed.add(message.data.toString());
    return confirmed.size === 3;
  });
  return { confirmed: confirmed.size, stale };
}

async function staleAck(config, subscription) {
  const client = new v1.SubscriberClient(config);
  try {
    const [{ receivedMessages }] = await client.pull({ subscription, maxMessages: 1 });
    const ackIds = [receivedMessages[0].ackId];
    await client.modifyAckDeadline({ subscription, ackIds, ackDeadlineSeconds: 0 });
    return await client.acknowledge({ subscription, ackIds }).then(
      () => "accepted",
      (refusal) => refusal.errorInfoMetadata[ackIds[0]],
    );
  } finally {
    await client.close();
  }
}
