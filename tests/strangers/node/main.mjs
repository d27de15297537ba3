// Google's Node client against the server named by PUBSUB_EMULATOR_HOST, in scenarios: node main.mjs SCENARIO runs one of them, prints what it saw
// as a line of JSON, and ends with 0 when everything happened as it should.
import process from "node:process";

import { PubSub } from "@google-cloud/pubsub";

import { deadLetter } from "./dead_letter.mjs";
import { exactlyOnce } from "./exactly_once.mjs";
import { ordering } from "./ordering.mjs";
import { push } from "./push.mjs";
import { round } from "./round.mjs";
import { schema } from "./schema.mjs";
import { seek } from "./seek.mjs";

const LIMIT_MS = 30_000;
const SCENARIOS = { round, ordering, exactly_once: exactlyOnce, dead_letter: deadLetter, schema, seek, push };

const limit = setTimeout(() => {
  console.error(`not finished after ${LIMIT_MS} ms`);
  process.exit(1);
}, LIMIT_MS);
const pubsub = new PubSub({ projectId: process.env.PUBSUB_PROJECT_ID });
console.log(JSON.stringify(await SCENARIOS[process.argv[2]](pubsub)));
await pubsub.close();
clearTimeout(limit);
