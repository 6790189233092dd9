import { expect, it, vi } from "vitest";
import type { ActorCall, ActorHost } from "../../app/actor-host.ts";
import { actorErrors } from "../../errors/catalogue/actors.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import type { ActorsBlock } from "./actors-block.ts";
import { LazyActors } from "./lazy-actors.ts";
import type { HostedActors } from "./types.ts";

const CALL: ActorCall = {
  type: "cat",
  id: "tom",
  method: "meow",
  verb: "POST",
  query: "",
  headers: [],
  contentType: "",
  body: new Uint8Array(0),
};
const CLOSED = { entry: actorErrors.closed };
const REF = { type: "cat", id: "tom" };

function hosting(...types: string[]): HostedActors {
  const settings = { idleMs: 1, reentrancy: { enabled: false, stackDepthMax: 1 }, drainMs: undefined };
  return {
    types: new Map(types.map((type) => [type, settings])),
    drainMs: 1,
    drainRebalanced: true,
    host: {} as ActorHost,
  };
}

/** What the block beneath was asked, in order. */
function bench(load?: () => Promise<ActorsBlock>) {
  const asked: string[] = [];
  const inner = {
    call: () => Promise.resolve(void asked.push("call")),
    start: () => void asked.push("start"),
    register: (hosted: HostedActors | undefined) =>
      void asked.push(`register ${[...(hosted?.types.keys() ?? [])].join(" ")}`),
    unregister: () => Promise.resolve(void asked.push("unregister")),
    createTimer: () => void asked.push("createTimer"),
    checkAccess: () => void asked.push("checkAccess"),
    status: () => ({ status: "RUNNING", active: [], hostReady: false, placement: "" }),
    close: () => Promise.resolve(void asked.push("close")),
    reminders: { get: () => Promise.resolve(void asked.push("get reminder")) },
  } as unknown as ActorsBlock;
  const actors = new LazyActors({
    disseminationTimeoutMs: 30_000,
    load: load ?? (() => Promise.resolve(inner)),
    logger: silentLogger,
  });
  return { actors, asked };
}

it("loads nothing for an app without actors, and says that it runs", async () => {
  const { actors, asked } = bench();
  actors.start();
  expect(actors.status()).toMatchObject({ status: "INITIALIZING" });
  actors.register(undefined);
  expect(actors.status()).toMatchObject({ status: "RUNNING", hostReady: true, placement: "placement: connected" });
  actors.checkAccess("cat");
  actors.deleteTimer(REF, "none");
  await actors.close();
  expect(asked).toEqual([]);
});

it("loads with the first call, and hands on what the app has said before", async () => {
  const { actors, asked } = bench();
  actors.start();
  actors.register(undefined);
  await Promise.all([actors.call(CALL), actors.reminders.get(REF, "wake")]);
  expect(asked).toEqual(["start", "register ", "call", "get reminder"]);
  await actors.close();
  expect(asked.at(-1)).toBe("close");
});

it.each(["before the start", "after the start"])("loads for an app that hosts actors, told %s", async (when) => {
  const { actors, asked } = bench();
  const hosted = hosting("cat");
  if (when === "before the start") {
    actors.register(hosted);
    actors.start();
  } else {
    actors.start();
    actors.register(hosted);
  }
  await vi.waitFor(() => expect(asked).toEqual(["start", "register cat"]), { timeout: 8_000 });
  actors.createTimer({ ...REF, name: "t", callback: "", dueTime: "", period: "", ttl: "", data: undefined });
  await actors.unregister(hosted);
  expect(asked.slice(2)).toEqual(["createTimer", "unregister"]);
});

it("refuses timers of actors that nobody hosts here, as when it is loaded", () => {
  const { actors } = bench();
  actors.start();
  const timer = { ...REF, name: "t", callback: "", dueTime: "", period: "", ttl: "", data: undefined };
  expect(() => actors.createTimer(timer)).toThrow("can't create timer for actor cat||tom: actor type not registered");
});

it("is closed before the start and after the end", async () => {
  const { actors, asked } = bench();
  await expect(actors.call(CALL)).rejects.toMatchObject(CLOSED);
  actors.start();
  await actors.close();
  expect(() => actors.checkAccess("cat")).toThrow();
  await expect(actors.call(CALL)).rejects.toMatchObject(CLOSED);
  expect(asked).toEqual([]);
});

it("closes what was being loaded when it was closed", async () => {
  const loading = Promise.withResolvers<ActorsBlock>();
  const { actors } = bench(() => loading.promise);
  actors.start();
  const called = actors.call(CALL);
  const closed = actors.close();
  const inner = { start: vi.fn(), close: vi.fn() };
  loading.resolve(inner as unknown as ActorsBlock);
  await expect(called).rejects.toMatchObject(CLOSED);
  await closed;
  expect(inner.start).not.toHaveBeenCalled();
  expect(inner.close).toHaveBeenCalledOnce();
});

it("says at every call what kept the actors from starting", async () => {
  const inner = {
    start: () => {
      throw new Error("detected duplicate actor state store: a and b");
    },
    close: () => Promise.resolve(),
  };
  const { actors } = bench(() => Promise.resolve(inner as unknown as ActorsBlock));
  actors.start();
  await expect(actors.call(CALL)).rejects.toThrow("detected duplicate actor state store: a and b");
  await expect(actors.call(CALL)).rejects.toThrow("detected duplicate actor state store: a and b");
});
