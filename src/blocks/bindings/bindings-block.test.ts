import { describe, expect, it } from "vitest";
import { BindingFailure } from "../../components/spi/binding-failure.ts";
import type { Binding } from "../../components/spi/bindings.ts";
import { LiveView } from "../../inventory/view.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { FakeBinding, loadedBinding } from "./bindings.fixture.ts";
import { createBindingsBlock } from "./bindings-block.ts";

function setUp(metadata: Readonly<Record<string, string>> = {}, binding: Binding = new FakeBinding()) {
  const bindings = new LiveView<Binding>();
  const block = createBindingsBlock({ bindings, clock: new VirtualClock() });
  bindings.set(loadedBinding("out", binding, metadata));
  return { block, bindings };
}

const call = (operation = "create", binding = "out") => ({
  binding,
  operation,
  data: Buffer.from("x"),
  metadata: { key: "k" },
});

describe("output bindings", () => {
  it("hand the request on and the answer back", async () => {
    const binding = new FakeBinding();
    const response = await setUp({}, binding).block.invoke(call());
    expect(Buffer.from(response.data ?? []).toString()).toBe("answer");
    expect(binding.requests).toEqual([{ operation: "create", data: Buffer.from("x"), metadata: { key: "k" } }]);
  });

  it.each([
    [call(""), "operation field is missing from request"],
    [call("drop"), "binding out does not support operation drop. supported operations:create get"],
    [call("create", "none"), "couldn't find output binding none"],
  ])("refuse %j", async (request, reason) => {
    await expect(setUp().block.invoke(request)).rejects.toMatchObject({
      message: `error invoking output binding ${request.binding}: ${reason}`,
      httpStatus: 500,
      grpcStatus: 13,
      entry: { code: "ERR_INVOKE_OUTPUT_BINDING" },
    });
  });

  it.each([
    [{ direction: "input" }, false],
    [{ Direction: " Output , input" }, true],
    [{}, true],
  ])("with metadata %j are there: %s", async (metadata, there) => {
    const outcome = setUp(metadata).block.invoke(call());
    await (there
      ? expect(outcome).resolves.toBeDefined()
      : expect(outcome).rejects.toThrow("couldn't find output binding out"));
  });

  it("leave an answer that came with a failure for the door", async () => {
    const response = { data: undefined, metadata: { statusCode: "404" }, contentType: undefined };
    const binding = new FakeBinding();
    binding.invoke = () => Promise.reject(new BindingFailure("unavailable", "received status code 404", response));
    await expect(setUp({}, binding).block.invoke(call())).rejects.toMatchObject({
      message: "error invoking output binding out: received status code 404",
      cause: { response },
    });
  });

  it("are gone with their component", async () => {
    const { block, bindings } = setUp();
    bindings.delete("out");
    await expect(block.invoke(call())).rejects.toThrow("couldn't find output binding out");
  });
});
