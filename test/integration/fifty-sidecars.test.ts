import { create } from "@bufbuild/protobuf";
import { request as httpRequest } from "node:http";
import { expect, it } from "vitest";
import { GRPC_STATUS } from "../../src/errors/grpc-status.ts";
import { GetStateRequestSchema, SaveStateRequestSchema } from "../../src/wire/gen/dapr/proto/runtime/v1/state_pb.js";
import { type CountingClock, countingClock } from "../harness/counting-clock.ts";
import { daprMethods } from "../harness/grpc-caller.ts";
import { component } from "../harness/resources.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const SIDECARS = 50;
const TOKEN = "dapr-api-token";

interface Member {
  readonly index: number;
  readonly token: string;
  readonly one: TestSidecar;
  readonly clock: CountingClock;
}

async function startMember(index: number): Promise<Member> {
  const token = `token-${index}`;
  const clock = countingClock();
  const one = await startTestSidecar({
    appId: `app-${index}`,
    namespace: `namespace-${index}`,
    apiToken: token,
    publicPort: 0,
    metrics: { enabled: true, port: 0, listenAddress: "127.0.0.1" },
    resources: component("store", "state.in-memory", { keyPrefix: "namespace" }),
    deps: { clock },
  });
  return { index, token, one, clock };
}

/** On a connection of its own, so that nothing of the client outlives the answer. */
function send(
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  body = "",
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers, agent: false }, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += String(chunk)));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** Kinds of what would keep the process alive, and how many of each. */
function handles(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) {
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

async function useOverHttp({ index, token, one }: Member): Promise<void> {
  const saved = await send(
    `${one.url}/v1.0/state/store`,
    "POST",
    { [TOKEN]: token },
    JSON.stringify([{ key: "http", value: index }]),
  );
  expect(saved.status).toBe(204);
  const got = await send(`${one.url}/v1.0/state/store/http`, "GET", { [TOKEN]: token });
  expect(got).toEqual({ status: 200, text: String(index) });
}

async function useOverGrpc({ index, token, one }: Member): Promise<void> {
  const states = [{ key: "grpc", value: Buffer.from(`value ${index}`) }];
  await one.grpc.call(daprMethods.saveState, create(SaveStateRequestSchema, { storeName: "store", states }), {
    [TOKEN]: token,
  });
  const got = await one.grpc.call(
    daprMethods.getState,
    create(GetStateRequestSchema, { storeName: "store", key: "grpc" }),
    { [TOKEN]: token },
  );
  expect(Buffer.from(got.data).toString()).toBe(`value ${index}`);
}

async function refuseOthers({ index, one }: Member): Promise<void> {
  const other = { [TOKEN]: `token-${(index + 1) % SIDECARS}` };
  expect((await send(`${one.url}/v1.0/metadata`, "GET", other)).status).toBe(401);
  expect((await send(`${one.url}/v1.0/metadata`, "GET", {})).status).toBe(401);
  const request = create(GetStateRequestSchema, { storeName: "store", key: "grpc" });
  expect((await one.grpc.failure(daprMethods.getState, request, other)).code).toBe(GRPC_STATUS.UNAUTHENTICATED);
}

it("fifty sidecars with namespaces and tokens of their own share a process and leave no handle behind", async () => {
  // The first one loads what is imported on first use.
  await (await startMember(SIDECARS)).one.stop();
  const before = await until("the first sidecar's sockets are gone", () => {
    const now = handles();
    return now["TCPServerWrap"] === undefined && now["TCPSocketWrap"] === undefined && now;
  });

  const members = await Promise.all(Array.from({ length: SIDECARS }, (_, index) => startMember(index)));
  expect(handles()["TCPServerWrap"]).toBeGreaterThanOrEqual(SIDECARS * 5);
  try {
    await Promise.all(members.flatMap((member) => [useOverHttp(member), useOverGrpc(member), refuseOthers(member)]));
  } finally {
    await Promise.all(members.map(({ one }) => one.stop()));
  }

  await until("no handle is left", () => {
    const left = Object.entries(handles()).filter(([kind, count]) => count > (before[kind] ?? 0));
    expect(left).toEqual([]);
    return true;
  });
  for (const { one, clock } of members) {
    expect(await one.sidecar.done).toEqual({ exitCode: 0 });
    expect(clock.pendingTimers).toBe(0);
    expect(one.logger.lines.filter((line) => line.level === "error" || line.level === "fatal")).toEqual([]);
  }
});
