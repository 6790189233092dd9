import { createServer } from "node:http";
import { expect, it } from "vitest";
import { createSharedScope } from "../../src/inventory/shared-scope.ts";
import { rawRequest } from "../harness/raw-http.ts";
import { closed, listening } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";

const BODIES: Readonly<Record<string, string>> = {
  null: "null",
  empty: "",
  json: '{"key":"value"}',
  large: "x".repeat(8192),
  larger: "y".repeat(200_000),
  zero: "0",
  "empty-string": '""',
};

it("an answer's length is that of its body, even where the app declares another", async () => {
  const app = createServer((incoming, response) => {
    const name = incoming.url?.slice(1) ?? "";
    if (name === "stale") {
      response.writeHead(200, { "content-length": "999" }).write('"ok"', () => response.destroy());
    } else {
      response.end(BODIES[name]);
    }
  });
  const port = await listening(app);
  const deps = { shared: createSharedScope() };
  try {
    await using caller = await startTestSidecar({ appId: "caller", deps });
    await using callee = await startTestSidecar({ appId: "callee", appPort: port, deps });
    for (const { url } of [caller, callee]) {
      for (const [name, expected] of [...Object.entries(BODIES), ["stale", '"ok"'] as const]) {
        const { status, headers, body } = await rawRequest(`${url}/v1.0/invoke/callee/method/${name}`);
        expect([name, status, body]).toEqual([name, 200, expected]);
        expect(headers["content-length"] ?? String(expected.length)).toBe(String(expected.length));
      }
    }
  } finally {
    await closed(app);
  }
});
