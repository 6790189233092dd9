import { expect, test } from "vitest";
import { collectBody } from "../app/body.ts";
import type { StreamMessage } from "./messages.ts";
import { PiecewiseBody, piecesOf } from "./piecewise-body.ts";

type Head = { readonly full: boolean };

function bodyOf(messages: readonly StreamMessage<Head>[], failure?: Error) {
  const state = { over: 0, returned: 0 };
  const [first, ...others] = messages;
  const queue = [...others];
  const rest: AsyncIterator<StreamMessage<Head>> = {
    next: () => {
      const value = queue.shift();
      if (value !== undefined) {
        return Promise.resolve({ done: false, value });
      }
      return failure === undefined ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(failure);
    },
    return: () => {
      state.returned += 1;
      return Promise.resolve({ done: true, value: undefined });
    },
  };
  const body = new PiecewiseBody<Head>({
    first: first as StreamMessage<Head>,
    rest,
    kind: "response",
    isEmptyHead: (head) => !head.full,
    onOver: () => (state.over += 1),
  });
  return { body, state };
}

function piece(text: string, seq: number, head?: Head): StreamMessage<Head> {
  return { head, payload: Buffer.from(text), seq };
}

test("pieces are joined in order; empty ones and empty heads are passed over", async () => {
  const { body, state } = bodyOf([
    piece("a", 0, { full: true }),
    piece("", 1),
    piece("b", 2, { full: false }),
    { head: undefined, payload: undefined, seq: 0 },
    piece("c", 3),
  ]);
  expect(Buffer.from(await collectBody(body, 0)).toString()).toBe("abc");
  expect(state).toEqual({ over: 1, returned: 0 });
});

test("a missing, repeated or later piece ends the body with Dapr's text", async () => {
  for (const seq of [0, 2, 5]) {
    const { body, state } = bodyOf([piece("a", 0, { full: true }), piece("b", seq)]);
    await expect(collectBody(body, 0)).rejects.toThrow(`invalid sequence number received: ${seq} (expected: 1)`);
    expect(state).toEqual({ over: 1, returned: 1 });
  }
});

test("a second head ends the body", async () => {
  await expect(
    collectBody(bodyOf([piece("a", 0, { full: true }), piece("b", 1, { full: true })]).body, 0),
  ).rejects.toThrow("response metadata found in non-leading chunk");
});

test("a call that breaks off ends the body with its reason", async () => {
  await expect(collectBody(bodyOf([piece("a", 0, { full: true })], new Error("lost")).body, 0)).rejects.toThrow(
    "error receiving message: lost",
  );
});

test("giving a body up tells the source, once", async () => {
  const { body, state } = bodyOf([piece("a", 0, { full: true }), piece("b", 1)]);
  await body.return();
  await body.return();
  expect(state).toEqual({ over: 1, returned: 1 });
  expect((await body.next()).done).toBe(true);
});

test("large chunks are cut, small ones are not held back", async () => {
  const sizes: number[] = [];
  for await (const one of piecesOf([Buffer.alloc(3), Buffer.alloc(25), Buffer.alloc(10)], 10)) {
    sizes.push(one.byteLength);
  }
  expect(sizes).toEqual([3, 10, 10, 5, 10]);
});
