import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GRPC_STATUS } from "../../src/errors/grpc-status.ts";
import { nodeTransport } from "../../src/net/h2/node/transport.ts";
import { createH2Transport } from "../../src/net/h2/protocol/transport.ts";
import { until } from "../harness/until.ts";
import { OurPeer, OurRelays, type OurServer } from "./ours.ts";
import { PeerProcess } from "./peer-process.ts";
import type { Command, Outcome } from "./protocol.ts";
import type { Toolchain } from "./toolchains.ts";

const WINDOW_BYTES = 65_535;
const HEADER_BYTES_MAX = 64 * 1024;
const MESSAGE_5_MB = 5 * 1024 * 1024;
const HANG_MS = 20_000;

type Order = Omit<Command, "id">;
type Fields = Omit<Order, "do" | "channel">;

interface Peer {
  run(command: Order): Promise<Outcome>;
}

/** What is true of one stack only. */
export interface Traits {
  /** It bears a PING every so often, in milliseconds, at its client end; others have a minimum of ten seconds. */
  readonly keepaliveMs?: number;
  /**
   * Statuses with which its server answers calls that it has no room or no time for, instead of refusing their streams;
   * its own client and grpc-go's lose calls to it in the same way.
   */
  readonly sheds?: readonly number[];
  /** Its server ends the connection over a head that is too large, and does not say how large heads may be. */
  readonly hidesHeaderLimit?: boolean;
  /** What its client says when it was still sending as the status came, with any server and now and then. */
  readonly lostStatus?: string;
  /** What its server says of success in `grpc-message`, which its own client shows. */
  readonly okMessage?: string;
  /** Its server refuses more than two PINGs in five minutes (too_many_pings). */
  readonly countsPings?: boolean;
}

const transport = process.env["INTEROP_HTTP2"] === "node" ? nodeTransport : createH2Transport();

/** All cases with one other stack, it as client of our server and as server of our client. */
export function interopWith(name: string, toolchain: Toolchain, traits: Traits = {}): void {
  if ("missing" in toolchain) {
    test(`${name} as client and as server`, (context) => context.skip(true, toolchain.missing));
    return;
  }
  let theirs: PeerProcess;
  const ours = new OurPeer(transport);
  beforeAll(() => {
    theirs = new PeerProcess(toolchain.command);
  });
  afterAll(async () => {
    await ours.end();
    await theirs.end();
  });
  const them: Peer = { run: (command) => theirs.run(command) };
  describe(`${name} as client of our server`, () => {
    callCases(them, ours, traits.lostStatus === undefined ? {} : { lostStatus: traits.lostStatus });
    ourDrainCase(them, ours);
    theirKeepaliveCase(them, ours, traits);
    test("nobody was cut off for any of it", () => {
      expect(ours.servers.flatMap(({ cutOffs }) => cutOffs)).toEqual([]);
    });
  });
  describe(`our client of ${name} as server`, () => {
    callCases(ours, them, traits);
    theirDrainCase(them, ours, traits);
    frozenCase(() => theirs, ours);
    if (traits.countsPings === true) tooManyPingsCase(them, ours);
  });
}

/** The calls of one other stack with itself, passed on by a server of ours that knows none of the methods. */
export function interopThroughRelay(name: string, toolchain: Toolchain, traits: Traits = {}): void {
  if ("missing" in toolchain) {
    test(`${name} through our relay`, (context) => context.skip(true, toolchain.missing));
    return;
  }
  let theirs: PeerProcess;
  const relays = new OurRelays(transport);
  beforeAll(() => {
    theirs = new PeerProcess(toolchain.command);
  });
  afterAll(async () => {
    await relays.end();
    await theirs.end();
  });
  const client: Peer = { run: (command) => theirs.run(command) };
  const server: Peer = { run: (command) => relays.before(theirs, command) };
  describe(`${name} through our relay`, () => callCases(client, server, traits));
}

