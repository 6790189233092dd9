import fc from "fast-check";
import { expect, test } from "vitest";
import { GrpcError } from "../../net/grpc/status.ts";
import { publicKeyOfRequest } from "./certificate-request.ts";
import { requestDer, toPem } from "./sentry.fixture.ts";

/** What a request comes to: its key, or a refusal; anything else fails the test. */
async function outcome(pem: Uint8Array): Promise<string | undefined> {
  try {
    return (await publicKeyOfRequest(pem)).export({ format: "der", type: "spki" }).toString("hex");
  } catch (error) {
    expect(error).toBeInstanceOf(GrpcError);
    expect(error).toMatchObject({ code: 3 });
    return undefined;
  }
}

test("no bytes crash the reader of certificate requests", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.uint8Array({ maxLength: 600 }).map((der) => toPem(der)),
        fc.uint8Array({ maxLength: 600 }),
        fc
          .string()
          .map((text) =>
            Buffer.from(`-----BEGIN CERTIFICATE REQUEST-----\n${text}\n-----END CERTIFICATE REQUEST-----`),
          ),
      ),
      async (pem) => {
        expect(await outcome(pem)).toBeUndefined();
      },
    ),
    { numRuns: 500 },
  );
});

test("a request in which anything was changed gives its own key or none", async () => {
  const whole = Buffer.from(await requestDer());
  const key = await outcome(toPem(whole));
  expect(key).toBeDefined();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ at: fc.nat({ max: whole.length - 1 }), byte: fc.nat({ max: 255 }), cut: fc.boolean() }), {
        minLength: 1,
        maxLength: 3,
      }),
      async (changes) => {
        let der = Buffer.from(whole);
        for (const { at, byte, cut } of changes) {
          if (cut && at < der.length) {
            der = Buffer.concat([der.subarray(0, at), der.subarray(at + 1)]);
          } else if (at < der.length) {
            der[at] = byte;
          }
        }
        expect([key, undefined]).toContain(await outcome(toPem(der)));
      },
    ),
    { numRuns: 500 },
  );
});
