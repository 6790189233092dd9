import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import fc from "fast-check";
import { expect, it } from "vitest";
import { nodeTransport } from "../../src/net/h2/node/transport.ts";
import { createH2Transport } from "../../src/net/h2/protocol/transport.ts";
import type { ResponseHead, StreamHandler, Transport, TransportStream } from "../../src/net/h2/transport.ts";

/** One call as it is to be made and answered; sizes are in bytes. */
interface Call {
  readonly method: "GET" | "POST" | "PUT";
  readonly headers: readonly string[];
  readonly body: readonly number[];
  readonly answer: {
    readonly status: number;
    readonly body: readonly number[];
    readonly trailers: readonly string[] | undefined;
    /** Resets the stream with this code instead of answering. */
    readonly reset: number | undefined;
    /** Holds the body for a while before taking it. */
    readonly hold: boolean;
  };
}

const value = fc
  .string({ unit: fc.constantFrom(..."abcXYZ 0189-_:/;=%~{}".split("")), maxLength: 60 })
  .map((text) => text.trim());
const fields = fc
  .array(fc.tuple(fc.constantFrom("x-one", "x-two", "accept", "x-bin-bin", "user-agent", "grpc-timeout"), value), {
    maxLength: 8,
  })
  .map((pairs) => pairs.flat());
const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 2_000 }), fc.integer({ min: 1, max: 150_000 })), {
  maxLength: 4,
});
const calls: fc.Arbitrary<Call[]> = fc.array(
  fc.record({
    method: fc.constantFrom("GET", "POST", "PUT"),
    headers: fields,
    body: sizes,
    answer: fc.record({
      // Not 204: `node:http2` drops the body and the trailers of one.
      status: fc.constantFrom(200, 404, 500),
      body: sizes,
      trailers: fc.option(fields, { nil: undefined }),
      reset: fc.option(fc.constantFrom(2, 7, 8, 11), { nil: undefined, freq: 8 }),
      hold: fc.boolean(),
    }),
  }),
  { minLength: 1, maxLength: 12 },
);

/** What one call came to at both ends, without what implementations may do differently: the moments and the pieces. */
interface Outcome {
  asked?: string;
  received?: number;
  head?: ResponseHead;
  answered: number;
  trailers: readonly string[];
  ended: boolean;
  code: number | undefined;
}

const KINDS = { own: createH2Transport, node: () => nodeTransport } as const;
type Kind = keyof typeof KINDS;

async function run(plan: readonly Call[], serverKind: Kind, clientKind: Kind): Promise<Outcome[]> {
  const outcomes = plan.map((): Outcome => ({ answered: 0, trailers: [], ended: false, code: undefined }));
  const server = KINDS[serverKind]().createServer((stream, { method, path, headers }) => {
    const index = Number(path.slice(1));
    const outcome = outcomes[index] as Outcome;
    outcome.asked = `${method} ${headers.join("|")}`;
    return serverHandler(stream, (plan[index] as Call).answer, outcome);
  });
  const listener = createServer({ noDelay: true }, (socket) => server.accept(socket)).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const transport: Transport = KINDS[clientKind]();
  const client = transport.createClient(`127.0.0.1:${(listener.address() as AddressInfo).port}`);
  await Promise.all(
    plan.map(
      async ({ method, headers, body }, index) =>
        await new Promise<void>((resolve) => {
          const head = { method, path: `/${index}`, scheme: "http", authority: "a", headers };
          const stream = client.open(head, body.length === 0, clientHandler(outcomes[index] as Outcome, resolve));
          for (const [at, size] of body.entries()) stream.send(Buffer.alloc(size, at), at + 1 === body.length);
        }),
    ),
  );
  await client.close();
  await server.close(1_000);
  listener.close();
  return outcomes;
}

function serverHandler(stream: TransportStream, answer: Call["answer"], outcome: Outcome): StreamHandler {
  outcome.received = 0;
  if (answer.hold) {
    stream.hold();
    setTimeout(() => stream.resume(), 2);
  }
  return {
    onData(chunk) {
      outcome.received = (outcome.received ?? 0) + chunk.length;
    },
    onEnd() {
      if (answer.reset !== undefined) {
        stream.reset(answer.reset);
        return;
      }
      const bare = answer.body.length === 0 && answer.trailers === undefined;
      stream.respond({ status: answer.status, headers: ["x-answer", "yes"] }, bare);
      for (const [at, size] of answer.body.entries()) {
        stream.send(Buffer.alloc(size, at), at + 1 === answer.body.length && answer.trailers === undefined);
      }
      if (answer.trailers !== undefined) stream.sendTrailers(answer.trailers);
    },
    onClose() {},
  };
}

function clientHandler(outcome: Outcome, over: () => void): StreamHandler {
  return {
    onHead(head) {
      // `node:http2` adds a date of its own.
      const headers = head.headers.filter((_, i) => head.headers[i - (i % 2)] !== "date");
      outcome.head = { status: head.status, headers };
    },
    onData(chunk) {
      outcome.answered += chunk.length;
    },
    onTrailers(trailers) {
      // It also joins trailers of one name in their order.
      outcome.trailers = sorted(trailers);
    },
    onEnd() {
      outcome.ended = true;
    },
    onClose(code) {
      outcome.code = code;
      over();
    },
  };
}

function sorted(fieldList: readonly string[]): string[] {
  const pairs: string[] = [];
  for (let i = 0; i < fieldList.length; i += 2) pairs.push(`${fieldList[i]}: ${fieldList[i + 1]}`);
  return pairs.toSorted();
}

it("every pairing of the two implementations comes to the same", { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(calls, async (plan) => {
      const expected = await run(plan, "node", "node");
      for (const [server, client] of [
        ["own", "node"],
        ["node", "own"],
        ["own", "own"],
      ] as const) {
        expect(await run(plan, server, client), `${server} server, ${client} client`).toEqual(expected);
      }
    }),
    { numRuns: 60 },
  );
});
