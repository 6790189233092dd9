import { openSync, writeSync } from "node:fs";
import { silentLogger } from "../../src/kit/silent-logger.ts";
import { systemClock } from "../../src/kit/system-clock.ts";
import { systemRandom } from "../../src/kit/random.ts";
import { createSqlitePubSub } from "../../src/components/sqlite/pubsub.ts";
import { bodyOf, numberOf } from "./pubsub-body.ts";

/** Publishes under way at once. */
const PUBLISHERS = 64;
const TOPIC = "orders";

/**
 * The process that `pubsub-crash.ts` kills: publishes numbered messages as fast as it can, and takes messages as one of
 * the replicas of a consumer. It tells outside, in a log, of every publish it begins (`s`), every one
 * that was acknowledged (`a`) and every message it handled (`h`).
 */
const [file = "", first = "0", logFile = ""] = process.argv.slice(2);
const log = openSync(logFile, "a");
let next = Number(first);

function tell(what: "s" | "a" | "h" | "t", said: number | string): void {
  writeSync(log, `${what}${said}\n`);
}

const broker = createSqlitePubSub({
  name: "broker",
  appId: "app",
  namespace: "",
  logger: silentLogger,
  clock: systemClock,
  random: systemRandom,
  environment: {},
  report() {},
  shared: { acquire: (_, create) => create() },
});
await broker.init(
  { connectionString: file, processingTimeout: "1s", backOffInitialInterval: "10ms" },
  new AbortController().signal,
);
await broker.subscribe({ topic: TOPIC, metadata: {} }, async (message) => {
  const number = numberOf(message.data);
  if (number === undefined) {
    tell("t", JSON.stringify(Buffer.from(message.data).toString()));
    return;
  }
  if (systemRandom.next() < 0.05) {
    throw new Error("given back now and then");
  }
  tell("h", number);
});

async function publish(): Promise<never> {
  for (;;) {
    const number = next;
    next += 1;
    tell("s", number);
    await broker.publish({ topic: TOPIC, data: bodyOf(number), contentType: undefined, metadata: {} });
    tell("a", number);
  }
}

setInterval(() => undefined, 1_000);
await Promise.all(Array.from({ length: PUBLISHERS }, publish));
