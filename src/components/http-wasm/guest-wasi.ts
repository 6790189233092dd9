import type { GuestMemory } from "./guest-memory.ts";
import { OUTPUT_BYTES_MAX } from "./limits.ts";

/** Results of WASI preview 1. */
const SUCCESS = 0;
const BAD_DESCRIPTOR = 8;
const INVALID = 28;
const NOT_SUPPORTED = 52;
const SEEK_ON_PIPE = 70;
const CHARACTER_DEVICE = 2;
const STDOUT = 1;
const STDERR = 2;

/** Nanoseconds by which a clock of the strict sandbox goes on with each look. */
const FAKE_TICK_NS = 1_000_000n;

/** The guest has called `proc_exit`. */
export class GuestExit extends Error {
  override readonly name = "GuestExit";
  readonly code: number;

  constructor(code: number) {
    super(`the guest exited with code ${code}`);
    this.code = code;
  }
}

/** Where a guest's clocks and random bytes come from. */
export interface GuestSources {
  /** Nanoseconds of the wall clock and of one that never goes back. */
  wallNs(): bigint;
  monotonicNs(): bigint;
  fillRandom(bytes: Uint8Array): void;
}

/** Sources that tell nothing of the machine: clocks that go on with each look, the same random bytes each time. */
export function strictSources(startNs: bigint): GuestSources {
  let wallNs = startNs;
  let monotonicNs = 0n;
  let seed = 42;
  return {
    wallNs: () => (wallNs += FAKE_TICK_NS),
    monotonicNs: () => (monotonicNs += FAKE_TICK_NS),
    fillRandom(bytes) {
      for (let index = 0; index < bytes.byteLength; index += 1) {
        seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
        bytes[index] = seed >>> 16;
      }
    },
  };
}

/** What a guest has written to stdout and stderr since it was last taken; more than the limit is left out. */
export class GuestOutput {
  readonly #pieces = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  #bytes = 0;

  add(stream: "stdout" | "stderr", bytes: Uint8Array): void {
    const room = OUTPUT_BYTES_MAX - this.#bytes;
    if (room > 0 && bytes.byteLength > 0) {
      const piece = Buffer.from(bytes.subarray(0, room));
      this.#pieces[stream].push(piece);
      this.#bytes += piece.byteLength;
    }
  }

  take(stream: "stdout" | "stderr"): string {
    const text = Buffer.concat(this.#pieces[stream]).toString();
    this.#pieces[stream] = [];
    this.#bytes = 0;
    return text;
  }
}

/**
 * `wasi_snapshot_preview1` for a guest without files, arguments, environment or sockets. What is not here answers that it
 * is not supported.
 * @param wanted names of the functions that the guest imports
 */
export function wasiImports(
  memory: GuestMemory,
  sources: GuestSources,
  output: GuestOutput,
  wanted: readonly string[],
): Record<string, (...args: never[]) => unknown> {
  const noneListed = (countAt: number, bytesAt: number): number => {
    memory.view().setUint32(countAt, 0, true);
    memory.view().setUint32(bytesAt, 0, true);
    return SUCCESS;
  };
  const known: Record<string, (...args: never[]) => unknown> = {
    args_get: () => SUCCESS,
    args_sizes_get: noneListed,
    environ_get: () => SUCCESS,
    environ_sizes_get: noneListed,
    clock_res_get(_clock: number, at: number): number {
      memory.view().setBigUint64(at, 1_000n, true);
      return SUCCESS;
    },
    clock_time_get(clock: number, _precision: bigint, at: number): number {
      if (clock !== 0 && clock !== 1) {
        return INVALID;
      }
      memory.view().setBigUint64(at, clock === 0 ? sources.wallNs() : sources.monotonicNs(), true);
      return SUCCESS;
    },
    random_get(at: number, length: number): number {
      sources.fillRandom(memory.bytes(at, length));
      return SUCCESS;
    },
    sched_yield: () => SUCCESS,
    proc_exit(code: number): never {
      throw new GuestExit(code);
    },
    poll_oneoff: (subscriptions: number, events: number, count: number, eventsAt: number) =>
      pollOneoff(memory, subscriptions, events, count, eventsAt),
    fd_write: (descriptor: number, list: number, count: number, writtenAt: number) =>
      fdWrite(memory, output, descriptor, list, count, writtenAt),
    fd_read(descriptor: number, _list: number, _count: number, readAt: number): number {
      memory.view().setUint32(readAt, 0, true);
      return descriptor === 0 ? SUCCESS : BAD_DESCRIPTOR;
    },
    fd_close: (descriptor: number) => (descriptor <= STDERR ? SUCCESS : BAD_DESCRIPTOR),
    fd_seek: (descriptor: number) => (descriptor <= STDERR ? SEEK_ON_PIPE : BAD_DESCRIPTOR),
    fd_fdstat_get(descriptor: number, at: number): number {
      if (descriptor > STDERR) {
        return BAD_DESCRIPTOR;
      }
      memory.bytes(at, 24).fill(0);
      memory.view().setUint8(at, CHARACTER_DEVICE);
      memory.view().setBigUint64(at + 8, descriptor === 0 ? 2n : 64n, true);
      return SUCCESS;
    },
    fd_fdstat_set_flags: (descriptor: number) => (descriptor <= STDERR ? SUCCESS : BAD_DESCRIPTOR),
    fd_prestat_get: () => BAD_DESCRIPTOR,
    fd_prestat_dir_name: () => BAD_DESCRIPTOR,
  };
  return Object.fromEntries(
    wanted.map((name) => [name, Object.hasOwn(known, name) ? (known[name] as () => number) : () => NOT_SUPPORTED]),
  );
}

function fdWrite(
  memory: GuestMemory,
  output: GuestOutput,
  descriptor: number,
  list: number,
  count: number,
  writtenAt: number,
): number {
  if (descriptor !== STDOUT && descriptor !== STDERR) {
    return BAD_DESCRIPTOR;
  }
  const view = memory.view();
  let written = 0;
  for (let index = 0; index < count; index += 1) {
    const length = view.getUint32(list + index * 8 + 4, true);
    output.add(
      descriptor === STDOUT ? "stdout" : "stderr",
      memory.bytes(view.getUint32(list + index * 8, true), length),
    );
    written += length;
  }
  view.setUint32(writtenAt, written, true);
  return SUCCESS;
}

/** Sleeping takes no time: the thread has one request, which should not wait. Every subscription is ready at once. */
function pollOneoff(
  memory: GuestMemory,
  subscriptions: number,
  events: number,
  count: number,
  eventsAt: number,
): number {
  for (let index = 0; index < count; index += 1) {
    const from = subscriptions + index * 48;
    const to = events + index * 32;
    memory.bytes(to, 32).fill(0);
    memory.view().setBigUint64(to, memory.view().getBigUint64(from, true), true);
    memory.view().setUint8(to + 10, memory.view().getUint8(from + 8));
  }
  memory.view().setUint32(eventsAt, count, true);
  return SUCCESS;
}
