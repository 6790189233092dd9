import { createServer } from "node:https";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OTHER_CERT, OTHER_KEY, SELF_SIGNED_CERT, SELF_SIGNED_KEY } from "../../src/net/http/self-signed.fixture.ts";
import { component, temporaryFolder, type Folder } from "../harness/resources.ts";
import { closed, listening } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";

function endpoint(name: string, port: number, tls: Readonly<Record<string, unknown>>): string {
  return `
apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata: { name: ${name} }
spec: { baseUrl: "https://localhost:${port}", clientTLS: ${JSON.stringify(tls)} }
auth: { secretStore: vault }
`;
}

const inSecret = (key: string) => ({ secretKeyRef: { name: key, key } });

describe("an HTTPEndpoint over TLS", () => {
  const open = createServer({ cert: SELF_SIGNED_CERT, key: SELF_SIGNED_KEY }, (_, response) => response.end("open"));
  const guarded = createServer(
    { cert: SELF_SIGNED_CERT, key: SELF_SIGNED_KEY, ca: SELF_SIGNED_CERT, requestCert: true, maxVersion: "TLSv1.2" },
    (_, response) => response.end("known"),
  );
  let one: TestSidecar;
  let folder: Folder;
  beforeAll(async () => {
    const [openPort, guardedPort] = [await listening(open), await listening(guarded)];
    folder = await temporaryFolder();
    const secrets = await folder.write(
      "secrets.json",
      JSON.stringify({ ca: SELF_SIGNED_CERT, cert: SELF_SIGNED_CERT, key: SELF_SIGNED_KEY }),
    );
    const rootCA = { value: SELF_SIGNED_CERT };
    const ours = { certificate: { value: SELF_SIGNED_CERT }, privateKey: { value: SELF_SIGNED_KEY } };
    const others = { certificate: { value: OTHER_CERT }, privateKey: { value: OTHER_KEY } };
    one = await startTestSidecar({
      configuration: `
apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: { name: config }
spec: { metrics: { recordErrorCodes: true } }
`,
      resources: [
        component("vault", "secretstores.local.file", { secretsFile: secrets }),
        endpoint("root", openPort, { rootCA, renegotiation: "FreelyAsClient" }),
        endpoint("distrusted", openPort, {}),
        endpoint("other-root", openPort, { rootCA: { value: OTHER_CERT } }),
        endpoint("known", guardedPort, { rootCA, ...ours }),
        endpoint("by-secret", guardedPort, {
          rootCA: inSecret("ca"),
          certificate: inSecret("cert"),
          privateKey: inSecret("key"),
        }),
        endpoint("unknown", guardedPort, { rootCA, ...others }),
        endpoint("nameless", guardedPort, { rootCA }),
      ].join("---\n"),
      metrics: { enabled: true, port: 0, listenAddress: "127.0.0.1" },
    });
  });
  afterAll(async () => {
    await one.stop();
    await Promise.all([closed(open), closed(guarded)]);
    await folder[Symbol.asyncDispose]();
  });

  it.each([
    ["root", "open"],
    ["known", "known"],
    ["by-secret", "known"],
  ])("%s is trusted and answers", async (name, text) => {
    const response = await one.fetch(`/v1.0/invoke/${name}/method/hello`);
    expect([response.status, await response.text()]).toEqual([200, text]);
  });

  it.each([
    ["distrusted", "tls: failed to verify certificate: x509: certificate signed by unknown authority"],
    ["other-root", "tls: failed to verify certificate: x509: certificate signed by unknown authority"],
    // Node's server hangs up without a word about the certificate.
    ["unknown", 'Get "https://localhost:'],
    ["nameless", "remote error: tls: handshake failure"],
  ])("%s is an error that says why", async (name, reason) => {
    const response = await one.fetch(`/v1.0/invoke/${name}/method/hello`);
    const { errorCode, message } = (await response.json()) as { errorCode: string; message: string };
    expect([response.status, errorCode]).toEqual([500, "ERR_DIRECT_INVOKE"]);
    expect(message).toContain(reason);
  });

  it("counts the refusals as error codes", async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${one.sidecar.ports.metrics ?? 0}/`)).text();
    expect(metrics).toMatch(
      /^dapr_error_code_total\{app_id="test-app",category="service-invocation",error_code="ERR_DIRECT_INVOKE"\} 4$/m,
    );
  });
});

it.each([
  [{ rootCA: { value: "no PEM" } }, "failed to add root cert to cert pool for http endpoint bad"],
  [
    { certificate: { value: SELF_SIGNED_CERT }, privateKey: { value: OTHER_KEY } },
    "failed to load client certificate for http endpoint bad: tls: private key does not match public key",
  ],
])("certificates that cannot be used keep the sidecar from starting: %#", async (tls, message) => {
  await expect(startTestSidecar({ resources: endpoint("bad", 1, tls) })).rejects.toThrow(message);
});
