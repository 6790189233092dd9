import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { call, DROP, GuestBuilder, i32, LOW, NEXT } from "../../src/components/http-wasm/guest.fixture.ts";
import { type Handler, handlerResources, pipelineConfiguration } from "../harness/pipeline.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";

/** Adds a header to each request, and to each answer whose body it has read and repeats in front. */
function guest(): Buffer {
  const builder = new GuestBuilder();
  const text = (value: string) => builder.text(value).code;
  const body = [...i32(4096), ...call("read_body", i32(1), i32(4096), i32(32_768)), ...LOW];
  return builder.build(
    [
      ...call("enable_features", i32(2)),
      ...DROP,
      ...call("add_header_value", i32(0), text("x-guest"), text("request")),
      ...NEXT,
    ],
    [...call("write_body", i32(1), text("guest:")), ...call("write_body", i32(1), body)],
  );
}

it("a guest from a URL stands in both pipelines at once, each request in the instances that are free", async () => {
  const bytes = guest();
  const server = createServer((_request, response) => response.end(bytes));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const handler: Handler = {
    name: "guest",
    type: "wasm",
    metadata: { url: `http://127.0.0.1:${port}/guest.wasm`, maxInstances: "2" },
  };
  await using app = await startTestApp({ answer: ({ body }) => ({ body }) });
  const one = await startTestSidecar({
    appPort: app.port,
    configuration: pipelineConfiguration({ httpPipeline: [handler], appHttpPipeline: [handler] }),
    resources: handlerResources([handler]),
  });
  try {
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const response = await one.fetch("/v1.0/invoke/test-app/method/m", { method: "POST", body: `body ${index}` });
        return await response.text();
      }),
    );
    expect(answers).toEqual(Array.from({ length: 20 }, (_, index) => `guest:guest:body ${index}`));
    expect(app.at("/m")[0]?.headers["x-guest"]).toBe("request, request");
  } finally {
    await one.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
