import { receive } from "./receiving.mjs";

// Nacks a message until it is forwarded, and reads on the dead-letter topic where it came from.
export async function deadLetter(pubsub) {
  const [failed] = await pubsub.createTopic("failed");
  const [forwarded] = await failed.createSubscription("failed");
  const [topic] = await pubsub.createTopic("orders");
  const deadLetterPolicy = { deadLetterTopic: failed.name, maxDeliveryAttempts: 5 };
  const [subscription] = await topic.createSubscription("billing", { deadLetterPolicy });
  await topic.publishMessage({ data: Buffer.from("poison") });
  const attempts = [];
  await receive(subscription, (message) => {
    attempts.push(message.deliveryAttempt);
    message.nack();
    return attempts.length === 5;
  });
  const saw = { attempts };
  await receive(forwarded, (message) => {
    saw.data = message.data.toString();
    saw.source = message.attributes.CloudPubSubDeadLetterSourceSubscription;
    saw.count = message.attributes.CloudPubSubDeadLetterSourceDeliveryCount;
    message.ack();
    return true;
  });
  return saw;
}
