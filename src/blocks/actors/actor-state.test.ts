import { describe, expect, it } from "vitest";
import type { ActorRef } from "../../app/actor-host.ts";
import { ComponentError } from "../../components/spi/errors.ts";
import { NEVER_CANCELLED } from "../../kit/cancel-signal.ts";
import type { Logger } from "../../kit/logger.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { nextTurn } from "../../kit/turn.ts";
import { PolicyError } from "../../resiliency/policy-error.ts";
import type { Policy } from "../../resiliency/types.ts";
import { actorStore, DistantStore, type Mishap, StateHost } from "./actor-state.fixture.ts";
import { WAITING_COMMITS_MAX } from "./limits.ts";

const A = { type: "t", id: "a" };
const FENCE = "app||t||a||outrigger.fence";
const coded = (code: string): unknown =>
  expect.objectContaining({ entry: expect.objectContaining({ code }) as unknown });
const FENCED: unknown = expect.objectContaining({
  httpStatus: 409,
  message: expect.stringContaining("actor t||a") as unknown,
});

function setUp(fenced = true) {
  const store = new DistantStore(fenced);
  return { store, here: new StateHost(store), there: new StateHost(store) };
}

const countUp = async (host: StateHost, ref: ActorRef): Promise<void> => {
  const count = Number((await host.read(ref, "n")) ?? 0);
  await host.write(ref, { n: String(count + 1) });
};

const failOnce = (store: DistantStore, mishap: Mishap): void => {
  let failures = 1;
  store.mishap = (kind) => (kind === "transact" && failures-- > 0 ? mishap : "none");
};

/** Tries once more, whatever went wrong. */
const TWICE: Policy = {
  repeats: true,
  run: (attempt) => attempt(NEVER_CANCELLED, 1).catch(() => attempt(NEVER_CANCELLED, 2)),
};

const breaker = (isOpen: () => boolean): Policy => ({
  repeats: false,
  run: (attempt) => (isOpen() ? Promise.reject(new PolicyError("breakerOpen")) : attempt(NEVER_CANCELLED, 1)),
});

