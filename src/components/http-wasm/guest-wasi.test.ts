import { expect, it } from "vitest";
import { GuestMemory } from "./guest-memory.ts";
import { GuestExit, GuestOutput, strictSources, wasiImports } from "./guest-wasi.ts";

const PAGE_BYTES = 65_536;

function setUp() {
  const buffer = new ArrayBuffer(PAGE_BYTES);
  const memory = new GuestMemory();
  memory.memory = { buffer };
  const output = new GuestOutput();
  const names = [
    "fd_write",
    "clock_time_get",
    "random_get",
    "proc_exit",
    "path_open",
    "poll_oneoff",
    "environ_sizes_get",
    "constructor",
  ];
  const wasi = wasiImports(memory, strictSources(5_000_000_000n), output, names) as Record<
    string,
    (...args: unknown[]) => number
  >;
  const call = (name: string, ...args: unknown[]): number | undefined => wasi[name]?.(...args);
  return { call, output, view: new DataView(buffer), bytes: new Uint8Array(buffer), memory };
}

it("what a guest prints is kept, up to a limit", () => {
  const { call, output, view, bytes } = setUp();
  bytes.set(Buffer.from("hello"), 100);
  view.setUint32(0, 100, true);
  view.setUint32(4, 3, true);
  view.setUint32(8, 103, true);
  view.setUint32(12, 2, true);
  expect([call("fd_write", 1, 0, 2, 32), view.getUint32(32, true)]).toEqual([0, 5]);
  expect(call("fd_write", 7, 0, 2, 32)).toBe(8);
  view.setUint32(4, 40_000, true);
  call("fd_write", 2, 0, 1, 32);
  expect([output.take("stdout"), output.take("stderr").length, output.take("stderr")]).toEqual([
    "hello",
    16 * 1024 - 5,
    "",
  ]);
});

it("the strict sandbox has clocks that only count and the same random bytes each time", () => {
  const read = (): unknown[] => {
    const { call, view, bytes } = setUp();
    call("clock_time_get", 0, 0n, 0);
    call("clock_time_get", 1, 0n, 8);
    call("clock_time_get", 1, 0n, 16);
    call("random_get", 24, 8);
    return [0, 8, 16].map((at) => view.getBigUint64(at, true)).concat([...bytes.subarray(24, 32)].map(BigInt));
  };
  const first = read();
  expect(first.slice(0, 3)).toEqual([5_001_000_000n, 1_000_000n, 2_000_000n]);
  expect(new Set(first.slice(3)).size).toBeGreaterThan(4);
  expect(read()).toEqual(first);
});

it("sleeping takes no time, and what is not there is not supported", () => {
  const { call, view } = setUp();
  view.setBigUint64(0, 77n, true);
  expect([call("poll_oneoff", 0, 200, 1, 300), view.getBigUint64(200, true), view.getUint32(300, true)]).toEqual([
    0,
    77n,
    1,
  ]);
  expect([call("path_open"), call("constructor"), call("sock_open")]).toEqual([52, 52, undefined]);
  expect(() => call("proc_exit", 3)).toThrow(GuestExit);
});

it("nothing beyond the guest's memory is read or written", () => {
  const { call, memory, view } = setUp();
  view.setUint32(0, PAGE_BYTES - 1, true);
  view.setUint32(4, 2, true);
  expect(() => call("fd_write", 1, 0, 1, 32)).toThrow("out of memory");
  expect(() => call("random_get", -1, 10)).toThrow("out of memory");
  expect(() => memory.writeText("long", PAGE_BYTES - 2, 10)).toThrow("out of memory");
  expect(() => call("environ_sizes_get", PAGE_BYTES, 0)).toThrow(RangeError);
});
