import { createServer } from "node:http";
import { expect, it } from "vitest";
import { createSharedScope } from "../../src/inventory/shared-scope.ts";
import { rawRequest } from "../harness/raw-http.ts";
import { closed, listening } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";

const LIMIT_BYTES = 256 * 1024;

/** An app that keeps the lengths of the bodies that came whole, and answers with them. */
function lengthApp() {
  const whole: (readonly [url: string | undefined, bytes: number])[] = [];
  const server = createServer((incoming, response) => {
    let bytes = 0;
    incoming.on("error", () => undefined);
    incoming.on("data", (chunk: Buffer) => (bytes += chunk.length));
    incoming.on("end", () => {
      whole.push([incoming.url, bytes]);
      response.end(String(bytes));
    });
  });
  return { server, whole };
}

it("a body over the limit, announced or not, is refused with the limit in the message, and never whole in the app", async () => {
  const { server, whole } = lengthApp();
  const appPort = await listening(server);
  const deps = { shared: createSharedScope() };
  await using caller = await startTestSidecar({ appId: "caller", maxBodyBytes: LIMIT_BYTES, deps });
  await using callee = await startTestSidecar({ appId: "callee", maxBodyBytes: LIMIT_BYTES, appPort, deps });
  whole.length = 0;
  const tooLarge = "x".repeat(LIMIT_BYTES + 1);
  const half = "x".repeat(LIMIT_BYTES / 2);
  for (const { url } of [caller, callee]) {
    for (const body of [tooLarge, [half, half, "x"]]) {
      const answer = await rawRequest(`${url}/v1.0/invoke/callee/method/m`, { method: "POST" }, body);
      expect([answer.status, JSON.parse(answer.body)]).toEqual([
        413,
        {
          errorCode: "ERR_BODY_READ",
          message: `failed to read request body: it is larger than the limit of ${LIMIT_BYTES} bytes; raise --max-body-size to accept it`,
        },
      ]);
    }
    for (const body of ["x".repeat(LIMIT_BYTES), [half, half]]) {
      const answer = await rawRequest(`${url}/v1.0/invoke/callee/method/fits`, { method: "POST" }, body);
      expect(answer.status).toBe(200);
    }
  }
  expect(whole).toEqual(Array.from({ length: 4 }, () => ["/fits", LIMIT_BYTES]));
  await closed(server);
});

it("without a limit more than any default passes", async () => {
  const { server } = lengthApp();
  const appPort = await listening(server);
  const deps = { shared: createSharedScope() };
  await using caller = await startTestSidecar({ appId: "caller", maxBodyBytes: 0, deps });
  await using _callee = await startTestSidecar({ appId: "callee", maxBodyBytes: 0, appPort, deps });
  const bytes = 9 * 1024 * 1024;
  const url = `${caller.url}/v1.0/invoke/callee/method/m`;
  expect((await rawRequest(url, { method: "POST" }, "x".repeat(bytes))).body).toBe(String(bytes));
  await closed(server);
});
