import { expect, test } from "vitest";
import { resolveTransportOptions } from "../limits.ts";
import { Patience, type Sending, type Watched } from "./patience.ts";

const OPTIONS = resolveTransportOptions({
  handshakeTimeoutMs: 1_000,
  keepaliveMs: 2_000,
  keepaliveTimeoutMs: 3_000,
  frameTimeoutMs: 4_000,
  stallTimeoutMs: 5_000,
  slowReaderTimeoutMs: 2_000,
  slowReaderBytesPerS: 100,
  sendQueueBytesMax: 10_000,
});

class Scene implements Watched, Sending {
  settingsReceived = true;
  busy = false;
  unfinished = 0;
  blocked = false;
  queuedBytes = 0;
  sentBytes = 0;
  progressed = false;
  unopened = 0;
  keepalives = 0;
  readonly patience = new Patience(OPTIONS, this, this);

  unopenedBytes(): number {
    return this.unopened;
  }

  sendKeepalive(): void {
    this.keepalives += 1;
  }

  /** Seconds until the peer is cut off and for what; undefined: not within a minute. */
  run(eachSecond: (second: number) => void = () => undefined): [seconds: number, kind: string] | undefined {
    for (let second = 1; second <= 60; second += 1) {
      eachSecond(second);
      const fault = this.patience.passed(1_000);
      if (fault !== undefined) return [second, fault.kind];
    }
    return undefined;
  }
}

test("a quiet connection without streams is kept, and gets no PING", () => {
  const scene = new Scene();
  expect(scene.run()).toBeUndefined();
  expect(scene.keepalives).toBe(0);
});

test("SETTINGS must come", () => {
  const scene = new Scene();
  scene.settingsReceived = false;
  expect(scene.run()).toEqual([1, "handshake_timeout"]);
});

test("a busy connection gets a PING, and must be heard after it", () => {
  const scene = new Scene();
  scene.busy = true;
  expect(scene.run()).toEqual([5, "keepalive_timeout"]);
  expect(scene.keepalives).toBe(1);
});

test("whatever is heard keeps it alive", () => {
  const scene = new Scene();
  scene.busy = true;
  const ending = scene.run((second) => {
    if (second % 3 === 0) scene.patience.heard = true;
  });
  expect(ending).toBeUndefined();
  expect(scene.keepalives).toBeGreaterThan(10);
});

test("one frame may not stay unfinished, but each may take its time", () => {
  const scene = new Scene();
  scene.unfinished = 7;
  expect(scene.run()).toEqual([5, "frame_timeout"]);
  const busy = new Scene();
  expect(busy.run((second) => (busy.unfinished = Math.ceil(second / 3)))).toBeUndefined();
});

test("what waits must find room at last; an empty frame counts as well", () => {
  const scene = new Scene();
  scene.queuedBytes = 1;
  expect(scene.run()).toEqual([5, "slow_reader"]);
  const blocked = new Scene();
  blocked.blocked = true;
  expect(blocked.run()).toEqual([5, "slow_reader"]);
  const stalled = new Scene();
  stalled.queuedBytes = 1;
  stalled.progressed = true;
  expect(stalled.run()).toEqual([6, "slow_reader"]);
  const crumbs = new Scene();
  crumbs.queuedBytes = 1;
  expect(crumbs.run(() => (crumbs.progressed = true))).toBeUndefined();
});

test("streams that wait to be opened wait for no room", () => {
  const scene = new Scene();
  scene.queuedBytes = 20_000;
  scene.unopened = 20_000;
  expect(scene.run()).toBeUndefined();
});

test("much that waits must go out at some pace", () => {
  const send = (scene: Scene, bytesPerS: number) => () => {
    scene.progressed = true;
    scene.sentBytes += bytesPerS;
  };
  const slow = new Scene();
  slow.queuedBytes = 10_001;
  expect(slow.run(send(slow, 99))).toEqual([2, "slow_reader"]);
  const honest = new Scene();
  honest.queuedBytes = 10_001;
  expect(honest.run(send(honest, 100))).toBeUndefined();
  const small = new Scene();
  small.queuedBytes = 10_000;
  expect(small.run(send(small, 1))).toBeUndefined();
});
