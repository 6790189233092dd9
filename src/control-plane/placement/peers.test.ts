import { describe, expect, it } from "vitest";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { nextTurn } from "../../kit/turn.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import { FakeHost, hostOf, settle } from "./fake-host.fixture.ts";
import { FakePeer } from "./fake-peer.fixture.ts";
import { LEASE_MARGIN_MS, LEASE_MS, LEASE_SWEEP_MS, SETTLE_MS } from "./limits.ts";
import type { ProbeHost } from "./peer-watch.ts";
import { placementServiceOn } from "./placement-service.fixture.ts";

const OVER_MS = LEASE_MS + LEASE_MARGIN_MS + LEASE_SWEEP_MS;
const LEASE_GONE = "end 14: the sidecar's lease has run out";

function setUp(probe?: ProbeHost) {
  const clock = new VirtualClock();
  const service = placementServiceOn(clock, { probe });
  const join = (id: string, facts?: ConstructorParameters<typeof FakePeer>[2]): FakePeer =>
    new FakePeer(service, id, facts);
  const daprd = (id: string): FakeHost => new FakeHost((first, sink) => service.open(first, sink), hostOf(id));
  /** Lets time pass while these ask for leases. */
  const pass = (ms: number, ...peers: readonly FakePeer[]): void => {
    for (let passed = 0; passed < ms; passed += 100) {
      clock.advance(100);
      for (const { stream } of peers) {
        stream.askLease(1);
      }
    }
    for (const peer of peers) {
      peer.heard.splice(0, peer.heard.length, ...peer.heard.filter((heard) => heard !== "lease"));
    }
  };
  return { clock, service, join, daprd, pass };
}

/** Two that have agreed on a table. */
function pair(probe?: ProbeHost) {
  const bench = setUp(probe);
  const a = bench.join("a");
  a.apply();
  const b = bench.join("b");
  a.apply();
  b.apply();
  a.news();
  b.news();
  return { ...bench, a, b };
}

describe("a round among sidecars of ours", () => {
  it("has no lock, and is agreed on when all who host have carried the table out", () => {
    const { join } = setUp();
    const a = join("a");
    expect(a.news()).toEqual(["welcome", "table 1: a"]);
    a.apply();
    expect(a.news()).toEqual(["agreed 1"]);
    const b = join("b");
    expect([a.news(), b.news()]).toEqual([["table 2: a, b"], ["welcome", "table 2: a, b"]]);
    b.apply();
    expect(b.news()).toEqual([]);
    a.apply();
    expect([a.news(), b.news()]).toEqual([["agreed 2"], ["agreed 2"]]);
  });

  it("waits for nobody who hosts nothing", () => {
    const { a, b, join } = pair();
    const caller = join("caller", { types: [] });
    expect(caller.news()).toEqual(["welcome", "table 2: a, b", "agreed 2"]);
    expect(a.news()).toEqual([]);
    b.stream.leave();
    a.apply();
    expect([a.news(), caller.news()]).toEqual([
      ["table 3: a", "agreed 3"],
      ["table 3: a", "agreed 3"],
    ]);
  });

  it("waits for those only that may lose actors", () => {
    const { a, b, join } = pair();
    const c = join("c", { types: ["dog"] });
    expect(c.news()).toEqual(["welcome", "table 3: a, b, c", "agreed 3"]);
    const d = join("d", { types: ["dog"] });
    expect([a.news(), b.news(), d.news()]).toEqual([
      ["table 3: a, b, c", "agreed 3", "table 4: a, b, c, d"],
      ["table 3: a, b, c", "agreed 3", "table 4: a, b, c, d"],
      ["welcome", "table 4: a, b, c, d"],
    ]);
    c.apply();
    expect([a.news(), d.news()]).toEqual([["agreed 4"], ["agreed 4"]]);
  });

  it("waits for nobody when one has only gone", () => {
    const { a, b } = pair();
    b.stream.leave();
    expect(a.news()).toEqual(["table 3: a", "agreed 3"]);
  });

  it("waits for one that hosts nothing any more until it has stopped what it had", () => {
    const { a, b } = pair();
    a.stream.report(hostOf("a", []), 1);
    expect(b.news()).toEqual(["table 3: b"]);
    b.apply();
    expect(b.news()).toEqual([]);
    a.apply();
    expect(b.news()).toEqual(["agreed 3"]);
  });

  it("goes on without one that leaves, and the next one tells that it has left", () => {
    const { a, b, join } = pair();
    const c = join("c");
    a.apply();
    c.apply();
    b.stream.leave();
    expect(b.news()).toEqual(["table 3: a, b, c", "end"]);
    expect(a.news()).toEqual(["table 3: a, b, c", "agreed 3", "table 4: a, c", "agreed 4"]);
  });

  it("is the same round for sidecars of Dapr's, which have their lock", () => {
    const { join, daprd } = setUp();
    const [ours, theirs] = [join("ours"), daprd("theirs")];
    ours.apply();
    expect([ours.news(), theirs.news()]).toEqual([["welcome", "table 1: ours", "agreed 1"], ["lock 2"]]);
    theirs.answer();
    expect([ours.news(), theirs.news()]).toEqual([["table 2: ours, theirs"], ["update 2: cat@ours, cat@theirs"]]);
    theirs.answer();
    expect(theirs.news()).toEqual([]);
    ours.apply();
    expect([ours.news(), theirs.news()]).toEqual([["agreed 2"], ["unlock 2"]]);
    settle(theirs);
  });
});