async function connect(
  client: Peer,
  server: Peer,
  options: Fields = {},
): Promise<(fields: Fields) => Promise<Outcome>> {
  const { port } = await server.run({ do: "serve", ...options });
  const { channel } = await client.run({ do: "dial", address: `127.0.0.1:${port}`, ...options });
  return (fields) => client.run({ do: "call", channel, ...fields });
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

function valuesOf(pairs: Outcome["headers"], key: string): string[] {
  return pairs.filter(([name]) => name === key).map(([, value]) => value);
}

function callCases(client: Peer, server: Peer, { sheds, hidesHeaderLimit, lostStatus, okMessage = "" }: Traits): void {
  let call: (fields: Fields) => Promise<Outcome>;
  beforeAll(async () => {
    call = await connect(client, server, { windowBytes: WINDOW_BYTES, headerBytesMax: HEADER_BYTES_MAX });
  });

  test.each([0, 1, 1_000, 16_379, 16_384, 65_535, 65_536, MESSAGE_5_MB])("unary, %i bytes", async (size) => {
    expect(await call({ kind: "unary", size })).toMatchObject({ code: 0, message: okMessage, replies: 1, faults: 0 });
  });

  test("what nobody serves", async () => {
    expect(await call({ kind: "unary", path: "/interop.Echo/Sing" })).toMatchObject({
      code: GRPC_STATUS.UNIMPLEMENTED,
    });
    expect(await call({ kind: "unary", path: "/no.Where/Go" })).toMatchObject({ code: GRPC_STATUS.UNIMPLEMENTED });
  });

  test("streams of requests, of replies, and none at all", async () => {
    expect(await call({ kind: "collect", count: 1_000, size: 1_000 })).toMatchObject({
      code: 0,
      replies: 1,
      faults: 0,
    });
    expect(await call({ kind: "collect", count: 0 })).toMatchObject({ code: 0, replies: 1, faults: 0 });
    const many = {
      kind: "repeat",
      metadata: [
        ["x-count", "2000"],
        ["x-size", "20000"],
      ],
    } as const;
    expect(await call(many)).toMatchObject({ code: 0, replies: 2_000, faults: 0 });
    expect(await call({ kind: "repeat", metadata: [["x-count", "0"]] })).toMatchObject({ code: 0, replies: 0 });
    expect(await call({ kind: "chat", count: 0 })).toMatchObject({ code: 0, replies: 0 });
  });

  test.each([100, 1_000, 20_000])("10,000 messages of %i bytes each way, in order", async (size) => {
    expect(await call({ kind: "chat", count: 10_000, size })).toMatchObject({ code: 0, replies: 10_000, faults: 0 });
  });

  test("1,000 streams at the same time", async () => {
    const outcome = await call({ kind: "unary", size: 10, parallel: 1_000, metadata: [["x-gate", "1000"]] });
    expect(outcome).toMatchObject({ codes: { 0: 1_000 }, replies: 1_000, faults: 0 });
  });

  test("a status with its message and details, alone and after replies", async () => {
    const message = "nöt\n100 %, 日本, \u{1f6f6}";
    // google.rpc.Status: code 9, that message.
    const text = Buffer.from(message);
    const details = Buffer.concat([Buffer.from([8, 9, 18, text.length]), text]).toString("base64");
    const metadata = [
      ["x-status", "9"],
      ["x-message-bin", base64(message)],
      ["x-details-bin", details],
      ["trail-er", "here"],
    ] as const;
    const alone = await call({ kind: "unary", metadata });
    expect(alone).toMatchObject({ code: GRPC_STATUS.FAILED_PRECONDITION, message, replies: 0 });
    expect(valuesOf(alone.trailers, "trail-er")).toEqual(["here"]);
    const early = await call({ kind: "chat", count: 3, size: 10, metadata });
    expect(early).toMatchObject({ code: GRPC_STATUS.FAILED_PRECONDITION, message, replies: 3, faults: 0 });
    const plain = await call({ kind: "unary", metadata: metadata.filter(([key]) => key !== "x-details-bin") });
    expect(plain).toMatchObject({ code: GRPC_STATUS.FAILED_PRECONDITION, message });
  });

  test.each(Object.values(GRPC_STATUS).filter((code) => code > 0))("status %i", async (code) => {
    expect(await call({ kind: "unary", metadata: [["x-status", String(code)]] })).toMatchObject({ code, message: "" });
  });

  test("a server that ends before its caller has sent everything", async () => {
    const early = async (metadata: Fields["metadata"] = []): Promise<Outcome> => {
      const fields = { kind: "chat", count: 1_000, size: 50_000, metadata: [["x-early", "3"], ...metadata] } as const;
      let outcome = await call(fields);
      for (let i = 0; i < 20 && outcome.message === lostStatus; i += 1) outcome = await call(fields);
      return outcome;
    };
    expect(await early()).toMatchObject({ code: 0, replies: 3, faults: 0 });
    const failing = await early([["x-status", "10"]]);
    expect(failing).toMatchObject({ code: GRPC_STATUS.ABORTED, replies: 3, faults: 0 });
  });

  test("metadata: several values, bytes, and as much as the limit allows", async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString("base64");
    const large = "v".repeat(20_000);
    const outcome = await call({
      kind: "unary",
      metadata: [
        ["echo-two", "one"],
        ["echo-two", "two"],
        ["echo-all-bin", bytes],
        ["echo-none", ""],
        ["echo-large", large],
        ["trail-large", large],
        ["trail-all-bin", bytes],
      ],
    });
    expect(outcome).toMatchObject({ code: 0, message: okMessage, replies: 1, faults: 0 });
    expect(valuesOf(outcome.headers, "echo-two").join().replaceAll(" ", "")).toBe("one,two");
    expect(valuesOf(outcome.headers, "echo-all-bin")).toEqual([bytes]);
    expect(valuesOf(outcome.headers, "echo-none")).toEqual([""]);
    expect(valuesOf(outcome.headers, "echo-large")).toEqual([large]);
    expect(valuesOf(outcome.trailers, "trail-large")).toEqual([large]);
    expect(valuesOf(outcome.trailers, "trail-all-bin")).toEqual([bytes]);
  });

  test("metadata over the limit fails its own call and no other", async () => {
    const others = call({ kind: "unary", parallel: 10, metadata: [["x-delay-ms", "300"]] });
    const outcome = await call({ kind: "unary", metadata: [["much", "v".repeat(HEADER_BYTES_MAX + 1_000)]] });
    expect(outcome.code).not.toBe(0);
    if (hidesHeaderLimit === true) await others;
    else expect(await others).toMatchObject({ codes: { 0: 10 } });
    expect(await call({ kind: "unary" })).toMatchObject({ code: 0 });
  });

  test("a deadline ends the call at both ends", async () => {
    const before = (await server.run({ do: "cancelled" })).cancelled;
    const outcome = await call({ kind: "unary", timeoutMs: 2_000, metadata: [["x-delay-ms", String(HANG_MS)]] });
    expect(outcome).toMatchObject({ code: GRPC_STATUS.DEADLINE_EXCEEDED });
    await until("the server heard", async () => (await server.run({ do: "cancelled" })).cancelled === before + 1);
  });

  test.each([9_500, 90_000, 200_000, 200_000_000])(
    "a timeout of %i ms, whatever unit it travels in",
    async (timeoutMs) => {
      const outcome = await call({ kind: "unary", timeoutMs, metadata: [["x-show-timeout", "1"]] });
      const seen = Number(valuesOf(outcome.headers, "seen-timeout-ms")[0]);
      expect(outcome.code).toBe(0);
      // Long ones travel in coarse units.
      expect(seen).toBeGreaterThan(timeoutMs * 0.995 - 900);
      expect(seen).toBeLessThanOrEqual(timeoutMs * 1.005 + 900);
    },
  );

  test("a cancellation is heard at the other end", async () => {
    const before = (await server.run({ do: "cancelled" })).cancelled;
    const outcome = await call({ kind: "unary", cancelAfterMs: 1_000, metadata: [["x-delay-ms", String(HANG_MS)]] });
    expect(outcome).toMatchObject({ code: GRPC_STATUS.CANCELLED });
    await until("the server heard", async () => (await server.run({ do: "cancelled" })).cancelled === before + 1);
    const midway = await call({ kind: "chat", count: 1_000_000, size: 10_000, cancelAfterMs: 100 });
    expect(midway).toMatchObject({ code: GRPC_STATUS.CANCELLED, faults: 0 });
    expect(await call({ kind: "unary", size: 10 })).toMatchObject({ code: 0, faults: 0 });
  });

  test("gzip", async () => {
    const compressed = { gzip: true, size: 50_000, metadata: [["x-gzip", "1"]] } as const;
    expect(await call({ ...compressed, kind: "unary" })).toMatchObject({ code: 0, replies: 1, faults: 0 });
    expect(await call({ ...compressed, kind: "chat", count: 50 })).toMatchObject({ code: 0, replies: 50, faults: 0 });
  });

  test("more calls than the server takes at a time wait for their turn", async () => {
    const narrow = await connect(client, server, { streamsMax: 5 });
    const outcome = await narrow({ kind: "unary", size: 100, parallel: 100, metadata: [["x-delay-ms", "5"]] });
    if (sheds === undefined) expect(outcome).toMatchObject({ codes: { 0: 100 }, replies: 100, faults: 0 });
    else onlyCodes(outcome, sheds);
  });
}

