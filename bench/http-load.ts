import { type Socket, connect } from "node:net";
import type { Lane, LoadTarget } from "./load-target.ts";
import { grpcLane } from "./grpc-load.ts";
import { Histogram } from "./histogram.ts";

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** Milliseconds from the send (closed loop) or from the planned send (fixed rate) to the last byte of the answer. */
  readonly latency: Histogram;
}

/** Keeps `connections` requests in flight for `seconds`: what the candidate can do at saturation. */
export function runClosedLoop(target: LoadTarget, connections: number, seconds: number): Promise<LoadResult> {
  return run(target, connections, seconds, undefined);
}

/** Sends `perSecond` requests a second, whether or not answers come: latency at a fixed rate, without coordinated omission. */
export function runFixedRate(
  target: LoadTarget,
  connections: number,
  seconds: number,
  perSecond: number,
): Promise<LoadResult> {
  return run(target, connections, seconds, perSecond);
}

/** Sends `count` requests, `connections` at a time. */
export async function runBatch(target: LoadTarget, connections: number, count: number): Promise<void> {
  const lanes = await openLanes(target, connections, new Histogram());
  let left = count;
  await Promise.all(
    lanes.map(async (lane) => {
      while (left > 0) {
        left -= 1;
        await lane.request(performance.now());
      }
      lane.close();
    }),
  );
}

async function run(
  target: LoadTarget,
  connections: number,
  seconds: number,
  perSecond: number | undefined,
): Promise<LoadResult> {
  const latency = new Histogram();
  const lanes = await openLanes(target, connections, latency);
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  const requests =
    perSecond === undefined ? await saturate(lanes, endMs) : await pace(lanes, startMs, endMs, perSecond);
  const elapsed = (performance.now() - startMs) / 1000;
  for (const lane of lanes) {
    lane.close();
  }
  return { requests, seconds: elapsed, latency };
}

async function saturate(lanes: readonly Lane[], endMs: number): Promise<number> {
  const counts = await Promise.all(
    lanes.map(async (lane) => {
      let count = 0;
      while (performance.now() < endMs) {
        await lane.request(performance.now());
        count += 1;
      }
      return count;
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

async function pace(lanes: readonly Lane[], startMs: number, endMs: number, perSecond: number): Promise<number> {
  let planned = 0;
  let done = 0;
  const nextPlanMs = (): number | undefined => {
    const at = startMs + (planned * 1000) / perSecond;
    if (at >= endMs) {
      return undefined;
    }
    planned += 1;
    return at;
  };
  await Promise.all(
    lanes.map(async (lane) => {
      for (let at = nextPlanMs(); at !== undefined; at = nextPlanMs()) {
        const waitMs = at - performance.now();
        if (waitMs > 0) {
          await new Promise((resolve) => setTimeout(resolve, waitMs));
        }
        // Timers may fire a little early: then the answer is timed from the send.
        await lane.request(Math.min(at, performance.now()));
        done += 1;
      }
    }),
  );
  return done;
}

function openLanes(target: LoadTarget, connections: number, latency: Histogram): Promise<Lane[]> {
  return Promise.all(Array.from({ length: connections }, (_, index) => openLane(target, index, latency)));
}

async function openLane(target: LoadTarget, index: number, latency: Histogram): Promise<Lane> {
  if (target.grpc === true) {
    return grpcLane(target, latency);
  }
  const socket = connect({ port: target.port, host: "127.0.0.1", noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return lane(socket, requestsOf(target, index), target.expectStatus, latency);
}

function lane(socket: Socket, nextRequest: () => Buffer, expectStatus: number, latency: Histogram): Lane {
  let settle: { resolve: () => void; reject: (error: Error) => void; plannedMs: number } | undefined;
  let pending: Buffer = Buffer.alloc(0);
  const fail = (error: Error): void => {
    const waiting = settle;
    settle = undefined;
    waiting?.reject(error);
  };
  socket.on("data", (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    const length = responseLength(pending, expectStatus, fail);
    if (length === undefined || pending.length < length || settle === undefined) {
      return;
    }
    pending = pending.subarray(length);
    const done = settle;
    settle = undefined;
    latency.record(performance.now() - done.plannedMs);
    done.resolve();
  });
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("the candidate closed the connection")));
  return {
    request: (plannedMs) =>
      new Promise<void>((resolve, reject) => {
        settle = { resolve, reject, plannedMs };
        socket.write(nextRequest());
      }),
    close: () => socket.destroy(),
  };
}

/** Bytes of the first whole answer in `bytes`, undefined while its head is incomplete. */
function responseLength(bytes: Buffer, expectStatus: number, fail: (error: Error) => void): number | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd === -1) {
    return undefined;
  }
  const head = bytes.toString("latin1", 0, headEnd);
  const status = Number(head.slice(9, 12));
  if (status !== expectStatus) {
    fail(new Error(`expected status ${expectStatus}, got: ${bytes.toString("utf8").slice(0, 400)}`));
    return undefined;
  }
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
    return chunkedEnd(bytes, headEnd + 4);
  }
  const match = /\r\ncontent-length: *(\d+)/i.exec(head);
  return headEnd + 4 + (match?.[1] === undefined ? 0 : Number(match[1]));
}

function chunkedEnd(bytes: Buffer, bodyStart: number): number | undefined {
  let at = bodyStart;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd === -1) {
      return undefined;
    }
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    at = lineEnd + 2 + size + 2;
    if (size === 0) {
      return at;
    }
  }
}

function requestsOf(target: LoadTarget, lane: number): () => Buffer {
  const { method, path, varying, body } = target;
  const headers = { host: `127.0.0.1:${target.port}`, ...target.headers };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  if (body !== undefined) {
    lines.push(`content-length: ${body.length}\r\n`);
  }
  const rest = Buffer.concat([Buffer.from(`${lines.join("")}\r\n`), body ?? Buffer.alloc(0)]);
  const requestTo = (to: string): Buffer => Buffer.concat([Buffer.from(`${method} ${to} HTTP/1.1\r\n`), rest]);
  if (varying === undefined) {
    const request = requestTo(path);
    return () => request;
  }
  return () => requestTo(varying(lane));
}