describe("a lease", () => {
  it("is granted when it is asked for", () => {
    const { a } = pair();
    a.stream.askLease(1);
    expect(a.news()).toEqual(["lease"]);
  });

  it("that runs out takes its sidecar out at once, whatever a round waits for", () => {
    const { a, b, join, pass } = pair();
    const c = join("c");
    a.apply();
    c.apply();
    pass(OVER_MS, a, c);
    expect(b.news()).toEqual(["table 3: a, b, c", LEASE_GONE]);
    expect(a.news()).toEqual(["table 3: a, b, c", "agreed 3", "table 4: a, c", "agreed 4"]);
  });

  it("lasts longer here than there, and longer when this process stood still", () => {
    const { a, b, clock } = pair();
    clock.advance(LEASE_MS);
    expect(a.news()).toEqual([]);
    clock.stall(60_000);
    clock.advance(LEASE_SWEEP_MS);
    a.stream.askLease(1);
    b.stream.askLease(1);
    clock.advance(LEASE_MS);
    expect([a.news(), b.news()]).toEqual([["lease"], ["lease"]]);
  });

  it("without end is for those who live in this process", () => {
    const { service, clock } = setUp();
    const heard: string[] = [];
    const sink = { send: () => undefined, end: () => heard.push("end") };
    const host = hostOf("a");
    const stream = service.openPeer(
      { host, incarnation: "1", held: undefined, askedMs: 1 },
      sink,
      Number.POSITIVE_INFINITY,
    );
    stream.applied(1);
    clock.advance(3_600_000);
    expect([heard, service.state().size]).toEqual([[], 1]);
    stream.lost();
    clock.advance(OVER_MS);
    expect(service.state().size).toBe(0);
  });
});

describe("a stream that breaks", () => {
  it("changes nothing while the lease lives, and the next one goes on where it was", () => {
    const { a, b, join } = pair();
    b.stream.lost();
    const again = join("b", { held: { version: 2, hosts: [] } });
    expect([a.news(), again.news()]).toEqual([[], ["welcome back", "table 2: a, b", "agreed 2", "lease"]]);
    b.stream.leave();
    expect(a.news()).toEqual([]);
  });

  it("holds up the round that waits for it, until its sidecar is back", () => {
    const { a, b, join } = pair();
    b.stream.lost();
    const c = join("c");
    a.apply();
    c.apply();
    expect(c.news()).toEqual(["welcome", "table 3: a, b, c"]);
    const again = join("b", { held: { version: 2, hosts: [] } });
    expect(again.news()).toEqual(["welcome back", "table 3: a, b, c", "lease"]);
    again.apply();
    expect([c.news(), again.news()]).toEqual([["agreed 3"], ["agreed 3"]]);
  });

  it("is given up for a newer one of the same sidecar, of which it may not have heard", () => {
    const { b, join } = pair();
    join("b", { held: { version: 2, hosts: [] } });
    expect(b.news()).toEqual(["end 14: the sidecar has opened another stream"]);
  });

  it("of a sidecar that hosts nothing is its end", () => {
    const { a, join, service } = pair();
    join("caller", { types: [] }).stream.lost();
    a.stream.leave();
    expect(
      service
        .state()
        .get("default")
        ?.hosts.map(({ id }) => id),
    ).toEqual(["b"]);
  });

  it("is the end of a process that is not there any more, if it could be reached before", async () => {
    let found: Awaited<ReturnType<ProbeHost>> = "open";
    const { a, b } = pair(async () => found);
    await nextTurn();
    found = "refused";
    b.stream.lost();
    expect(a.news()).toEqual([]);
    await nextTurn();
    expect(a.news()).toEqual(["table 3: a", "agreed 3"]);
  });

  it("is looked after for as long as its process may still be going", async () => {
    let found: Awaited<ReturnType<ProbeHost>> = "open";
    const { a, b, clock } = pair(async () => found);
    await nextTurn();
    b.stream.lost();
    await nextTurn();
    found = "refused";
    clock.advance(LEASE_SWEEP_MS);
    await nextTurn();
    expect(a.news()).toEqual(["table 3: a", "agreed 3"]);
  });

  it.each(["open", "unknown", "refused"] as const)(
    "is not its end where the address never could be reached, or can be still: %s",
    async (found) => {
      const answers = [found === "refused" ? "refused" : "open", found === "refused" ? "refused" : "open"] as const;
      let asked = 0;
      const { a, b } = pair(async () => answers[asked++] ?? found);
      await nextTurn();
      b.stream.lost();
      await nextTurn();
      expect(a.news()).toEqual([]);
    },
  );
});