describe("the fence row", () => {
  it("is read once for each activation, before anything else of the actor, and moved on by each transaction", async () => {
    const { store, here } = setUp();
    await here.turn(A, () => countUp(here, A));
    const first = store.rows.get(FENCE);
    expect(first).toMatch(/^"[0-9a-f-]{36}-1"$/);
    await here.turn(A, () => countUp(here, A));
    expect(store.rows.get(FENCE)).toBe(first?.replace(/1"$/, '2"'));
    expect(store.calls).toEqual([
      `get ${FENCE}`,
      "get app||t||a||n",
      "transactFenced",
      "get app||t||a||n",
      "transactFenced",
    ]);
  });

  it("lets nothing be read while a transaction of the same activation is under way, whoever has begun that", async () => {
    const { store, here } = setUp();
    await here.turn(A, () => countUp(here, A));
    const arrives = Promise.withResolvers<void>();
    store.pass = () => arrives.promise;
    await here.turn(A, async () => {
      const left = here.write(A, { n: "2" });
      await nextTurn();
      const reading = here.read(A, "n");
      await nextTurn();
      expect(store.calls.at(-1)).toBe("transactFenced");
      arrives.resolve();
      await left;
      expect(await reading).toBe("2");
    });
  });

  it("is there only of actors that have written", async () => {
    const { store, here } = setUp();
    await here.turn(A, () => here.read(A, "n"));
    await here.turn({ type: "t", id: "b" }, () => Promise.resolve());
    expect([...store.rows]).toEqual([]);
  });

  it("is not looked at for actors that are not active here", async () => {
    const { store, here, there } = setUp();
    await here.turn(A, () => countUp(here, A));
    store.calls.length = 0;
    expect(await there.read(A, "n")).toBe("1");
    expect(store.calls).toEqual(["get app||t||a||n"]);
  });

  it("is waited for by all that is read at first, and read again when that has failed", async () => {
    const { store, here } = setUp();
    store.rows.set("app||t||a||n", "7");
    await here.turn(A, async () => {
      let failures = 1;
      store.mishap = () => (failures-- > 0 ? "lost" : "none");
      await expect(here.read(A, "n")).rejects.toEqual(coded("ERR_ACTOR_STATE_GET"));
      expect(await Promise.all([here.read(A, "n"), here.read(A, "m")])).toEqual(["7", undefined]);
    });
    expect(store.calls).toEqual([`get ${FENCE}`, `get ${FENCE}`, "get app||t||a||n", "get app||t||a||m"]);
  });

  it("belongs to the runtime", async () => {
    const { store, here } = setUp();
    await here.turn(A, async () => {
      const refused = coded("ERR_ACTOR_STATE_KEY_RESERVED");
      await expect(here.write(A, { "outrigger.fence": "1" })).rejects.toEqual(refused);
      const erased = here.state.transact(A, [{ kind: "delete", key: "outrigger.fence", etag: undefined }]);
      await expect(erased).rejects.toEqual(refused);
    });
    expect(store.calls).toEqual([]);
  });

  it("is not for types of the workflow engine, whose own row does the same", async () => {
    const { store, here } = setUp();
    const workflow = { type: "dapr.internal.t", id: "a" };
    await here.turn(workflow, () => countUp(here, workflow));
    expect([...store.rows]).toEqual([["app||dapr.internal.t||a||n", "1"]]);
  });

  it("counts as one operation of those that a store takes", async () => {
    const { store, here } = setUp();
    store.transactionOperationsMax = 2;
    await here.turn(A, async () => {
      await here.write(A, { a: "1" });
      await expect(here.write(A, { a: "1", b: "1" })).rejects.toThrow("more operations than supported");
    });
  });
});

describe("an activation that another one has overtaken", () => {
  it("cannot commit, and its turn fails whatever the app makes of it", async () => {
    const { store, here, there } = setUp();
    const outcome = here.turn(A, async () => {
      expect(await here.read(A, "n")).toBeUndefined();
      await there.turn(A, () => countUp(there, A));
      await expect(here.write(A, { n: "1" })).rejects.toEqual(FENCED);
      await expect(here.read(A, "n")).rejects.toEqual(FENCED);
      expect(here.active.isActive(A)).toBe(true);
      return "all is well";
    });
    await expect(outcome).rejects.toEqual(coded("ERR_ACTOR_STATE_FENCED"));
    expect(here.refusals).toEqual(["t fence"]);
    expect([here.active.isActive(A), here.deactivated]).toEqual([false, ["t||a"]]);
    await here.turn(A, () => countUp(here, A));
    expect(store.rows.get("app||t||a||n")).toBe("2");
  });

  it("fails with that though the app fails with something else", async () => {
    const { here, there } = setUp();
    const outcome = here.turn(A, async () => {
      await here.read(A, "n");
      await there.turn(A, () => countUp(there, A));
      await here.write(A, { n: "1" }).catch(() => undefined);
      throw new Error("the app's own");
    });
    await expect(outcome).rejects.toEqual(FENCED);
  });

  it("is over at once when no turn is under way", async () => {
    const { here, there } = setUp();
    await here.turn(A, () => here.read(A, "n"));
    await there.turn(A, () => countUp(there, A));
    await expect(here.write(A, { n: "1" })).rejects.toEqual(FENCED);
    expect([here.active.isActive(A), here.deactivated]).toEqual([false, ["t||a"]]);
  });

  it("is over when its outermost call is, and the calls within fail too", async () => {
    const { here, there } = setUp();
    const order: string[] = [];
    const outer = here.turn(
      A,
      async () => {
        await here.read(A, "n");
        await there.turn(A, () => countUp(there, A));
        await expect(here.turn(A, () => here.write(A, { n: "1" }), "chain")).rejects.toEqual(FENCED);
        await expect(here.turn(A, () => Promise.resolve(order.push("within")), "chain")).rejects.toEqual(FENCED);
        order.push(`active: ${here.active.isActive(A)}`);
      },
      "chain",
    );
    await expect(outer).rejects.toEqual(FENCED);
    expect([order, here.deactivated]).toEqual([["active: true"], ["t||a"]]);
  });

  it("sends those that wait for their turn to the next activation", async () => {
    const { here, there } = setUp();
    const broken = Promise.withResolvers<void>();
    const outcome = here.turn(A, async () => {
      await here.read(A, "n");
      await there.turn(A, () => countUp(there, A));
      await expect(here.write(A, { n: "1" })).rejects.toEqual(FENCED);
      await broken.promise;
    });
    await nextTurn();
    const waiting = here.turn(A, () => Promise.resolve("never"));
    await nextTurn();
    broken.resolve();
    await expect(waiting).rejects.toThrow("actor t||a is closed");
    await expect(outcome).rejects.toEqual(FENCED);
  });

  it("may still read what it likes of other actors", async () => {
    const { store, here } = setUp();
    store.rows.set("app||t||b||n", "3");
    await here.turn(A, async () => expect(await here.read({ type: "t", id: "b" }, "n")).toBe("3"));
  });
});

describe("transactions of one activation", () => {
  it("do not overtake each other", async () => {
    const { store, here } = setUp();
    let within = 0;
    store.pass = async () => {
      await nextTurn();
      expect(within).toBeLessThan(2);
    };
    store.onWrite = () => (within += 1);
    await here.turn(A, async () => {
      await Promise.all(["a", "b", "c"].map((key) => here.write(A, { [key]: "1" }).then(() => (within -= 1))));
    });
    expect(store.rows.get(FENCE)).toMatch(/-3"$/);
  });

  it("wait only in a certain number", async () => {
    const { store, here } = setUp();
    const answer = Promise.withResolvers<void>();
    await here.turn(A, async () => {
      await here.read(A, "n");
      store.pass = () => answer.promise;
      const all = Array.from({ length: WAITING_COMMITS_MAX + 1 }, () => here.write(A, { n: "1" }));
      await nextTurn();
      await expect(here.write(A, { n: "1" })).rejects.toThrow("1000 transactions of this actor wait already");
      answer.resolve();
      await Promise.all(all);
    });
  });

  it("are refused once the actor is deactivated, though they came before", async () => {
    const { store, here } = setUp();
    const answer = Promise.withResolvers<void>();
    await here.active.activate(A);
    store.pass = () => answer.promise;
    const first = here.write(A, { n: "1" });
    await nextTurn();
    void here.active.halt(() => false);
    answer.resolve();
    await expect(first).rejects.toEqual(coded("ERR_ACTOR_INSTANCE_MISSING"));
    expect([...store.rows]).toEqual([]);
  });

  it("are refused without the lease, and the activation is over", async () => {
    const store = new DistantStore(true);
    let holds = true;
    const here = new StateHost(store, { lease: { holds: () => holds } });
    await here.turn(A, () => countUp(here, A));
    holds = false;
    await expect(here.turn(A, () => countUp(here, A))).rejects.toEqual(FENCED);
    expect([store.rows.get("app||t||a||n"), here.deactivated]).toEqual(["1", ["t||a"]]);
    expect(here.refusals).toEqual(["t lease"]);
  });

  it("are refused after another store has taken the place of the one that was read", async () => {
    const { here } = setUp();
    await here.turn(A, () => countUp(here, A));
    const next = new DistantStore(true);
    here.exchange(undefined);
    here.exchange(actorStore(next));
    await expect(here.turn(A, () => countUp(here, A))).rejects.toThrow("the actor state store has been exchanged");
    await here.turn(A, () => countUp(here, A));
    expect(next.rows.get("app||t||a||n")).toBe("1");
  });
});

describe("a store that takes the place of another while actors are active", () => {
  it("is gone on with where it holds what was left, as after a change of its settings", async () => {
    const { store, here } = setUp();
    await here.turn(A, () => countUp(here, A));
    here.exchange(actorStore(store));
    await here.turn(A, () => countUp(here, A));
    expect([store.rows.get("app||t||a||n"), here.deactivated]).toEqual(["2", []]);
  });

  it("is gone on with where it is empty", async () => {
    const { here } = setUp();
    await here.turn(A, () => countUp(here, A));
    const next = new DistantStore(true);
    here.exchange(actorStore(next));
    await here.turn(A, () => countUp(here, A));
    expect([next.rows.get("app||t||a||n"), here.deactivated]).toEqual(["1", []]);
  });

  it("ends the activation where somebody else has written", async () => {
    const { here } = setUp();
    await here.turn(A, () => countUp(here, A));
    const next = new DistantStore(true);
    const elsewhere = new StateHost(next);
    await elsewhere.turn(A, () => countUp(elsewhere, A));
    here.exchange(actorStore(next));
    await expect(here.turn(A, () => countUp(here, A))).rejects.toThrow("exchanged for one with another state");
    expect([next.rows.get("app||t||a||n"), here.refusals]).toEqual(["1", ["t exchange"]]);
    await here.turn(A, () => countUp(here, A));
    expect(next.rows.get("app||t||a||n")).toBe("2");
  });
});

describe("a store that does not answer", () => {
  it("is asked what the fence holds: a transaction that was written is a success", async () => {
    const { store, here } = setUp();
    await here.turn(A, () => countUp(here, A));
    failOnce(store, "unanswered");
    await here.turn(A, () => countUp(here, A));
    await here.turn(A, () => countUp(here, A));
    expect([store.rows.get("app||t||a||n"), here.deactivated]).toEqual(["3", []]);
  });

  it("leaves the activation as it was where the fence has not moved", async () => {
    const { store, here } = setUp();
    failOnce(store, "lost");
    await here.turn(A, async () => {
      await expect(countUp(here, A)).rejects.toEqual(coded("ERR_ACTOR_STATE_TRANSACTION_SAVE"));
      await countUp(here, A);
    });
    expect([store.rows.get("app||t||a||n"), here.deactivated]).toEqual(["1", []]);
  });

  it("ends the activation when the fence cannot be read", async () => {
    const { store, here } = setUp();
    await here.turn(A, () => countUp(here, A));
    const outcome = here.turn(A, async () => {
      await here.read(A, "n");
      store.mishap = () => "unanswered";
      await here.write(A, { n: "2" });
    });
    await expect(outcome).rejects.toEqual(coded("ERR_ACTOR_STATE_UNCERTAIN"));
    await expect(outcome).rejects.toThrow(
      "it is not known whether the transaction was written: no answer; actor t||a is deactivated",
    );
    expect([here.deactivated, here.refusals]).toEqual([["t||a"], ["t uncertain"]]);
  });

  it("has not been overtaken by the first attempt of two", async () => {
    const store = new DistantStore(true);
    const here = new StateHost(store, { policies: { component: () => TWICE } });
    await here.turn(A, () => countUp(here, A));
    failOnce(store, "unanswered");
    await here.turn(A, () => countUp(here, A));
    expect([store.rows.get("app||t||a||n"), here.deactivated]).toEqual(["2", []]);
  });

  it("was not asked at all where a policy lets nothing through: the activation goes on", async () => {
    const store = new DistantStore(true);
    let isOpen = false;
    const here = new StateHost(store, { policies: { component: () => breaker(() => isOpen) } });
    await here.turn(A, () => countUp(here, A));
    isOpen = true;
    await here.turn(A, async () => {
      await expect(here.write(A, { n: "2" })).rejects.toThrow("circuit breaker is open");
    });
    isOpen = false;
    await here.turn(A, () => countUp(here, A));
    expect([store.rows.get("app||t||a||n"), here.deactivated]).toEqual(["2", []]);
  });

  it("knows nothing of a transaction that it refuses for another reason than the fence", async () => {
    const { store, here } = setUp();
    store.onWrite = () => {
      throw new ComponentError("etagMismatch", "stale");
    };
    await here.turn(A, async () => {
      await expect(here.write(A, { n: "1" })).rejects.toThrow("error saving actor transaction state: stale");
    });
    expect([store.calls, here.deactivated]).toEqual([[`get ${FENCE}`, "transactFenced"], []]);
  });
});

describe("a store that cannot fence", () => {
  it("is used as it is, and said to be so", async () => {
    const store = new DistantStore(false);
    const warnings: string[] = [];
    const logger: Logger = { ...silentLogger, warn: (text) => void warnings.push(text), scope: () => logger };
    const here = new StateHost(store, { logger });
    await here.turn(A, () => countUp(here, A));
    expect([...store.rows]).toEqual([["app||t||a||n", "1"]]);
    expect(store.calls).toEqual(["get app||t||a||n", "transact"]);
    expect(warnings).toEqual([expect.stringContaining("The actor state store 'store' (state.distant) cannot fence")]);
  });

  it("is not written to without the lease either", async () => {
    const here = new StateHost(new DistantStore(false), { lease: { holds: () => false } });
    await expect(here.turn(A, () => countUp(here, A))).rejects.toEqual(FENCED);
  });
});
