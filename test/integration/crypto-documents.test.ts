import { create } from "@bufbuild/protobuf";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DecryptRequestSchema, EncryptRequestSchema } from "../../src/wire/gen/dapr/proto/runtime/v1/crypto_pb.js";
import { daprMethods } from "../harness/grpc-caller.ts";
import { component, configuration, type Folder, temporaryFolder } from "../harness/resources.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const SEGMENT = 64 * 1024;
const KEY = { "dapr-key-name": "aes", "dapr-key-wrap-algorithm": "A256KW" };

describe("documents over both doors", () => {
  let folder: Folder;
  let sidecar: TestSidecar;
  beforeAll(async () => {
    folder = await temporaryFolder();
    await folder.write("aes", Buffer.alloc(32, 7).toString("base64"));
    sidecar = await startTestSidecar({
      resources: component("vault", "crypto.dapr.localstorage", { path: folder.path }),
      metrics: { enabled: true, port: 0, listenAddress: "127.0.0.1" },
    });
  });
  afterAll(async () => {
    await sidecar.stop();
    await folder[Symbol.asyncDispose]();
  });

  const put = async (
    operation: string,
    headers: Record<string, string>,
    body: Uint8Array,
  ): Promise<[number, Buffer]> => {
    const response = await sidecar.fetch(`/v1.0-alpha1/crypto/vault/${operation}`, {
      method: "PUT",
      headers,
      body: Buffer.from(body),
    });
    return [response.status, Buffer.from(await response.arrayBuffer())];
  };
  const payloads = (bytes: Uint8Array, size: number) =>
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => ({
      payload: { data: bytes.subarray(index * size, (index + 1) * size), seq: BigInt(index) },
    }));
  const dataOf = (answers: readonly { readonly payload?: { readonly data: Uint8Array } | undefined }[]) =>
    answers.map(({ payload }) => payload?.data ?? new Uint8Array(0));

  it.each([0, 1, SEGMENT, SEGMENT + 1, 3_000_000])(
    "of %i bytes are encrypted on one and decrypted on the other",
    async (length) => {
      const plaintext = Buffer.alloc(length, "0123456789");
      const [status, document] = await put("encrypt", KEY, plaintext);
      expect(status).toBe(200);
      const options = { componentName: "vault" };
      const opened = await sidecar.grpc.exchange(
        daprMethods.decryptAlpha1,
        [{ options }, ...payloads(document, 50_000)].map((message) => create(DecryptRequestSchema, message)),
      );
      expect(Buffer.concat(dataOf(opened)).equals(plaintext)).toBe(true);

      const sealed = await sidecar.grpc.exchange(
        daprMethods.encryptAlpha1,
        [{ options: { ...options, keyName: "aes", keyWrapAlgorithm: "AES" } }, ...payloads(plaintext, 1_000_000)].map(
          (message) => create(EncryptRequestSchema, message),
        ),
      );
      const chunks = dataOf(sealed);
      expect(chunks).toHaveLength(1 + Math.ceil(length / SEGMENT));
      expect(sealed.map(({ payload }) => Number(payload?.seq))).toEqual(chunks.map((_, index) => index));
      const [opening, back] = await put("decrypt", {}, Buffer.concat(chunks));
      expect([opening, back.equals(plaintext)]).toEqual([200, true]);
    },
  );

  it("that fail say why on both", async () => {
    expect((await put("encrypt", { ...KEY, "dapr-key-name": "none" }, Buffer.from("x")))[1].toString()).toBe(
      JSON.stringify({
        errorCode: "ERR_CRYPTO",
        message: `failed to perform operation: failed to wrap the file key: failed to retrieve the key encryption key: failed to load key 'none': open ${folder.path}/none: no such file or directory`,
      }),
    );
    const broken = create(DecryptRequestSchema, {
      options: { componentName: "vault" },
      payload: { data: Buffer.from("dapr.io/enc/v2\n"), seq: 0n },
    });
    await expect(sidecar.grpc.exchange(daprMethods.decryptAlpha1, [broken])).rejects.toMatchObject({
      code: 13,
      details: "failed to perform operation: invalid header: unsupported scheme",
    });
  });

  it("that a caller stops sending are no bug", async () => {
    const { port } = new URL(sidecar.url);
    const socket = connect(Number(port), "127.0.0.1");
    const head = ["PUT /v1.0-alpha1/crypto/vault/encrypt HTTP/1.1", "host: sidecar", "content-length: 100"];
    socket.end([...head, ...Object.entries(KEY).map((field) => field.join(": ")), "", "some"].join("\r\n"));
    await until("the sidecar has seen it", () => sidecar.logger.said("the caller went away before PUT"));
    expect(sidecar.logger.said("bug:")).toBe(false);
    socket.destroy();
  });

  it("are counted by component and outcome", async () => {
    const scraped = await fetch(`http://127.0.0.1:${sidecar.sidecar.ports.metrics ?? 0}/metrics`);
    const text = await scraped.text();
    expect(text).toMatch(
      /dapr_component_crypto_count\{[^}]*component="vault"[^}]*operation="crypto_op"[^}]*success="true"/,
    );
  });

  it("are listed as a component without capabilities", async () => {
    const metadata = (await (await sidecar.fetch("/v1.0/metadata")).json()) as { components: unknown };
    expect(metadata.components).toEqual([{ name: "vault", type: "crypto.dapr.localstorage", version: "v1" }]);
  });
});

it("an API that is denied is not there", async () => {
  await using folder = await temporaryFolder();
  await using sidecar = await startTestSidecar({
    resources: component("vault", "crypto.dapr.localstorage", { path: folder.path }),
    configuration: configuration(`  api:
    denied:
      - { name: crypto, version: v1alpha1, protocol: http }
      - { name: subtlecrypto, version: v1alpha1, protocol: grpc }
`),
  });
  expect((await sidecar.fetch("/v1.0-alpha1/crypto/vault/encrypt", { method: "PUT" })).status).toBe(404);
  const signing = await sidecar.fetch("/v1.0-alpha1/subtlecrypto/vault/sign", { method: "POST" });
  expect(await signing.json()).toMatchObject({ errorCode: "ERR_CRYPTO" });
  const { path } = daprMethods.subtleSignAlpha1;
  expect(await sidecar.grpc.rawFailure(path, new Uint8Array(0))).toMatchObject({ code: 12 });
  await expect(sidecar.grpc.exchange(daprMethods.encryptAlpha1, [])).rejects.toMatchObject({
    details: "failed to perform operation: error receiving the first message: EOF",
  });
});

it("without providers the API says so", async () => {
  await using sidecar = await startTestSidecar();
  const answer = await sidecar.fetch("/v1.0-alpha1/crypto/vault/encrypt", { method: "PUT" });
  expect([answer.status, await answer.json()]).toEqual([
    500,
    { errorCode: "ERR_CRYPTO_PROVIDERS_NOT_CONFIGURED", message: "crypto providers not configured" },
  ]);
});
