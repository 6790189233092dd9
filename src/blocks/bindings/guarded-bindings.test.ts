import { describe, expect, it, vi } from "vitest";
import { AppAnswerError } from "../../app/app-answer-error.ts";
import type { Binding } from "../../components/spi/bindings.ts";
import { ComponentError } from "../../components/spi/errors.ts";
import { LiveView } from "../../inventory/view.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { document, drive, setUpResiliency } from "../../resiliency/policy.fixture.ts";
import { FakeApp, FakeBinding, loadedBinding, PLAIN_REPLY } from "./bindings.fixture.ts";
import { createBindingsBlock } from "./bindings-block.ts";
import { createInputBindings } from "./input-bindings.ts";

async function setUp() {
  const retry = { duration: "0", maxRetries: 2, matching: { httpStatusCodes: "500-599" } };
  const { resiliency: policies, clock } = await setUpResiliency(
    document({ retries: { DefaultComponentRetryPolicy: retry } }),
  );
  const bindings = new LiveView<Binding>();
  const binding = new FakeBinding();
  bindings.set(loadedBinding("both", binding));
  return { policies, clock, bindings, binding };
}

describe("under a policy", () => {
  it("an output binding is invoked again when it fails", async () => {
    const { policies, clock, bindings, binding } = await setUp();
    const failing = vi.fn(() => Promise.reject(new ComponentError("unavailable", "down")));
    binding.invoke = failing;
    bindings.set(loadedBinding("both", binding));
    const block = createBindingsBlock({ bindings, clock, policies });
    const call = { binding: "both", operation: "create", data: Buffer.from(""), metadata: {} };
    await expect(drive(clock, block.invoke(call))).rejects.toThrow("down");
    expect(failing).toHaveBeenCalledTimes(3);
  });

  it.each([
    [503, 3],
    [404, 1],
  ])("an input binding's event that the app answers with %i goes to it %i times", async (code, times) => {
    const { policies, clock, bindings, binding } = await setUp();
    const inputs = createInputBindings({
      bindings,
      clock,
      policies,
      logger: silentLogger,
      discoveryTimeoutMs: 1_000,
      state: { save: () => Promise.resolve() },
      outputs: { invoke: () => Promise.reject(new Error("not in these tests")) },
    });
    const app = new FakeApp();
    app.reply = new AppAnswerError(`status code: ${code}`, { kind: "http", code });
    await inputs.start(app);
    await expect(drive(clock, binding.emit("x"))).rejects.toThrow(`status code: ${code}`);
    expect(app.events).toHaveLength(times);
    app.reply = PLAIN_REPLY;
    expect(await drive(clock, binding.emit("y"))).toEqual(PLAIN_REPLY.body);
    await drive(clock, inputs.close(), 100);
  });
});
