import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { component } from "../harness/resources.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";

const KEY = { kty: "oct", kid: "aes", k: Buffer.alloc(32, 1).toString("base64url") };

async function serve(listener: RequestListener): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

it("a key set is fetched from its URL, redirects followed", async () => {
  const asked: string[] = [];
  await using server = await serve((request, response) => {
    asked.push(request.url ?? "");
    if (request.url === "/old") response.writeHead(302, { location: "/set?v=1" }).end();
    else response.writeHead(200, { "cache-control": "public, max-age=3600" }).end(JSON.stringify({ keys: [KEY] }));
  });
  await using sidecar = await startTestSidecar({
    resources: component("vault", "crypto.dapr.jwks", { jwks: `${server.url}/old` }),
  });
  const headers = { "dapr-key-name": "aes", "dapr-key-wrap-algorithm": "A256KW" };
  const path = "/v1.0-alpha1/crypto/vault";
  const document = await sidecar.fetch(`${path}/encrypt`, { method: "PUT", headers, body: "text" });
  const back = await sidecar.fetch(`${path}/decrypt`, { method: "PUT", body: await document.arrayBuffer() });
  expect([await back.text(), asked]).toEqual(["text", ["/old", "/set?v=1"]]);
  expect(sidecar.logger.said("Loading JWK from an HTTP endpoint without TLS")).toBe(true);
});

it.each([
  ["another status", 404, "{}", "failed to process response: non-200 response code 404"],
  ["no set", 200, "<html>", "failed to unmarshal JSON into key hint"],
  ["too much", 200, " ".repeat(1024 * 1024 + 1), "the JWKS has more than the limit of 1048576 bytes"],
  ["nothing but redirects", 302, "", "stopped after 10 redirects"],
])("a URL that gives %s keeps the sidecar from starting", async (_what, status, body, message) => {
  await using server = await serve((_request, response) => {
    response.writeHead(status, status === 302 ? { location: "/" } : {}).end(body);
  });
  await expect(
    startTestSidecar({ resources: component("vault", "crypto.dapr.jwks", { jwks: server.url }) }),
  ).rejects.toThrow(message);
});

it("a URL that does not answer in time keeps the sidecar from starting", async () => {
  await using server = await serve(() => undefined);
  await expect(
    startTestSidecar({
      resources: component("vault", "crypto.dapr.jwks", { jwks: server.url, requestTimeout: "50ms" }),
    }),
  ).rejects.toThrow("failed to init cache: failed to fetch JWKS: context deadline exceeded");
});
