import { join } from "node:path";
import { expect, it } from "vitest";
import { type Program, startOutrigger } from "../harness/outrigger-program.ts";
import { component, temporaryFolder } from "../harness/resources.ts";
import { freePort, startTestApp } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";

/** Of each wait, beside four starts: kills and commits to a slow disk take their time. */
const PATIENCE_MS = 40_000;
const TEST_MS = 240_000;

/** Transactions answered before each kill. */
const ANSWERED_PER_LIFE = 40;
const LIVES = 3;
const CLIENTS = 8;
/** Every so manyth transaction has an etag that nothing has: the store rolls it back. */
const ROLLED_BACK_EVERY = 4;

it(
  "kills in the middle of transactions lose no event that was answered, and publish none that was rolled back",
  async () => {
    await using folder = await temporaryFolder();
    await folder.write(
      "resources.yaml",
      [
        component("store", "state.sqlite", {
          connectionString: join(folder.path, "state.db"),
          outboxPublishPubsub: "broker",
          outboxPublishTopic: "orders",
        }),
        component("broker", "pubsub.sqlite", { connectionString: join(folder.path, "broker.db") }),
      ].join("---\n"),
    );
    await using app = await startTestApp({
      subscriptions: [{ pubsubname: "broker", topic: "orders", route: "/orders" }],
    });
    const port = await freePort();
    const base = `http://127.0.0.1:${port}/v1.0`;
    const start = async (): Promise<Program> => {
      const program = startOutrigger(
        [
          "sidecar",
          "--app-id=shop",
          `--app-port=${app.port}`,
          `--resources-path=${folder.path}`,
          `--dapr-http-port=${port}`,
          `--dapr-grpc-port=${await freePort()}`,
          `--metrics-port=${await freePort()}`,
        ],
        { cwd: folder.path },
      );
      await program.says("dapr initialized");
      return program;
    };

    const answered = new Set<string>();
    const rolledBack = new Set<string>();
    let count = 0;
    /** Sends transactions until the sidecar is gone. */
    const client = async (): Promise<void> => {
      for (;;) {
        count += 1;
        const key = `order-${count}`;
        const wrong = count % ROLLED_BACK_EVERY === 0;
        const second = { key: `${key}-second`, value: `${key}-second`, ...(wrong ? { etag: "none" } : {}) };
        const operations = [{ key, value: key }, second].map((request) => ({ operation: "upsert", request }));
        if (wrong) {
          rolledBack.add(key).add(second.key);
        }
        let status: number;
        try {
          status = (
            await fetch(`${base}/state/store/transaction`, { method: "POST", body: JSON.stringify({ operations }) })
          ).status;
        } catch {
          return;
        }
        expect(status).toBe(wrong ? 500 : 204);
        if (!wrong) {
          answered.add(key).add(second.key);
        }
      }
    };

    for (let life = 1; life <= LIVES; life += 1) {
      await using program = await start();
      const clients = Array.from({ length: CLIENTS }, client);
      await until("enough have been answered", () => answered.size >= life * ANSWERED_PER_LIFE, PATIENCE_MS);
      await program.signal("SIGKILL");
      await Promise.all(clients);
    }
    await using program = await start();
    const published = (): Set<string> =>
      new Set(app.at("/orders").map(({ body }) => (JSON.parse(body) as { data: string }).data));
    await until(
      "every answered event is there",
      () => {
        const keys = published();
        return [...answered].every((key) => keys.has(key));
      },
      PATIENCE_MS,
    );
    for (const key of published()) {
      expect(rolledBack.has(key), key).toBe(false);
      expect((await fetch(`${base}/state/store/${key}`)).status, `${key} is in the store`).toBe(200);
    }
    await program.signal("SIGKILL");
  },
  TEST_MS,
);