/** What four clients do while servers come and go. */
const UNARY_STORM = { kind: "unary", size: 1_000, parallel: 4, forMs: 4_000 } as const;
const STREAM_STORM = {
  kind: "repeat",
  parallel: 2,
  forMs: 4_000,
  metadata: [
    ["x-count", "20"],
    ["x-size", "20000"],
  ],
} as const;
const ROLLS = 5;
const ROLL_EVERY_MS = 600;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function onlyCodes({ codes, message, faults }: Outcome, sheds: readonly number[] = []): void {
  const others = Object.keys(codes).filter((code) => code !== "0" && !sheds.includes(Number(code)));
  expect({ others, faults, message: others.length > 0 ? message : "" }).toEqual({ others: [], faults: 0, message: "" });
  expect(codes["0"]).toBeGreaterThan(10);
}

function ourDrainCase(them: Peer, ours: OurPeer): void {
  test("our server is exchanged under the calls of four clients: none is lost", async () => {
    const { server, port } = await ours.run({ do: "serve" });
    const rolling = ours.servers[server] as OurServer;
    const storms: Promise<Outcome>[] = [];
    for (let i = 0; i < 4; i += 1) {
      const { channel } = await them.run({ do: "dial", address: `127.0.0.1:${port}` });
      storms.push(
        them.run({ do: "call", channel, ...UNARY_STORM }),
        them.run({ do: "call", channel, ...STREAM_STORM }),
      );
    }
    for (let i = 0; i < ROLLS; i += 1) {
      await pause(ROLL_EVERY_MS);
      await rolling.roll();
    }
    for (const outcome of await Promise.all(storms)) onlyCodes(outcome);
  });
}

