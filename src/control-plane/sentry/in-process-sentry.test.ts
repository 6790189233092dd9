import { X509Certificate } from "node:crypto";
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { certificatesOf } from "./issuer/pem.ts";
import { AUDIENCES_MAX } from "./limits.ts";
import { requestDer, signRequest, testSentry, toPem } from "./sentry.fixture.ts";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

describe("a sentry without a port", () => {
  it("names a workload by what it has proven, not by what its request says", async () => {
    const clock = new VirtualClock(NOW);
    const sentry = await testSentry({ clock });
    const { certificatePem, trustAnchorsPem, notAfterMs, jwt } = await sentry.sign(await signRequest());
    const [leaf, issuer] = certificatesOf(certificatePem) as [X509Certificate, X509Certificate];
    const root = new X509Certificate(trustAnchorsPem);

    expect(leaf.subjectAltName).toBe("URI:spiffe://public/ns/default/myapp");
    expect(leaf.subject ?? "").toBe("");
    expect(leaf.ca).toBe(false);
    expect(leaf.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
    expect(leaf.validFromDate).toEqual(new Date(NOW - 5_000));
    expect(leaf.validToDate).toEqual(new Date(NOW + 60_000));
    expect(notAfterMs).toBe(NOW + 60_000);
    expect(leaf.verify(issuer.publicKey) && leaf.checkIssued(issuer)).toBe(true);
    expect(issuer.verify(root.publicKey) && issuer.checkIssued(root)).toBe(true);
    expect(issuer.subject).toBe("O=spiffe://test.example/ns/dapr-system/dapr-sentry");
    expect(root.subject).toBe("O=test.example");
    expect(root.validToDate).toEqual(new Date(NOW + 365 * 24 * 3_600_000));
    expect(jwt).toBeUndefined();
  });

  it.each([
    ["dapr-injector", ["dapr-sidecar-injector.dapr-system.svc"]],
    ["dapr-operator", ["dapr-webhook.dapr-system.svc"]],
    [
      "dapr-scheduler",
      [0, 1, 2].map((at) => `dapr-scheduler-server-${at}.dapr-scheduler-server.dapr-system.svc.test.example`),
    ],
    ["dapr-placement", []],
  ])(
    "gives %s of its own trust domain and namespace its names in DNS, and nobody else of that name",
    async (appId, names) => {
      const sentry = await testSentry();
      const alt = async (trustDomain: string, namespace: string): Promise<string | undefined> => {
        const { certificatePem } = await sentry.sign(await signRequest({ appId, trustDomain, namespace }));
        return certificatesOf(certificatePem)[0]?.subjectAltName;
      };
      const uri = (trustDomain: string, namespace: string): string =>
        `URI:spiffe://${trustDomain}/ns/${namespace}/${appId}`;
      expect(await alt("test.example", "dapr-system")).toBe(
        [...names.map((name) => `DNS:${name}`), uri("test.example", "dapr-system")].join(", "),
      );
      expect(await alt("test.example", "default")).toBe(uri("test.example", "default"));
      expect(await alt("", "dapr-system")).toBe(uri("public", "dapr-system"));
    },
  );

  it.each(["ed25519", "p256", "p384", "p521", "rsa2048"] as const)("takes a key of the kind %s", async (kind) => {
    const sentry = await testSentry();
    const csr = toPem(await requestDer(kind));
    expect((await sentry.sign(await signRequest({ csr }))).certificatePem).toContain("BEGIN CERTIFICATE");
  });

  it("takes the label that daprd had before 1.12", async () => {
    const sentry = await testSentry();
    const csr = toPem(await requestDer(), "CERTIFICATE");
    expect((await sentry.sign(await signRequest({ csr }))).certificatePem).toContain("BEGIN CERTIFICATE");
  });

  it("has another root after a rotation", async () => {
    const sentry = await testSentry();
    const before = sentry.trustAnchorsPem;
    await sentry.rotate();
    const { certificatePem, trustAnchorsPem } = await sentry.sign(await signRequest());
    expect(trustAnchorsPem).not.toBe(before);
    const issuer = certificatesOf(certificatePem)[1] as X509Certificate;
    expect(issuer.verify(new X509Certificate(trustAnchorsPem).publicKey)).toBe(true);
    expect(issuer.verify(new X509Certificate(before).publicKey)).toBe(false);
  });

  it.each([
    [{ appId: "" }, 7, "invalid request: parameter app-id cannot be empty"],
    [{ appId: "a.b" }, 7, "invalid request: parameter app-id cannot contain dots"],
    [{ appId: "a".repeat(65) }, 7, "invalid request: app ID must be 64 characters or less"],
    [{ namespace: "" }, 7, "invalid request: namespace is required"],
    [{ csr: new Uint8Array() }, 7, "invalid request: CSR is required"],
    [{ appId: "", namespace: "" }, 7, "invalid request: parameter app-id cannot be empty\nnamespace is required"],
    [
      { namespace: "a/ns/b" },
      7,
      "invalid request: path segment characters are limited to letters, numbers, dots, dashes, and underscores",
    ],
    [{ namespace: ".." }, 7, "invalid request: path cannot contain dot segments"],
    [
      { trustDomain: "Public" },
      7,
      "trust domain characters are limited to lowercase letters, numbers, dots, dashes, and underscores",
    ],
    [{ token: "t".repeat(65_537) }, 7, "invalid request: the token is larger than the limit of 65536 bytes"],
    [{ validator: "jwks" as const }, 3, "the requested validator is not enabled"],
    [{ validator: "unknown" as const }, 3, "the requested validator is not enabled"],
    [
      { jwtAudiences: Array.from({ length: AUDIENCES_MAX + 1 }, () => "a") },
      3,
      "65 JWT audiences are more than the limit of 64",
    ],
    [{ jwtAudiences: ["a".repeat(1_025)] }, 3, "a JWT audience is longer than the limit of 1024 characters"],
  ])("refuses %j", async (facts, code, message) => {
    const sentry = await testSentry();
    await expect(sentry.sign(await signRequest(facts))).rejects.toMatchObject({ code, message });
  });
});

describe("its JWTs", () => {
  it("are for the trust domain and each audience that is asked for, alone and together", async () => {
    const clock = new VirtualClock(NOW);
    const sentry = await testSentry({ clock, jwt: { issuer: "https://issuer.example" } });
    const request = await signRequest({ trustDomain: "apps.example", jwtAudiences: ["bank", "apps.example"] });
    const { jwt = "", jwtByAudience } = await sentry.sign(request);

    expect(decodeProtectedHeader(jwt)).toEqual({
      alg: "RS256",
      kid: expect.stringMatching(/=$/) as string,
      typ: "JWT",
    });
    expect(decodeJwt(jwt)).toEqual({
      sub: "spiffe://apps.example/ns/default/myapp",
      aud: ["apps.example", "bank", "apps.example"],
      iss: "https://issuer.example",
      iat: NOW / 1000,
      nbf: NOW / 1000 - 5,
      exp: NOW / 1000 + 60,
      use: "sig",
      jti: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    });
    expect([...jwtByAudience.keys()]).toEqual(["apps.example", "bank"]);
    expect(decodeJwt(jwtByAudience.get("bank") ?? "")).toMatchObject({ aud: ["bank"] });
  });

  it("name no issuer unless there is one, and a key id that was given", async () => {
    const sentry = await testSentry({ jwt: { keyId: "my-key" } });
    const { jwt = "" } = await sentry.sign(await signRequest());
    expect(decodeJwt(jwt).iss).toBeUndefined();
    expect(decodeProtectedHeader(jwt).kid).toBe("my-key");
  });
});

it("JWTs are signed with the key that is published", async () => {
  const { generateJwt, keyIdOf } = await import("./jwt/jwt-bundle.ts");
  const { openJwtIssuer } = await import("./jwt/jwt-issuer.ts");
  const { systemRandom } = await import("../../kit/random.ts");
  const clock = new VirtualClock(NOW);
  const bundle = await generateJwt();
  const options = { issuer: undefined, algorithm: "RS256", keyId: undefined, ttlMs: 60_000, skewMs: 0 };
  const issuer = await openJwtIssuer(bundle, options, clock, systemRandom);
  const keys = createLocalJWKSet(JSON.parse(issuer.jwksJson) as { keys: [] });
  const { protectedHeader } = await jwtVerify(await issuer.sign("spiffe://a/ns/b/c", ["d"]), keys, {
    currentDate: new Date(NOW),
    audience: "d",
  });
  expect(protectedHeader.kid).toBe(await keyIdOf(bundle.key));
  expect(issuer.jwksJson).not.toContain('"d"');
});
