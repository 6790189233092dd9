import { expect, it } from "vitest";
import { heldClock } from "../harness/held-clock.ts";
import { inputBinding } from "../harness/pluggable/binding-services.ts";
import { socketsFolder } from "../harness/pluggable/sidecar.ts";
import { component } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";

const PROBE_MS = 101;

it.each([
  ["stops", undefined],
  ["is held back by its block period", 600_000],
])(
  "an input binding's event under way gets its answer while the sidecar %s, a later one is refused",
  async (_how, blockShutdownMs) => {
    await using folder = await socketsFolder();
    const binding = inputBinding();
    await folder.serve("gate.sock", [binding.service]);
    const finish = Promise.withResolvers<undefined>();
    let isWell = true;
    await using app = await startTestApp({
      answer: async ({ method, url }) => {
        if (method === "POST" && url === "/in") {
          await finish.promise;
          return { body: "done" };
        }
        return url === "/healthz" ? { status: isWell ? 200 : 500 } : undefined;
      },
    });
    const one = await folder.sidecar({
      appPort: app.port,
      appHealth: { enabled: true, path: "/healthz", probeIntervalMs: PROBE_MS, probeTimeoutMs: PROBE_MS, threshold: 1 },
      blockShutdownMs,
      gracefulShutdownMs: 60_000,
      // No probe takes too long, however long it takes.
      deps: { clock: heldClock(PROBE_MS) },
      resources: component("in", "bindings.gate", { direction: "input" }),
    });
    const events = () => app.at("/in").filter(({ method }) => method === "POST").length;
    await until("an event reaches the app", () => (events() === 0 && binding.send("one"), events() > 0));
    const before = events();

    const stopped = one.sidecar.stop("signal");
    await until("the stop has begun", () =>
      one.logger.said(blockShutdownMs === undefined ? "Dapr is shutting down" : "Blocking graceful shutdown for 10m0s"),
    );
    binding.send("late");
    await until("the late one is refused", () =>
      binding.answers.some(({ responseError }) => responseError?.message === "input binding is closed"),
    );
    expect(binding.answers.filter(({ responseError }) => responseError === undefined)).toEqual([]);
    finish.resolve(undefined);
    await until("the first one has its answer", () =>
      binding.answers.some(({ responseData }) => Buffer.from(responseData).toString() === "done"),
    );
    isWell = false;
    await stopped;
    expect(events()).toBe(before);
    expect(await one.sidecar.done).toEqual({ exitCode: 0 });
  },
);
