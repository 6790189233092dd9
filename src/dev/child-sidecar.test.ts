import { expect, it } from "vitest";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { FakeApp } from "./app-unit.fixture.ts";
import { startChildSidecar } from "./child-sidecar.ts";
import type { SidecarClient } from "./sidecar-client.ts";

const ports = { http: 3500, grpc: 1, internalGrpc: 2, metrics: 3 };

function setUp() {
  const clock = new VirtualClock();
  const answers = { isOpen: false, isReady: false };
  let say: (line: string) => void = () => undefined;
  const child = new FakeApp(7, () => undefined);
  const sidecar = startChildSidecar({
    ports,
    clock,
    client: {
      isOpen: async () => answers.isOpen,
      isReady: async () => answers.isReady,
    } as unknown as SidecarClient,
    launch: (onLine) => {
      say = onLine;
      return child;
    },
  });
  const pass = async (ms: number): Promise<void> => {
    for (let leftMs = ms; leftMs > 0; leftMs -= 50) {
      for (let turn = 0; turn < 10; turn++) {
        await Promise.resolve();
      }
      clock.advance(50);
    }
  };
  return { sidecar, child, answers, pass, say: (line: string) => say(line) };
}

it("has started when its API answers, and attends when it is healthy", async () => {
  const { sidecar, answers, pass } = setUp();
  const seen: string[] = [];
  void sidecar.started.then(() => seen.push("started"));
  await pass(500);
  expect(seen).toEqual([]);
  answers.isOpen = true;
  await pass(100);
  expect(seen).toEqual(["started"]);
  void sidecar.attend().then(() => seen.push("attended"));
  await pass(500);
  expect(seen).toEqual(["started"]);
  answers.isReady = true;
  await pass(100);
  expect(seen).toEqual(["started", "attended"]);
  expect(sidecar.pid).toBe(7);
});

it.each([
  ['time="t" level=fatal msg="Fatal error from runtime: duplicate \\"store\\"" app_id=x', 'duplicate "store"'],
  ['{"app_id":"x","level":"fatal","msg":"Fatal error from runtime: no such file","time":"t"}', "no such file"],
  ["time=t level=fatal msg=failed scope=s", "failed"],
  ["Error: Cannot find module", "Error: Cannot find module"],
])("says why it did not start: %s", async (line, reason) => {
  const { sidecar, child, pass, say } = setUp();
  say('time="t" level=info msg="before"');
  say(line);
  child.exit(1);
  const failed = expect(sidecar.started).rejects.toThrow(reason);
  await pass(100);
  await failed;
  expect(await sidecar.ended).toBe(reason);
});

it("says what ended it where it did not say so itself", async () => {
  const killed = setUp();
  killed.say("a line");
  killed.child.die("SIGKILL");
  expect(await killed.sidecar.ended).toBe("it was ended by SIGKILL");
  const asked = setUp();
  asked.say("a line");
  asked.child.exit(0);
  expect(await asked.sidecar.ended).toBe("it ended with exit code 0");
});