it.each([
  ["no address", { name: "" }, "1"],
  ["no name for the period", {}, ""],
  ["a namespace that is none", { namespace: "" }, "1"],
])("refuses a sidecar with %s", (_, host, incarnation) => {
  const { service } = setUp();
  const sink = { send: () => undefined, end: () => undefined };
  const report = { host: hostOf("a", ["cat"], host), incarnation, held: undefined, askedMs: 1 };
  expect(() => service.openPeer(report, sink)).toThrow("must be provided");
  expect(service.state().size).toBe(0);
});

it("refuses a report from another address", () => {
  const { a } = pair();
  expect(() => a.stream.report(hostOf("b"), 1)).toThrow("the address of a stream cannot change");
});

it("takes another process at the same address for the end of the one before", () => {
  const { a, b, join } = pair();
  const restarted = join("b", { incarnation: "b-2" });
  expect(b.news()).toEqual(["end 14: another sidecar has come to the same address"]);
  expect([a.news(), restarted.news()]).toEqual([
    ["table 3: a, b", "agreed 3"],
    ["welcome", "table 3: a, b", "agreed 3"],
  ]);
});

describe("another app at the address of a sidecar", () => {
  const atB = hostOf("a", ["cat"], { name: hostOf("b").name });
  const sink = { send: () => undefined, end: () => undefined };
  const impostor = { host: atB, incarnation: "b-1", held: undefined, askedMs: 1 };

  it("takes nothing from it while it is connected", () => {
    const { service, b } = pair();
    const refusal = "the address b.test:50002 is that of app ID b, whose sidecar is connected";
    expect(() => service.openPeer(impostor, sink)).toThrow(refusal);
    expect(() => service.open(atB, sink)).toThrow(refusal);
    expect(b.news()).toEqual([]);
    b.stream.askLease(7);
    expect(b.news()).toEqual(["lease"]);
  });

  it("comes in its place when its stream has broken", () => {
    const { service, b } = pair();
    b.stream.lost();
    service.openPeer({ ...impostor, incarnation: "a-2" }, sink);
    expect(
      service
        .state()
        .get("default")
        ?.hosts.map(({ id, name }) => `${id} at ${name}`),
    ).toContain("a at b.test:50002");
  });
});

it("gives up who takes too long, and waits until its lease is over", () => {
  const { a, b, join, pass } = pair();
  const c = join("c");
  a.apply();
  c.apply();
  a.news();
  pass(8_000, a, b, c);
  expect(b.news()).toEqual(["table 3: a, b, c", "end 4: dissemination timeout after 8s for version 3"]);
  expect(a.news()).toEqual(["table 4: a, c"]);
  a.apply();
  c.apply();
  expect(a.news()).toEqual([]);
  expect(() => join("b", { held: { version: 2, hosts: [] } })).toThrow(GrpcError);
  pass(OVER_MS, a, c);
  expect(a.news()).toEqual(["agreed 4"]);
});

describe("a stream that comes late, of a sidecar that has come anew since", () => {
  it("takes nothing from it before its lease is over", () => {
    const { a, b, join, pass } = pair();
    const late = join("b", { incarnation: "b-0" });
    expect(b.news()).toEqual(["end 14: another sidecar has come to the same address"]);
    late.stream.lost();
    expect(a.news()).toEqual(["table 3: a, b", "agreed 3"]);
    pass(LEASE_MS, a);
    expect(a.news()).toEqual([]);
    pass(OVER_MS, a);
    expect(a.news()).toEqual(["table 4: a", "agreed 4"]);
  });

  it("is waited for in its place while a round is under way", () => {
    const { a, b, join, pass } = pair();
    const c = join("c");
    join("b", { incarnation: "b-0" }).stream.lost();
    a.apply();
    c.apply();
    a.news();
    pass(LEASE_MS, a, c);
    expect(a.news()).toEqual([]);
    const again = join("b", { held: { version: 2, hosts: [] } });
    expect(again.news()).toEqual(["welcome", "table 3: a, b, c"]);
    again.apply();
    expect(a.news()).toEqual(["agreed 3", "table 4: a, b, c", "agreed 4"]);
    expect(b.news()).toEqual(["table 3: a, b, c", "end 14: another sidecar has come to the same address"]);
  });

  it("does not change who is in the table of a round that waits for its lock", () => {
    const { a, join, daprd } = pair();
    const foreign = daprd("foreign");
    expect(foreign.news()).toEqual(["lock 3"]);
    join("b", { incarnation: "b-0" }).stream.lost();
    foreign.answer();
    expect(a.news()).toEqual(["table 3: a, b, foreign"]);
  });
});

