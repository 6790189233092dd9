import { createServer, type ServerResponse } from "node:http";
import { expect, it } from "vitest";
import { createSharedScope } from "../../src/inventory/shared-scope.ts";
import { closed, listening } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";

const SSE = { accept: "text/event-stream" };

/** An app that writes an event when it is told to. */
function eventApp() {
  const streams: ServerResponse[] = [];
  const gone: Promise<void>[] = [];
  const server = createServer(({ url }, response) => {
    if (url !== "/events") {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
    response.flushHeaders();
    streams.push(response);
    gone.push(new Promise((resolve) => response.once("close", resolve)));
  });
  return { server, streams, gone };
}

it("server-sent events pass one by one, from the own app, another sidecar's and an HTTPEndpoint's", async () => {
  const { server, streams } = eventApp();
  const port = await listening(server);
  const deps = { shared: createSharedScope() };
  const resources = `
apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata: { name: feed }
spec: { baseUrl: "http://127.0.0.1:${port}" }
`;
  try {
    await using caller = await startTestSidecar({ appId: "caller", resources, deps });
    await using callee = await startTestSidecar({ appId: "callee", appPort: port, deps });
    for (const [index, url] of [
      `${callee.url}/v1.0/invoke/callee/method/events`,
      `${caller.url}/v1.0/invoke/callee/method/events`,
      `${caller.url}/v1.0/invoke/feed/method/events`,
    ].entries()) {
      const response = await fetch(url, { headers: SSE });
      expect(response.headers.get("content-type")).toBe("text/event-stream");
      const app = streams[index];
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      for (const event of ["data: 1\n\n", "data: 2\n\n"]) {
        // Nothing follows before it has come out at the other end.
        app?.write(event);
        expect((await reader?.read())?.value).toBe(event);
      }
      app?.end();
      expect((await reader?.read())?.done).toBe(true);
    }
  } finally {
    await closed(server);
  }
});

it("a caller that leaves ends the stream in the app, though no event comes", async () => {
  const { server, gone } = eventApp();
  const port = await listening(server);
  const deps = { shared: createSharedScope() };
  // With a timeout, whose own signal ends with the answer's head.
  const resources = `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: patience }
spec:
  policies: { timeouts: { long: 60s } }
  targets: { apps: { callee: { timeout: long } } }
`;
  try {
    await using caller = await startTestSidecar({ appId: "caller", resources, deps });
    await using _callee = await startTestSidecar({ appId: "callee", appPort: port, deps });
    const leave = new AbortController();
    const url = `${caller.url}/v1.0/invoke/callee/method/events`;
    const response = await fetch(url, { headers: SSE, signal: leave.signal });
    expect(response.status).toBe(200);
    leave.abort();
    await gone[0];
  } finally {
    await closed(server);
  }
});

it("a peer's app that has no events to give is an error that says so", async () => {
  const server = createServer((_, response) => response.writeHead(404).end("nothing here"));
  const port = await listening(server);
  const deps = { shared: createSharedScope() };
  try {
    await using caller = await startTestSidecar({ appId: "caller", deps });
    await using _callee = await startTestSidecar({ appId: "callee", appPort: port, deps });
    const response = await caller.fetch("/v1.0/invoke/callee/method/foo", { headers: SSE });
    expect([response.status, await response.json()]).toEqual([
      500,
      {
        errorCode: "ERR_DIRECT_INVOKE",
        message:
          "failed to invoke, id: callee, err: rpc error: code = Internal desc = error invoking app channel: no response received from stream",
      },
    ]);
  } finally {
    await closed(server);
  }
});
