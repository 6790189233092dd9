import { describe, expect, it, vi } from "vitest";
import type { Binding } from "../../components/spi/bindings.ts";
import { LiveView } from "../../inventory/view.ts";
import { RecordingTracer } from "../../kit/recording-tracer.fixture.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { SaveState } from "../state/types.ts";
import { FakeApp, FakeBinding, loadedBinding, PLAIN_REPLY } from "./bindings.fixture.ts";
import type { InvokeBinding } from "./bindings-block.ts";
import { eventSpan, tracedMetadata } from "./event-span.ts";
import { createInputBindings } from "./input-bindings.ts";

function setUp(tracer?: RecordingTracer) {
  const bindings = new LiveView<Binding>();
  const clock = new VirtualClock();
  const lines: string[] = [];
  const keep = (message: string): void => void lines.push(message);
  const logger = { ...silentLogger, info: keep, warn: keep, error: keep, scope: () => logger };
  const saved: SaveState[] = [];
  const invoked: InvokeBinding[] = [];
  const inputs = createInputBindings({
    bindings,
    tracer,
    clock,
    logger,
    discoveryTimeoutMs: 3_000,
    state: {
      save: async (request) => {
        if (request.store === "broken") {
          throw new Error("no store");
        }
        saved.push(request);
      },
    },
    outputs: {
      invoke: async (call) => {
        invoked.push(call);
        if (call.binding === "broken") {
          throw new Error("no binding");
        }
        return { data: undefined, metadata: {}, contentType: undefined };
      },
    },
  });
  return { bindings, clock, lines, saved, invoked, inputs, app: new FakeApp() };
}

const state = {
  key: "k",
  value: Buffer.from("1"),
  valueIsJson: true,
  etag: undefined,
  metadata: {},
  concurrency: "",
  consistency: "",
};

describe("input bindings", () => {
  it("are read after the app has said that it takes them, and events go to its route", async () => {
    const { bindings, inputs, app } = setUp();
    const binding = new FakeBinding();
    bindings.set(loadedBinding("in", binding, { route: "/path" }));
    expect(binding.handler).toBeUndefined();
    await inputs.start(app);
    expect(app.asked).toEqual([{ name: "in", route: "/path" }]);
    expect(Buffer.from((await binding.emit("x")) ?? []).toString()).toBe("ok");
    expect(app.events).toEqual([{ name: "in", route: "/path", data: Buffer.from("x"), metadata: { m: "1" } }]);
  });

  it("that the app does not take are not read", async () => {
    const { bindings, inputs, app, lines } = setUp();
    const binding = new FakeBinding();
    app.takes = () => Promise.resolve(false);
    bindings.set(loadedBinding("in", binding));
    await inputs.start(app);
    expect([app.asked, binding.readings]).toEqual([[{ name: "in", route: "in" }], 0]);
    expect(lines).toEqual(["app has not subscribed to binding in."]);
  });

  it.each([
    ["input", 0, 1],
    ["INPUT, output", 0, 1],
    ["output", 0, 0],
  ])("with direction %s ask %i times and are read %i times", async (direction, asked, readings) => {
    const { bindings, inputs, app } = setUp();
    const binding = new FakeBinding();
    bindings.set(loadedBinding("in", binding, { direction }));
    await inputs.start(app);
    expect([app.asked.length, binding.readings]).toEqual([asked, readings]);
  });

  it("are given up when the app is silent for too long, others are not", async () => {
    const { bindings, inputs, app, clock, lines } = setUp();
    const silent = new FakeBinding();
    const quick = new FakeBinding();
    app.takes = ({ name }, signal) =>
      name === "quick"
        ? Promise.resolve(true)
        : new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
    bindings.set(loadedBinding("silent", silent));
    bindings.set(loadedBinding("quick", quick));
    const starting = inputs.start(app);
    await vi.waitFor(() => expect(app.asked).toHaveLength(2), { timeout: 8_000 });
    clock.advance(3_000);
    await starting;
    expect([silent.readings, quick.readings]).toEqual([0, 1]);
    expect(lines).toEqual(["failed to read from bindings: context deadline exceeded "]);
    expect(clock.pendingTimers).toBe(0);
  });

  it("stop while the app is unhealthy, start again, and stop for good", async () => {
    const { bindings, inputs, app } = setUp();
    const binding = new FakeBinding();
    bindings.set(loadedBinding("in", binding));
    await inputs.start(app);
    await inputs.stop();
    expect(binding.handler).toBeUndefined();
    await inputs.start(app);
    expect(binding.readings).toBe(2);
    await inputs.close();
    await inputs.start(app);
    expect([binding.handler, binding.readings]).toEqual([undefined, 2]);
  });

  it("follow their component as it comes, changes and goes", async () => {
    const { bindings, inputs, app } = setUp();
    await inputs.start(app);
    const [first, second] = [new FakeBinding(), new FakeBinding()];
    bindings.set(loadedBinding("in", first));
    await vi.waitFor(() => expect(first.handler).toBeDefined(), { timeout: 8_000 });
    bindings.set(loadedBinding("in", second));
    await vi.waitFor(() => expect([first.handler, second.readings]).toEqual([undefined, 1]), { timeout: 8_000 });
    bindings.delete("in");
    await vi.waitFor(() => expect(second.handler).toBeUndefined(), { timeout: 8_000 });
  });

  it("give an event back that the app refused", async () => {
    const { bindings, inputs, app } = setUp();
    const binding = new FakeBinding();
    bindings.set(loadedBinding("in", binding));
    await inputs.start(app);
    app.reply = new Error("no");
    await expect(binding.emit("x")).rejects.toThrow("no");
  });

  describe("answers that direct something", () => {
    async function answered(reply: Partial<typeof PLAIN_REPLY>) {
      const parts = setUp();
      const binding = new FakeBinding();
      parts.bindings.set(loadedBinding("in", binding));
      await parts.inputs.start(parts.app);
      parts.app.reply = { ...PLAIN_REPLY, ...reply };
      await binding.emit("x");
      return parts;
    }

    it("save state", async () => {
      expect((await answered({ storeName: "store", states: [state] })).saved).toEqual([
        { store: "store", items: [state] },
      ]);
    });

    it("call outputs with the data, in turn until one fails", async () => {
      const { invoked, lines } = await answered({ to: ["one", "broken", "never"], data: Buffer.from("d") });
      expect(invoked.map(({ binding, operation, data }) => [binding, operation, Buffer.from(data).toString()])).toEqual(
        [
          ["one", "create", "d"],
          ["broken", "create", "d"],
        ],
      );
      expect(lines).toEqual(["error executing app response: no binding"]);
    });

    it("call outputs together, whatever one of them does", async () => {
      const { invoked, lines } = await answered({ to: ["one", "broken", "two"], parallel: true });
      expect(invoked.map(({ binding }) => binding)).toEqual(["one", "broken", "two"]);
      expect(lines).toEqual(["no binding"]);
    });

    it("are acknowledged although saving failed, which is logged", async () => {
      const { lines } = await answered({ storeName: "broken", states: [state] });
      expect(lines).toEqual(["error saving state from app response: no store"]);
    });
  });
});

