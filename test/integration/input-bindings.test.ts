import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import {
  type BindingEventRequest,
  BindingEventResponse_BindingEventConcurrency,
  BindingEventResponseSchema,
  ListInputBindingsResponseSchema,
} from "../../src/wire/gen/dapr/proto/runtime/v1/appcallback_pb.js";
import { startGrpcApp } from "../harness/grpc-app.ts";
import { component, IN_MEMORY, temporaryFolder } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const cron = (name: string, more: Readonly<Record<string, string>> = {}): string =>
  `---\n${component(name, "bindings.cron", { schedule: "@every 1s", ...more })}`;
const files = (path: string): string => `---\n${component("files", "bindings.localstorage", { rootPath: path })}`;

it("an HTTP app gets the events of the bindings that it takes, on their routes, with its token", async () => {
  await using app = await startTestApp({
    answer: ({ method, url }) => {
      if (method === "OPTIONS") {
        return { status: url === "/refused" ? 404 : url === "/other/path" ? 405 : 200 };
      }
      return undefined;
    },
  });
  await using sidecar = await startTestSidecar({
    appPort: app.port,
    appToken: "app-token",
    resources:
      cron("tick") +
      cron("refused") +
      cron("routed", { route: "/other/path" }) +
      cron("declared", { direction: "input" }),
  });
  const events = (url: string) => app.at(url).filter(({ method }) => method === "POST");
  await until("every binding but the refused one fires", () =>
    ["/tick", "/other/path", "/declared"].every((url) => events(url).length > 0),
  );
  expect(events("/refused")).toEqual([]);
  expect(app.at("/declared").filter(({ method }) => method === "OPTIONS")).toEqual([]);
  expect(events("/tick")[0]?.headers).toMatchObject({
    "content-type": "application/json",
    "dapr-api-token": "app-token",
    timezone: "Local",
  });
  expect(events("/tick")[0]?.body).toBe("");
  expect(sidecar.logger.lines.map(({ message }) => message)).toContain("app has not subscribed to binding refused.");
  const { components } = (await (await sidecar.fetch("/v1.0/metadata")).json()) as {
    components: { name: string; capabilities: string[] }[];
  };
  expect(components.find(({ name }) => name === "tick")?.capabilities).toEqual(["INPUT_BINDING"]);
});

it("an HTTP app's answer saves state and calls output bindings", async () => {
  await using folder = await temporaryFolder();
  const answer = { storeName: "store", state: [{ key: "fired", value: { by: "tick" } }], to: ["files"], data: "hello" };
  await using app = await startTestApp({
    answer: ({ method }) => (method === "POST" ? { body: JSON.stringify(answer) } : undefined),
  });
  await using sidecar = await startTestSidecar({
    appPort: app.port,
    resources: `${IN_MEMORY}${cron("tick")}${files(folder.path)}`,
  });
  await until("the state is saved", async () => (await sidecar.fetch("/v1.0/state/store/fired")).status === 200);
  expect(await (await sidecar.fetch("/v1.0/state/store/fired")).json()).toEqual({ by: "tick" });
  const list = async (): Promise<readonly string[] | null> =>
    (await (await sidecar.fetch("/v1.0/bindings/files", { method: "POST", body: '{"operation":"list"}' })).json()) as
      | readonly string[]
      | null;
  const [path = ""] = await until("a file is written", async () => (await list()) ?? undefined);
  await until("it holds the data", async () => {
    const got = await sidecar.fetch("/v1.0/bindings/files", {
      method: "POST",
      body: JSON.stringify({ operation: "get", metadata: { fileName: path.slice(folder.path.length) } }),
    });
    return (await got.text()) === "hello";
  });
});

it("a gRPC app gets the events of the bindings that it lists, and directs what follows", async () => {
  await using folder = await temporaryFolder();
  const events: BindingEventRequest[] = [];
  await using app = await startGrpcApp({
    listInputBindings: () => create(ListInputBindingsResponseSchema, { bindings: ["tick"] }),
    onBindingEvent(request) {
      events.push(request);
      return create(BindingEventResponseSchema, {
        storeName: "store",
        states: [{ key: "fired", value: Buffer.from("yes") }],
        to: ["files"],
        data: Buffer.from('"hello"'),
        concurrency: BindingEventResponse_BindingEventConcurrency.PARALLEL,
      });
    },
  });
  await using sidecar = await startTestSidecar({
    appPort: app.port,
    appProtocol: "grpc",
    resources: `${IN_MEMORY}${cron("tick")}${cron("other")}${files(folder.path)}`,
  });
  await until("two events have come", () => events.length > 1);
  expect(new Set(events.map(({ name }) => name))).toEqual(new Set(["tick"]));
  expect(events[0]?.metadata).toMatchObject({ timeZone: "Local" });
  await until(
    "the state is saved",
    async () => (await (await sidecar.fetch("/v1.0/state/store/fired")).text()) === "yes",
  );
});

it("events stop while the app is unhealthy and go on when it recovers", async () => {
  let healthy = true;
  await using app = await startTestApp({
    answer: ({ url }) => (url === "/healthz" ? { status: healthy ? 200 : 500 } : undefined),
  });
  await using sidecar = await startTestSidecar({
    appPort: app.port,
    appHealth: { enabled: true, path: "/healthz", probeIntervalMs: 100, probeTimeoutMs: 90, threshold: 1 },
    resources: cron("tick"),
  });
  const events = (): number => app.at("/tick").filter(({ method }) => method === "POST").length;
  await until("the first event", () => events() > 0);
  healthy = false;
  const asked = (): number => app.at("/tick").filter(({ method }) => method === "OPTIONS").length;
  const before = asked();
  const probes = (): number => app.at("/healthz").length;
  const seen = probes();
  await until("the probes have failed for longer than a period", () => probes() > seen + 15);
  const stopped = events();
  await until("more probes", () => probes() > seen + 28);
  expect(events()).toBe(stopped);
  healthy = true;
  await until("the app is asked again", () => asked() > before);
  await until("events go on", () => events() > stopped);
  expect(sidecar.sidecar.ports.http).toBeDefined();
});
