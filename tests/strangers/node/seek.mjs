import { receive } from "./receiving.mjs";

const MINUTE_MS = 60_000;

// Acknowledges everything, and has it back by a snapshot and by a time, on one stream.
export async function seek(pubsub) {
  const start = new Date(Date.now() - MINUTE_MS);
  const [topic] = await pubsub.createTopic("orders");
  const [subscription] = await topic.createSubscription("billing", { retainAckedMessages: true });
  for (const text of ["one", "two"]) {
    await topic.publishMessage({ data: Buffer.from(text) });
  }
  const [snapshot] = await subscription.createSnapshot("before");
  const targets = [snapshot.name, start];
  const rounds = [];
  let seen = new Set();
  await receive(subscription, async (message) => {
    seen.add(message.data.toString());
    message.ack();
    if (seen.size < 2) {
      return false;
    }
    rounds.push(seen.size);
    seen = new Set();
    if (rounds.length > targets.length) {
      return true;
    }
    await subscription.seek(targets[rounds.length - 1]);
    return false;
  });
  return { rounds };
}