describe("an event's span", () => {
  const PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

  it("stands below the trace that its metadata name, and the app gets its context", () => {
    const tracer = new RecordingTracer();
    const event = {
      contentType: undefined,
      data: Buffer.from("x"),
      metadata: { m: "1", traceparent: PARENT, tracestate: "a=b" },
    };
    const span = eventSpan(tracer, "in", event, "http") ?? expect.fail();
    expect(tracer.spans).toMatchObject([
      {
        name: "bindings/in",
        kind: 3,
        parent: { traceparent: PARENT, tracestate: "a=b" },
        attributes: { "db.system": "bindings", "db.name": "in", "db.connection_string": "POST /in" },
      },
    ]);
    expect(tracedMetadata(event.metadata, span)).toEqual({ m: "1", traceparent: span.traceparent, tracestate: "a=b" });
  });

  it("takes the binary context first", () => {
    const tracer = new RecordingTracer();
    const binary = Buffer.from("AABL+S81d7NNpqPOkp0ODkc2AQDwZ6oLqQK3AgE=", "base64").toString("latin1");
    eventSpan(
      tracer,
      "in",
      { contentType: undefined, data: Buffer.from(""), metadata: { "grpc-trace-bin": binary } },
      "grpc",
    );
    expect(tracer.spans[0]?.parent?.traceparent).toBe(PARENT);
  });

  it.each([
    [PLAIN_REPLY, undefined],
    [new Error("no"), "no"],
  ])("ends with the app's answer", async (reply, failure) => {
    const tracer = new RecordingTracer();
    const { bindings, inputs, app } = setUp(tracer);
    const binding = new FakeBinding();
    app.reply = reply;
    void bindings.set(loadedBinding("in", binding));
    await inputs.start(app);
    await binding.emit("x").catch(() => undefined);
    expect(tracer.spans).toMatchObject([{ name: "bindings/in", failure, ended: 1 }]);
    expect(app.events[0]?.metadata["traceparent"]).toBe(tracer.spans[0]?.traceparent);
  });
});
