import { afterEach, beforeEach, expect, it } from "vitest";
import { systemRandom } from "../../../kit/random.ts";
import { silentLogger } from "../../../kit/silent-logger.ts";
import { systemClock } from "../../../kit/system-clock.ts";
import { KubernetesClient } from "../../../kubernetes/client.ts";
import { FakeApi } from "../../../kubernetes/fake-api.fixture.ts";
import { type Authority, openAuthority } from "../authority.ts";
import { kubernetesStore } from "./kubernetes-store.ts";

const SECRET = "/api/v1/namespaces/dapr-system/secrets/dapr-trust-bundle";
const CONFIG_MAP = "/api/v1/namespaces/dapr-system/configmaps/dapr-trust-bundle";
const NAMES = {
  trustAnchors: "/c/ca.crt",
  chain: "/c/issuer.crt",
  key: "/c/issuer.key",
  jwtKey: "/c/jwt.key",
  jwks: "/c/jwks.json",
};

let api: FakeApi;
let client: KubernetesClient;
beforeEach(async () => {
  api = await FakeApi.start();
  client = new KubernetesClient({ access: api.access(), clock: systemClock, userAgent: "test" });
});
afterEach(async () => {
  await client.close();
  await api.stop();
});

function open(withJwt = false): Promise<Authority> {
  return openAuthority(
    kubernetesStore(client, "dapr-system", NAMES, undefined, systemClock),
    {
      trustDomain: "a.example",
      namespace: "dapr-system",
      workloadTtlMs: 1_000,
      skewMs: 0,
      jwt: withJwt ? { issuer: undefined, algorithm: "RS256", keyId: undefined, ttlMs: 1, skewMs: 0 } : undefined,
    },
    { clock: systemClock, random: systemRandom, logger: silentLogger },
  );
}

it("keeps credentials in the secret, and what everybody may read in the config map", async () => {
  api.put(SECRET, { data: { other: "a2VwdA==" } });
  api.put(CONFIG_MAP, { data: { other: "kept", "jwks.json": "old" } });
  const first = await open(true);
  expect(Object.keys((api.read(SECRET) as { data?: object }).data ?? {})).toEqual([
    "other",
    "ca.crt",
    "issuer.crt",
    "issuer.key",
    "jwt.key",
    "jwks.json",
  ]);
  expect(api.read(CONFIG_MAP)).toMatchObject({
    data: { other: "kept", "ca.crt": first.trustAnchorsPem, "jwks.json": first.jwt?.jwksJson },
  });
  expect(await open(true)).toMatchObject({ generated: false, trustAnchorsPem: first.trustAnchorsPem });
});

it("takes the old keys of JWTs out of the config map where none are made", async () => {
  api.put(SECRET);
  api.put(CONFIG_MAP, { data: { "jwks.json": "old" } });
  const { trustAnchorsPem } = await open();
  expect(api.read(CONFIG_MAP)).toMatchObject({ data: { "ca.crt": trustAnchorsPem } });
  expect((api.read(CONFIG_MAP) as { data?: object }).data).not.toHaveProperty("jwks.json");
});

it("makes them anew where the config map has other anchors, as Dapr does", async () => {
  api.put(SECRET);
  api.put(CONFIG_MAP);
  const first = await open();
  api.put(CONFIG_MAP, { data: { "ca.crt": "others" } });
  const second = await open();
  expect(second.generated).toBe(true);
  expect(second.trustAnchorsPem).not.toBe(first.trustAnchorsPem);
});

it("names what is missing", async () => {
  await expect(open()).rejects.toThrow("failed to get CA bundle: failed to get trust bundle secret: GET ");
  api.put(SECRET);
  await expect(open()).rejects.toThrow("failed to get trust bundle configmap");
});

it("names the key of the secret that cannot be used", async () => {
  api.put(SECRET);
  api.put(CONFIG_MAP);
  await open();
  const data = {
    ...(api.read(SECRET) as unknown as { data: Record<string, string> }).data,
    "issuer.key": "cnViYmlzaA==",
  };
  api.put(SECRET, { data });
  await expect(open()).rejects.toThrow(
    "failed to verify CA bundle: secret dapr-trust-bundle, issuer.key: key is not PEM encoded",
  );
});
