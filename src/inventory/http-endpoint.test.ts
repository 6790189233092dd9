import { expect, test } from "vitest";
import type { SecretStore } from "../components/spi/secret-store.ts";
import { systemRandom } from "../kit/random.ts";
import type { HttpEndpointResource } from "../resources/http-endpoint.ts";
import { recordingLogger } from "../../test/harness/recording-logger.ts";
import { resolveHttpEndpoint } from "./http-endpoint.ts";

const resource: HttpEndpointResource = {
  name: "shop",
  namespace: "ns",
  scopes: [],
  origin: { file: "f", line: 1 },
  baseUrl: "https://shop.example",
  headers: [
    { name: "plain", value: "1", secretKeyRef: undefined, envRef: "" },
    { name: "token", value: undefined, secretKeyRef: { name: "s", key: "k" }, envRef: "" },
    { name: "zone", value: undefined, secretKeyRef: undefined, envRef: "ZONE" },
    { name: "never", value: undefined, secretKeyRef: undefined, envRef: "APP_API_TOKEN" },
  ],
  clientTls: {
    rootCa: { value: "PEM", secretKeyRef: undefined },
    certificate: { value: undefined, secretKeyRef: { name: "s", key: "cert" } },
    privateKey: { value: undefined, secretKeyRef: { name: "s", key: "missing" } },
    renegotiation: "Never",
  },
  secretStore: "vault",
  logName: "shop (https://shop.example)",
};

function resolve(store: SecretStore | undefined) {
  const logger = recordingLogger();
  const endpoint = resolveHttpEndpoint(resource, {
    appId: "me",
    namespace: "ns",
    podName: "",
    environment: { ZONE: "eu", APP_API_TOKEN: "secret" },
    random: systemRandom,
    logger,
    secretStore: (name) => (name === "vault" ? store : undefined),
  });
  return { endpoint, logger };
}

const vault = {
  getSecret: () => Promise.resolve({ k: "t0ken", cert: "CERT" }),
} as unknown as SecretStore;

test("headers and documents come from where they are written, secrets and environment, but never a token of ours", async () => {
  expect(await resolve(vault).endpoint).toEqual({
    name: "shop",
    baseUrl: "https://shop.example",
    headers: [
      { name: "plain", value: "1" },
      { name: "token", value: "t0ken" },
      { name: "zone", value: "eu" },
      { name: "never", value: "" },
    ],
    tls: { rootCa: "PEM", certificate: "CERT", privateKey: undefined, renegotiation: "Never" },
  });
});

test("without its secret store the endpoint is there with what stands in the file, and the log says which store", async () => {
  const { endpoint, logger } = resolve(undefined);
  expect(await endpoint).toMatchObject({
    headers: [{ value: "1" }, { value: "" }, { value: "" }, { value: "" }],
    tls: { rootCa: "PEM", certificate: undefined },
  });
  expect(logger.said("HTTPEndpoint shop references a secret store that isn't loaded: vault")).toBe(true);
});
