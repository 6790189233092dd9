import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { SignCertificateRequest_TokenValidator as TokenValidator } from "../wire/gen/dapr/proto/sentry/v1/sentry_pb.js";
import { readSentryToken } from "./sentry-token.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "token-"));
});
afterAll(() => rm(folder, { recursive: true }));

it("needs none where none is named", async () => {
  expect(await readSentryToken(undefined)).toEqual({ token: "", validator: TokenValidator.UNKNOWN });
});

it("reads the file anew each time", async () => {
  const path = join(folder, "token");
  await writeFile(path, "one");
  expect(await readSentryToken(path)).toEqual({ token: "one", validator: TokenValidator.JWKS });
  await writeFile(path, "two");
  expect(await readSentryToken(path)).toMatchObject({ token: "two" });
});

it("says what is wrong with it", async () => {
  const [empty, large, missing] = [join(folder, "empty"), join(folder, "large"), join(folder, "missing")];
  await writeFile(empty, "");
  await writeFile(large, "x".repeat(70_000));
  await expect(readSentryToken("")).rejects.toThrow(
    "environmental variable DAPR_SENTRY_TOKEN_FILE is set with an empty value",
  );
  await expect(readSentryToken(empty)).rejects.toThrow(`token at path '${empty}' is empty`);
  await expect(readSentryToken(large)).rejects.toThrow("it has 70000 bytes, and 65536 is the most");
  await expect(readSentryToken(missing)).rejects.toThrow(`failed to read token at path '${missing}'`);
});
