import { connect } from "node:net";
import { once } from "node:events";
import { afterAll, beforeAll, expect, it } from "vitest";
import { IN_MEMORY } from "../harness/resources.ts";
import { type SidecarProgram, startSidecarProgram } from "../harness/sidecar-program.ts";
import { startTestApp, type TestApp } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";
import { whileServing } from "./flood.ts";

const EVENTS = 100_000;
const TEST_MS_MAX = 120_000;
const PATIENCE_MS = 90_000;

const DEEP = `${"[".repeat(2_000)}${"]".repeat(2_000)}`;
/** CloudEvents that are none, in the structured mode of JSON. */
const MALFORMED: readonly string[] = [
  "",
  "{",
  "null",
  "[]",
  '"event"',
  '{"specversion":"1.0"',
  "\u0000",
  '{"id":"1","source":"s","type":"t","specversion":"1.0","data":}',
  '{"id":"1","id":"2",,}',
  "{'id':'1'}",
  `{"id":${DEEP}`,
  '{"id":"\ud800","data":"\\u12"}',
];

let app: TestApp;
let sidecar: SidecarProgram;
beforeAll(async () => {
  app = await startTestApp({ subscriptions: [{ pubsubname: "broker", topic: "t", route: "/t" }] });
  sidecar = await startSidecarProgram({
    resources: IN_MEMORY,
    flags: [`--app-port=${app.port}`, "--log-level=fatal"],
  });
}, TEST_MS_MAX);
afterAll(async () => {
  await sidecar[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

/** Sends requests on a few connections, each as soon as the last was answered. @returns how often each status came */
async function send(requests: readonly string[], count: number): Promise<ReadonlyMap<string, number>> {
  const statuses = new Map<string, number>();
  const lane = async (share: number): Promise<void> => {
    const socket = connect(sidecar.httpPort, "127.0.0.1");
    await once(socket, "connect");
    let sent = 0;
    let answered = 0;
    let rest = "";
    const done = Promise.withResolvers<void>();
    const next = (): void => {
      let burst = "";
      for (let size = 0; size < BURST && sent < share; size++, sent++) burst += requests[sent % requests.length] ?? "";
      socket.write(burst, "latin1");
    };
    socket.on("data", (chunk) => {
      rest += chunk.toString("latin1");
      for (const [, status = ""] of rest.matchAll(/HTTP\/1\.1 (\d+)/g)) {
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        answered += 1;
      }
      // A status line may be cut in two by the end of a chunk.
      rest = /H[^]{0,11}$/.exec(rest)?.[0]?.replace(/HTTP\/1\.1 \d+[^]*/, "") ?? "";
      if (answered >= share) done.resolve();
      else if (answered === sent) next();
    });
    socket.on("close", () => done.reject(new Error(`the connection ended after ${answered} of ${share}`)));
    next();
    await done.promise;
    socket.destroy();
  };
  await Promise.all(Array.from({ length: LANES }, async () => await lane(count / LANES)));
  return statuses;
}

const LANES = 4;
const BURST = 50;

function post(path: string, type: string, body: string): string {
  return `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body, "latin1")}\r\n\r\n${body}`;
}

it(
  "a hundred thousand malformed CloudEvents are refused as they are published",
  async () => {
    const requests = MALFORMED.filter((body) => body !== "").map((body) =>
      post("/v1.0/publish/broker/t", "application/cloudevents+json", body),
    );
    await whileServing(sidecar, async () => {
      const statuses = await send(requests, EVENTS);
      expect([...statuses.values()].reduce((sum, count) => sum + count)).toBe(EVENTS);
      expect([...statuses.keys()].filter((status) => !/^[45]\d\d$/.test(status))).toEqual([]);
    });
    expect(app.at("/t")).toEqual([]);
  },
  TEST_MS_MAX,
);

it(
  "a hundred thousand malformed CloudEvents from a broker do not reach the app, and honest ones among them do",
  async () => {
    // Dapr delivers the JSON text null as it is, and so do we.
    const entries = MALFORMED.filter((event) => event !== "" && event !== "null").map((event) => ({
      event,
      contentType: "text/plain",
    }));
    const filled = Array.from({ length: 1_000 }, (_, index) => ({
      ...entries[index % entries.length],
      entryId: String(index),
    }));
    const body = JSON.stringify(filled);
    await whileServing(sidecar, async () => {
      for (let sent = 0; sent < EVENTS; sent += filled.length) {
        const answer = await sidecar.fetch("/v1.0-alpha1/publish/bulk/broker/t?metadata.rawPayload=true", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body,
        });
        expect(answer.status).toBe(204);
      }
      const headers = { "content-type": "application/json" };
      const honest = await sidecar.fetch("/v1.0/publish/broker/t", { method: "POST", headers, body: '{"n":1}' });
      expect(honest.status).toBe(204);
      await until(
        "the honest event is there",
        () => app.at("/t").some(({ body: seen }) => seen.includes('"n":1')),
        PATIENCE_MS,
      );
    });
    const strange = app.at("/t").filter(({ body: seen }) => !seen.includes('"n":1'));
    expect(strange.map(({ body: seen }) => seen).slice(0, 3)).toEqual([]);
  },
  TEST_MS_MAX,
);