function theirDrainCase(them: Peer, ours: OurPeer, { sheds }: Traits): void {
  test("their server is exchanged under the calls of four clients of ours: none is lost", async () => {
    let current = await them.run({ do: "serve" });
    const storms: Promise<Outcome>[] = [];
    for (let i = 0; i < 4; i += 1) {
      const channel = ours.dial(() => current.port);
      storms.push(
        ours.run({ do: "call", channel, ...UNARY_STORM }),
        ours.run({ do: "call", channel, ...STREAM_STORM }),
      );
    }
    for (let i = 0; i < ROLLS; i += 1) {
      await pause(ROLL_EVERY_MS);
      const { server } = current;
      current = await them.run({ do: "serve" });
      await them.run({ do: "stop", server });
    }
    for (const outcome of await Promise.all(storms)) onlyCodes(outcome, sheds);
  });
}

function theirKeepaliveCase(them: Peer, ours: OurPeer, { keepaliveMs }: Traits): void {
  if (keepaliveMs === undefined) return;
  test("their PINGs keep a quiet call", async () => {
    const call = await connect(them, ours, { keepaliveMs, keepaliveTimeoutMs: 20_000 });
    const outcome = await call({ kind: "unary", metadata: [["x-delay-ms", String(keepaliveMs * 15)]] });
    expect(outcome).toMatchObject({ code: 0, replies: 1 });
  });
}

function frozenCase(theirs: () => PeerProcess, ours: OurPeer): void {
  test("our PINGs find out that the other end is frozen", async () => {
    const call = await connect(ours, theirs(), { keepaliveMs: 500, keepaliveTimeoutMs: 3_000 });
    expect(await call({ kind: "unary" })).toMatchObject({ code: 0 });
    const frozen = call({ kind: "unary", metadata: [["x-delay-ms", String(HANG_MS)]] });
    theirs().freeze(true);
    try {
      expect(await frozen).toMatchObject({ code: GRPC_STATUS.UNAVAILABLE });
    } finally {
      theirs().freeze(false);
    }
    expect(await call({ kind: "unary" })).toMatchObject({ code: 0 });
  });
}

function tooManyPingsCase(them: Peer, ours: OurPeer): void {
  test("a server that finds our PINGs too many gets fewer", async () => {
    const call = await connect(ours, them, { keepaliveMs: 50, keepaliveTimeoutMs: 20_000 });
    const quiet = { kind: "unary", metadata: [["x-delay-ms", "600"]] } as const;
    const codes: number[] = [];
    while (codes.at(-1) !== GRPC_STATUS.OK && codes.length < 6) codes.push((await call(quiet)).code);
    expect(codes[0]).not.toBe(GRPC_STATUS.OK);
    expect(codes.at(-1)).toBe(GRPC_STATUS.OK);
  });
}
