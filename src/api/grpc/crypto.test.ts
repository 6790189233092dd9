import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { testCrypto } from "../../blocks/crypto/crypto.fixture.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { ServerCall } from "../../net/grpc/types.ts";
import {
  type DecryptRequest,
  DecryptRequestSchema,
  type EncryptRequest,
  EncryptRequestSchema,
} from "../../wire/gen/dapr/proto/runtime/v1/crypto_pb.js";
import { cryptoHandlers } from "./crypto.ts";

const clock = new VirtualClock();
const { block } = testCrypto({ aes: Buffer.alloc(32, 5).toString("base64") });
const handlers = cryptoHandlers(block, clock);
const call = { cancellation: undefined } as unknown as ServerCall;

const options = { componentName: "vault", keyName: "aes", keyWrapAlgorithm: "AES" };
const chunk = (data: string, seq: number) => ({ payload: { data: Buffer.from(data), seq: BigInt(seq) } });

async function* requests<T>(all: readonly T[]): AsyncGenerator<T> {
  yield* all;
}

async function encrypted(...messages: readonly Parameters<typeof create<typeof EncryptRequestSchema>>[1][]) {
  const all: EncryptRequest[] = messages.map((message) => create(EncryptRequestSchema, message));
  return answersOf(handlers.encryptAlpha1(requests(all), call));
}

async function decrypted(...messages: readonly Parameters<typeof create<typeof DecryptRequestSchema>>[1][]) {
  const all: DecryptRequest[] = messages.map((message) => create(DecryptRequestSchema, message));
  return answersOf(handlers.decryptAlpha1(requests(all), call));
}

async function answersOf(
  answers: AsyncIterable<{ readonly payload?: { readonly data: Uint8Array; readonly seq: bigint } | undefined }>,
): Promise<{ readonly seqs: readonly number[]; readonly data: Buffer }> {
  const seqs: number[] = [];
  const data: Uint8Array[] = [];
  for await (const { payload } of answers) {
    seqs.push(Number(payload?.seq));
    data.push(payload?.data ?? new Uint8Array(0));
  }
  return { seqs, data: Buffer.concat(data) };
}

describe("EncryptAlpha1 and DecryptAlpha1", () => {
  it("number what they answer: the header, then a message for each segment", async () => {
    const document = await encrypted(
      { options, ...chunk("one, ", 0) },
      chunk("two, ", 1),
      {},
      chunk("", 2),
      chunk("three", 3),
    );
    expect(document.seqs).toEqual([0, 1]);
    const half = document.data.length / 2;
    const text = document.data.toString("latin1");
    const pieces = [text.slice(0, half), text.slice(half)].map((part) => Buffer.from(part, "latin1"));
    const plain = await decrypted(
      { options: { componentName: "vault" } },
      ...pieces.map((data, seq) => ({ payload: { data, seq: BigInt(seq) } })),
    );
    expect([plain.seqs, plain.data.toString()]).toEqual([[0], "one, two, three"]);
  });

  it.each([
    [[], "failed to perform operation: error receiving the first message: EOF"],
    [[{}], "invalid request: first message does not contain the required options"],
    [[chunk("a", 0)], "invalid request: first message does not contain the required options"],
    [[{ options: {} }], "invalid request: missing property 'keyName' in the options message"],
    [[{ options: { keyName: "k" } }], "invalid request: missing property 'keyWrapAlgorithm' in the options message"],
    [[{ options: { ...options, componentName: "" } }], "invalid request: missing component name"],
    [[{ options: { ...options, componentName: "none" } }], "crypto provider none not found"],
    [[{ options }, chunk("a", 1)], "failed to perform operation: invalid sequence number received: 1 (expected: 0)"],
    [
      [{ options }, chunk("a", 0), chunk("b", 0)],
      "failed to perform operation: invalid sequence number received: 0 (expected: 1)",
    ],
    [[{ options }, { options }], "failed to perform operation: options found in non-leading message"],
  ])("refuse wrong messages: %#", async (messages, message) => {
    await expect(encrypted(...messages)).rejects.toMatchObject({ name: "ApiError", message });
  });

  it("wait five seconds for the first message", async () => {
    const never = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise<IteratorResult<EncryptRequest>>(() => {}) }),
    };
    const failed = expect(answersOf(handlers.encryptAlpha1(never, call))).rejects.toThrow(
      "invalid request: error waiting for first message: context deadline exceeded",
    );
    clock.advance(5_000);
    await failed;
  });

  it("read no more than their answer is read", async () => {
    let read = 0;
    async function* source(): AsyncGenerator<EncryptRequest> {
      yield create(EncryptRequestSchema, { options });
      for (; read < 100; read += 1) {
        yield create(EncryptRequestSchema, { payload: { data: Buffer.alloc(64 * 1024), seq: BigInt(read) } });
      }
    }
    const answers = handlers.encryptAlpha1(source(), call)[Symbol.asyncIterator]();
    for (let answer = 0; answer < 5; answer += 1) await answers.next();
    expect(read).toBe(4);
    await answers.return?.();
  });
});
