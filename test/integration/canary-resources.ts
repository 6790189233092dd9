import { randomBytes } from "node:crypto";
import { SELF_SIGNED_CERT, SELF_SIGNED_KEY } from "../../src/net/http/self-signed.fixture.ts";
import type { Canaries } from "../harness/canaries.ts";
import { component, type Folder } from "../harness/resources.ts";

/** Components that get a secret and work, fail at once, or fail when they are called; `closed` is a port nobody listens on. */
export async function secretComponents(canaries: Canaries, folder: Folder, closed: number): Promise<string> {
  const secret = (place: string): string => canaries.plant(place);
  const host = `127.0.0.1:${closed}`;
  const secretsFile = await folder.write(
    "secrets.json",
    JSON.stringify({
      password: secret("secret store"),
      redis: secret("secret of a component"),
      header: secret("secret of a header"),
      encryption: encryptionKey(canaries),
      broken: secret("broken encryption key"),
    }),
  );
  const brokenFile = await folder.write("broken.json", `{"password": "${secret("broken secret store")}" oops`);
  const pem = (place: string): string => `-----BEGIN PRIVATE KEY-----\n${secret(place)}\n-----END PRIVATE KEY-----\n`;
  const url = (scheme: string, place: string): string => `${scheme}://user:${secret(place)}@${host}/db`;
  return [
    component("vault", "secretstores.local.file", { secretsFile }),
    component("broken-vault", "secretstores.local.file", { secretsFile: brokenFile }),
    component("env", "secretstores.local.env"),
    component("memory", "state.in-memory"),
    byReference("encrypted", "state.in-memory", "primaryEncryptionKey", "encryption"),
    byReference("unencrypted", "state.in-memory", "primaryEncryptionKey", "broken"),
    component("redis", "state.redis", {
      redisHost: host,
      redisPassword: secret("redis password"),
      redisPasword: secret("mistyped redis password"),
    }),
    component("redis-url", "pubsub.redis", { redisHost: url("redis", "redis URL") }),
    component("redis-key", "state.redis", {
      redisHost: host,
      enableTLS: "true",
      clientCert: SELF_SIGNED_CERT,
      clientKey: pem("redis key"),
    }),
    component("postgres", "bindings.postgresql", { connectionString: url("postgres", "postgres URL"), timeout: "1s" }),
    component("postgres-odd", "bindings.postgresql", {
      connectionString: `host=127.0.0.1 port=none password=${secret("postgres parameters")} bogus`,
    }),
    component("postgres-url", "bindings.postgresql", {
      connectionString: `postgres://user:${secret("broken postgres URL")}@[::1/db?sslmode=none`,
    }),
    component("sqlite", "state.sqlite", {
      connectionString: `file:${folder.path}/none/data.db?_auth_pass=${secret("sqlite connection string")}`,
    }),
    component("etcd", "state.etcd", {
      endpoints: host,
      tlsEnable: "true",
      key: pem("etcd key"),
      cert: SELF_SIGNED_CERT,
      ca: SELF_SIGNED_CERT,
    }),
    component("jwks", "crypto.dapr.jwks", { jwks: `{"keys": [{"k": "${secret("jwks")}" oops` }),
    component("jwks-url", "crypto.dapr.jwks", { jwks: `http://user:${secret("jwks URL")}@${host}/keys` }),
    component("web", "bindings.http", {
      url: `http://${host}`,
      securityToken: secret("security token"),
      securityTokenHeader: "x-token",
    }),
    component("web-key", "bindings.http", {
      url: `https://${host}`,
      MTLSClientKey: secret("binding key"),
      MTLSClientCert: SELF_SIGNED_CERT,
      MTLSRootCA: SELF_SIGNED_CERT,
    }),
    component("web-url", "bindings.http", { url: `http://user:${secret("binding URL")}@${host}/` }),
    component("model", "conversation.openai", { key: secret("model key"), endpoint: `http://${host}/`, model: "m" }),
    component("broker", "pubsub.in-memory"),
    referring(canaries, host),
    endpoint(canaries, host),
    `apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata: { name: by-url }
spec: { baseUrl: "${url("http", "endpoint URL")}" }
`,
  ]
    .join("---\n")
    .replaceAll("\n  type:", "\n  ignoreErrors: true\n  type:");
}

/** 128 bits, in hexadecimal. */
function encryptionKey(canaries: Canaries): string {
  const key = randomBytes(16).toString("hex");
  canaries.add("state encryption key", key);
  return key;
}

function byReference(name: string, type: string, field: string, secret: string): string {
  return `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec:
  type: ${type}
  version: v1
  metadata:
    - { name: ${field}, secretKeyRef: { name: ${secret}, key: ${secret} } }
auth: { secretStore: vault }
`;
}

/** Secrets by reference, and from the environment. */
function referring(canaries: Canaries, host: string): string {
  canaries.plant("secret of a component");
  return `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: referring }
spec:
  type: state.redis
  version: v1
  metadata:
    - { name: redisHost, value: "${host}" }
    - { name: redisPassword, secretKeyRef: { name: redis, key: redis } }
    - { name: redisUsername, envRef: CANARY_ENVIRONMENT }
auth: { secretStore: vault }
`;
}

/** Its key has to be one; the whole of it is looked for, and each of its lines. */
function endpoint(canaries: Canaries, host: string): string {
  for (const [index, line] of SELF_SIGNED_KEY.trim().split("\n").slice(1, -1).entries()) {
    canaries.add(`endpoint key, line ${index + 1}`, line);
  }
  return `apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata: { name: elsewhere }
spec:
  baseUrl: "https://${host}"
  headers:
    - { name: authorization, value: "Bearer ${canaries.plant("endpoint header")}" }
    - { name: x-key, secretKeyRef: { name: header, key: header } }
  clientTLS:
    certificate: { value: ${JSON.stringify(SELF_SIGNED_CERT)} }
    privateKey: { value: ${JSON.stringify(SELF_SIGNED_KEY)} }
auth: { secretStore: vault }
`;
}
