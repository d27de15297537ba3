import { Encodings, Schema, SchemaTypes } from "@google-cloud/pubsub";

import { receive } from "./receiving.mjs";

const DEFINITION = JSON.stringify({ type: "record", name: "Order", fields: [{ name: "id", type: "long" }] });
const CODES = { 3: "InvalidArgument" };

// Publishes to a topic that takes only what fits its Avro schema.
export async function schema(pubsub) {
  const made = await pubsub.createSchema("order", SchemaTypes.Avro, DEFINITION);
  const { revisionId } = await made.get();
  const [topic] = await pubsub.createTopic({ name: "orders", schemaSettings: { schema: await made.getName(), encoding: Encodings.Json } });
  const [subscription] = await topic.createSubscription("billing");
  await topic.publishMessage({ json: { id: 7 } });
  const refused = await topic.publishMessage({ json: { id: "seven" } }).then(
    () => "accepted",
    (refusal) => CODES[refusal.code],
  );
  const saw = { refused };
  await receive(subscription, (message) => {
    saw.data = message.data.toString();
    saw.encoding = Schema.metadataFromMessage(message.attributes).encoding === Encodings.Json ? "JSON" : "BINARY";
    saw.marked = message.attributes.googclient_schemarevisionid === revisionId;
    message.ack();
    return true;
  });
  return saw;
}