it("tells nobody that tables are agreed on which a round that took too long has left", () => {
  const { a, b, join, daprd, pass } = pair();
  const first = daprd("first");
  first.answer();
  a.apply();
  b.apply();
  first.answer();
  first.answer();
  const second = daprd("second");
  first.answer();
  second.answer();
  a.apply();
  b.apply();
  first.answer();
  first.news();
  pass(8_000, a, b);
  expect(second.news().at(-1)).toContain("dissemination timeout");
  expect(first.news()).toEqual(["lock 5"]);
  b.stream.lost();
  const again = join("b", { held: { version: 4, hosts: [] } });
  expect(again.news()).toEqual(["welcome back", "table 4: a, b, first, second", "lease"]);
  first.answer();
  expect(again.news()).toEqual(["table 5: a, b, first"]);
});

it("lets who was given up come back as a new one as soon as that has carried a table out", () => {
  const { a, b, join, pass } = pair();
  const c = join("c");
  c.apply();
  a.apply();
  pass(8_000, a, b, c);
  c.apply();
  a.news();
  const again = join("b", { incarnation: "b-2" });
  expect(again.news()).toEqual(["welcome", "table 4: a, c"]);
  a.apply();
  expect(a.news()).toEqual([]);
  again.apply();
  expect(a.news()).toEqual(["agreed 4", "table 5: a, b, c"]);
});

describe("a new leader", () => {
  const held = { version: 7, hosts: ["a.test:50002", "b.test:50002"] };

  it("lets nobody have anything before all who hold something have come", () => {
    const { service, join } = setUp();
    service.lead();
    const fresh = join("fresh");
    const a = join("a", { held });
    expect([fresh.news(), a.news()]).toEqual([["welcome"], ["welcome back"]]);
    const b = join("b", { held });
    expect(b.news()).toEqual(["welcome back", "table 8: a, b, fresh"]);
    expect(a.news()).toEqual(["table 8: a, b, fresh"]);
    a.apply();
    b.apply();
    fresh.apply();
    expect(fresh.news()).toEqual(["table 8: a, b, fresh", "agreed 8"]);
  });

  it("waits no longer than leases of the one before can live", () => {
    const { service, join, pass } = setUp();
    service.lead();
    const a = join("a", { held });
    pass(SETTLE_MS - 100, a);
    expect(a.news()).toEqual(["welcome back"]);
    pass(100, a);
    expect(a.news()).toEqual(["table 8: a"]);
  });

  it("waits as long when nobody comes who could know", () => {
    const { service, join, pass } = setUp();
    service.lead();
    const fresh = join("fresh");
    pass(SETTLE_MS - 100, fresh);
    expect(fresh.news()).toEqual(["welcome"]);
    pass(100, fresh);
    expect(fresh.news()).toEqual(["table 1: fresh"]);
  });

  it("does not believe who comes later that it still holds something", () => {
    const { service, join, pass } = setUp();
    service.lead();
    pass(SETTLE_MS);
    expect(join("a", { held }).news()).toEqual(["welcome", "table 1: a"]);
  });

  it("lets sidecars of Dapr's begin at once where none of ours holds anything", () => {
    const { service, daprd, join } = setUp();
    service.lead();
    const first = daprd("first");
    expect(first.news()).toEqual(["lock 1"]);
    settle(first);
    join("a", { held });
    const late = daprd("late");
    expect([first.news(), late.news()]).toEqual([["update 1: cat@first", "unlock 1"], []]);
  });

  it("forgets everything when it leads no longer", () => {
    const { service, join, clock } = setUp();
    service.lead();
    const a = join("a", { held });
    service.endAll(new GrpcError(GRPC_STATUS.FAILED_PRECONDITION, "gone"));
    expect(a.news()).toEqual(["welcome back", "end 9: gone"]);
    expect([service.state().size, clock.pendingTimers]).toEqual([0, 0]);
  });
});
