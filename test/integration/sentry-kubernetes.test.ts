import type { X509Certificate } from "node:crypto";
import { afterEach, beforeEach, expect, it } from "vitest";
import { generateIssuer } from "../../src/control-plane/sentry/issuer/generate.ts";
import type { IssuerBundle } from "../../src/control-plane/sentry/issuer/bundle.ts";
import { certificatesOf } from "../../src/control-plane/sentry/issuer/pem.ts";
import { systemRandom } from "../../src/kit/random.ts";
import { systemClock } from "../../src/kit/system-clock.ts";
import { FakeApi } from "../../src/kubernetes/fake-api.fixture.ts";
import { makeCertificateRequest } from "../../src/security/certificate-request.ts";
import { type SentryProgram, startSentryProgram } from "../harness/sentry-program.ts";
import { until } from "../harness/until.ts";

const TRUST_BUNDLE = "dapr-trust-bundle";
const SYSTEM = "/api/v1/namespaces/dapr-system";

let api: FakeApi;
let issuer: IssuerBundle;
let sentry: SentryProgram | undefined;
beforeEach(async () => {
  api = await FakeApi.start();
  issuer = await generateIssuer({
    trustDomain: "localhost",
    namespace: "dapr-system",
    skewMs: 0,
    clock: systemClock,
    random: systemRandom,
  });
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  api.put(`${SYSTEM}/secrets/${TRUST_BUNDLE}`, {
    data: {
      "ca.crt": base64(issuer.trustAnchorsPem),
      "issuer.crt": base64(issuer.chainPem),
      "issuer.key": base64(issuer.keyPem),
    },
  });
  api.put(`${SYSTEM}/configmaps/${TRUST_BUNDLE}`, { data: { "ca.crt": issuer.trustAnchorsPem } });
  api.put("/apis/dapr.io/v1alpha1/namespaces/dapr-system/configurations/daprsystem", {
    spec: { mtls: { workloadCertTTL: "1h", allowedClockSkew: "0s" } },
  });
  api.put("/api/v1/namespaces/apps/pods/p", {
    metadata: { annotations: { "dapr.io/app-id": "myapp" } },
    spec: { serviceAccountName: "account" },
  });
  api.review = (token) => ({
    authenticated: token.startsWith("e30."),
    user: { username: "system:serviceaccount:apps:account" },
  });
});
afterEach(async () => {
  await sentry?.[Symbol.asyncDispose]();
  sentry = undefined;
  await api.stop();
});

function start(env: Readonly<Record<string, string>> = {}): Promise<SentryProgram> {
  return startSentryProgram({
    flags: ["--mode=kubernetes", "--config=daprsystem", "--kubeconfig=kubeconfig"],
    env: { NAMESPACE: "dapr-system", DAPR_UNSAFE_SKIP_CONTAINER_UID_GID_CHECK: "true", ...env },
    files: {
      "ca.crt": issuer.trustAnchorsPem,
      kubeconfig: `current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "${api.url}"}}]
users: [{name: u, user: {token: sentrys-own-token}}]
`,
    },
  });
}

const claims = Buffer.from('{"kubernetes.io":{"pod":{"name":"p"}}}').toString("base64url");

function ask(facts: object = {}) {
  const { request } = makeCertificateRequest();
  return {
    id: "myapp",
    namespace: "apps",
    token: `e30.${claims}.AAAA`,
    certificateSigningRequest: Buffer.from(request),
    ...facts,
  };
}

it("signs with the secret's issuer for pods whose token the API server accepts", async () => {
  sentry = await start();
  const { sign, healthPort } = sentry;
  await until("it is healthy", async () => (await fetch(`http://127.0.0.1:${healthPort}/healthz`)).status === 200);
  const answer = await sign(ask());
  const [leaf] = certificatesOf(Buffer.from(answer.workloadCertificate).toString()) as [X509Certificate];
  expect(leaf.subjectAltName).toBe("URI:spiffe://public/ns/apps/myapp");
  expect(leaf.verify((issuer.chain[0] as X509Certificate).publicKey)).toBe(true);
  expect(leaf.validToDate.getTime() - leaf.validFromDate.getTime()).toBe(3_600_000);
  expect(api.seen.every(({ authorization }) => authorization === "Bearer sentrys-own-token")).toBe(true);

  await expect(sign(ask({ id: "other" }))).rejects.toMatchObject({
    code: 7,
    details: "app-id mismatch. expected: myapp, received: other",
  });
  await expect(sign(ask({ token: "forged" }))).rejects.toMatchObject({ code: 7, details: "authentication failed" });
  expect(sentry.program.output).not.toContain("sentrys-own-token");
});

it("does not start without its Configuration, and says so", async () => {
  api.remove("/apis/dapr.io/v1alpha1/namespaces/dapr-system/configurations/daprsystem");
  await expect(start()).rejects.toThrow('couldn\'t find config name \\"daprsystem\\": config CRD not found');
});
