import { X509Certificate } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { SELF_SIGNED_CERT } from "../net/http/self-signed.fixture.ts";
import { SignCertificateResponseSchema } from "../wire/gen/dapr/proto/sentry/v1/sentry_pb.js";
import { WORKLOAD_CERT } from "./security.fixture.ts";
import { readCertificate } from "./workload-certificate.ts";

const EXP = 4_000_000_000;

function jwt(claims: unknown): string {
  return `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.sig`;
}

function read(facts: MessageInitShape<typeof SignCertificateResponseSchema> = {}) {
  const workloadCertificate = Buffer.from(WORKLOAD_CERT);
  const response = { workloadCertificate, validUntil: timestampFromMs(1), ...facts };
  return readCertificate(create(SignCertificateResponseSchema, response), "KEY");
}

it("reads who the certificate is for and how long it lives", () => {
  expect(read()).toEqual({
    id: { trustDomain: "public", namespace: "default", appId: "app" },
    chain: WORKLOAD_CERT,
    privateKey: "KEY",
    notBeforeMs: Date.UTC(2026, 10, 22),
    notAfterMs: Date.UTC(2126, 10, 22),
    token: undefined,
    tokensByAudience: new Map(),
  });
});

it("lives no longer than its issuer", () => {
  const { validToDate } = new X509Certificate(SELF_SIGNED_CERT);
  const certificate = read({ workloadCertificate: Buffer.from(WORKLOAD_CERT + SELF_SIGNED_CERT) });
  expect(validToDate.getTime()).toBeLessThan(Date.UTC(2126, 10, 22));
  expect(certificate.notAfterMs).toBe(validToDate.getTime());
});

it("reads tokens without looking at their signatures", () => {
  const certificate = read({
    jwt: jwt({ aud: ["public", "a"], exp: EXP }),
    perAudienceJwts: { a: { value: jwt({ aud: "a", exp: EXP }) } },
  });
  expect(certificate.token).toMatchObject({ audiences: ["public", "a"], expiresMs: EXP * 1_000 });
  expect(certificate.tokensByAudience.get("a")).toMatchObject({ audiences: ["a"] });
});

describe("answers that cannot be used", () => {
  const text = (value: string): Uint8Array => Buffer.from(value);
  it.each<[MessageInitShape<typeof SignCertificateResponseSchema>, string, string]>([
    [{ validUntil: undefined }, "invalid_ts", "error parsing ValidUntil"],
    [{ workloadCertificate: text("") }, "sign", "no certificates received from sentry"],
    [
      { workloadCertificate: text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n") },
      "sign",
      "error parsing newly signed certificate",
    ],
    [{ workloadCertificate: text(SELF_SIGNED_CERT) }, "sign", "error parsing spiffe id from newly signed certificate"],
    [{ workloadCertificate: text(WORKLOAD_CERT.repeat(17)) }, "sign", "the chain has 17 certificates"],
    [{ jwt: "nonsense" }, "jwt_parse", "error parsing JWT"],
    [{ jwt: jwt({ aud: "public" }) }, "jwt_parse", "it has no time of expiry"],
    [{ jwt: jwt({ aud: "public", exp: 1e300 }) }, "jwt_parse", "it has no time of expiry"],
    [{ jwt: jwt({ aud: [], exp: EXP }) }, "jwt_aud", "JWT audience is empty"],
    [{ jwt: jwt({ aud: "other", exp: EXP }) }, "jwt_aud", "it is not for public"],
    [{ perAudienceJwts: { a: { value: jwt({ aud: "b", exp: EXP }) } } }, "jwt_aud", "JWT audience mismatch"],
  ])("%j", (facts, reason, message) => {
    expect(() => read(facts)).toThrow(message);
    expect(() => read(facts)).toThrow(expect.objectContaining({ reason }));
  });
});
