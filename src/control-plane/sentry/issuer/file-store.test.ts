import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { systemRandom } from "../../../kit/random.ts";
import { silentLogger } from "../../../kit/silent-logger.ts";
import { VirtualClock } from "../../../kit/virtual-clock.fixture.ts";
import { type Authority, openAuthority } from "../authority.ts";
import type { JwtOptions } from "../jwt/jwt-issuer.ts";
import type { CredentialNames } from "./credential-store.ts";
import { fileStore } from "./file-store.ts";

const clock = new VirtualClock();
const JWT: JwtOptions = { issuer: undefined, algorithm: "RS256", keyId: undefined, ttlMs: 1_000, skewMs: 0 };

let folder: string;
let paths: CredentialNames;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sentry-"));
  const at = (name: string): string => join(folder, name);
  paths = {
    trustAnchors: at("ca.crt"),
    chain: at("issuer.crt"),
    key: at("issuer.key"),
    jwtKey: at("jwt.key"),
    jwks: at("jwks.json"),
  };
});
afterEach(async () => await rm(folder, { recursive: true }));

function open(jwt?: Partial<JwtOptions>, mayGenerate?: boolean): Promise<Authority> {
  return openAuthority(
    fileStore(paths, jwt?.keyId, clock),
    {
      trustDomain: "a.example",
      namespace: "default",
      workloadTtlMs: 1_000,
      skewMs: 0,
      jwt: jwt === undefined ? undefined : { ...JWT, ...jwt },
      mayGenerate,
    },
    { clock, random: systemRandom, logger: silentLogger },
  );
}

it("generates what is missing once, readable for its own user only", async () => {
  const first = await open({});
  expect(first.generated).toBe(true);
  for (const path of Object.values(paths) as string[]) {
    expect((await stat(path)).mode & 0o777, path).toBe(0o600);
  }
  const second = await open({});
  expect(second).toMatchObject({ generated: false, trustAnchorsPem: first.trustAnchorsPem });
  expect(second.jwt?.keyId).toBe(first.jwt?.keyId);
});

it("makes no keys for JWTs that nobody asked for, and adds them when somebody does", async () => {
  const first = await open();
  await expect(stat(paths.jwtKey)).rejects.toThrow("ENOENT");
  const second = await open({});
  expect(second).toMatchObject({ generated: true, trustAnchorsPem: first.trustAnchorsPem });
});

it("generates anew when one of three is missing, as Dapr does", async () => {
  const first = await open();
  await rm(paths.key);
  const second = await open();
  expect(second.generated).toBe(true);
  expect(second.trustAnchorsPem).not.toBe(first.trustAnchorsPem);
});

it("leaves what there is alone where nothing may be generated", async () => {
  const first = await open();
  expect(await open(undefined, false)).toMatchObject({ generated: false, trustAnchorsPem: first.trustAnchorsPem });
  await expect(open({}, false)).rejects.toThrow("credentials are missing in the local file system");
  await rm(paths.key);
  await expect(open(undefined, false)).rejects.toThrow("credentials are missing in the local file system");
  expect(await readFile(paths.trustAnchors, "utf8")).toBe(first.trustAnchorsPem);
});

it("names the file that cannot be used", async () => {
  await open({});
  await writeFile(paths.key, "rubbish");
  await expect(open()).rejects.toThrow(
    `failed to get CA bundle: failed to verify CA bundle: ${paths.key}: key is not PEM encoded`,
  );
});

it("names the file that is too large", async () => {
  await open();
  await writeFile(paths.chain, Buffer.alloc(1024 * 1024 + 1, 0x41));
  await expect(open()).rejects.toThrow(
    `failed to get CA bundle: failed to read issuer certificate: open ${paths.chain}: it has 1048577 bytes, more than the limit of 1048576`,
  );
});

it.each([
  ["no JSON", "{", "failed to parse JWKS: it is no JSON"],
  ["no keys", '{"keys":[]}', "JWKS doesn't contain any keys"],
  [
    "another key",
    '{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}',
    "JWKS doesn't contain a matching public key for the JWT signing key",
  ],
])("refuses a key set with %s", async (_what, text, message) => {
  await open({});
  await writeFile(paths.jwks, text);
  await expect(open({})).rejects.toThrow(`${paths.jwks}: failed to verify JWKS: ${message}`);
});

it("holds a key id that was given against the key set", async () => {
  const first = await open({});
  const kid = first.jwt?.keyId ?? "";
  expect((await open({ keyId: kid })).jwt?.keyId).toBe(kid);
  await expect(open({ keyId: "mine" })).rejects.toThrow('JWKS doesn\'t contain a key with user-provided key ID "mine"');
});

it("generates a key set under the key id that was given, so that the next start finds it", async () => {
  await open({ keyId: "mine" });
  expect(await open({ keyId: "mine" })).toMatchObject({ generated: false, jwt: { keyId: "mine" } });
});

it("refuses an algorithm that does not fit the key, in Dapr's words", async () => {
  await open({});
  await expect(open({ algorithm: "ES256" })).rejects.toThrow(
    "JWT signing key is incompatible with algorithm ES256: ECDSA algorithm ES256 requires an ECDSA key, but got *rsa.PrivateKey",
  );
  await expect(open({ algorithm: "HS256" })).rejects.toThrow("unsupported signature algorithm: HS256");
});

it("publishes no private part of a key set that has one", async () => {
  const first = await open({});
  const set = JSON.parse(await readFile(paths.jwks, "utf8")) as { keys: object[] };
  await writeFile(paths.jwks, JSON.stringify({ keys: set.keys.map((key) => ({ ...key, d: "secret", p: "secret" })) }));
  const second = await open({});
  expect(second.jwt?.jwksJson).not.toContain("secret");
  expect(second.jwt?.keyId).toBe(first.jwt?.keyId);
});
