import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { HostOperation, HostSchema } from "../../wire/gen/dapr/proto/placement/v1/placement_pb.js";
import { Dissemination, type DisseminationOptions } from "./dissemination.ts";
import { FakeHost, type HostFacts, hostOf, settle } from "./fake-host.fixture.ts";

function virtualRounds(more: Partial<DisseminationOptions> = {}) {
  const clock = new VirtualClock();
  const rounds = new Dissemination({
    namespace: "default",
    replicationFactor: 100,
    timeoutMs: 8_000,
    coalesceWindowMs: 0,
    clock,
    logger: silentLogger,
    onMembership: () => undefined,
    ...more,
  });
  const join = (id: string, entities?: readonly string[], host?: HostFacts): FakeHost =>
    new FakeHost(
      (first, sink) => {
        const member = rounds.open(first, sink);
        return { report: (next) => rounds.report(member, next), close: () => rounds.close(member) };
      },
      hostOf(id, entities, host),
    );
  return { rounds, clock, join };
}

describe("a round", () => {
  it("goes through lock, update and unlock, each when all have answered the one before", () => {
    const { join } = virtualRounds();
    const a = join("a");
    expect(a.news()).toEqual(["lock 1"]);
    a.answer();
    a.answer();
    a.answer();
    expect(a.news()).toEqual(["update 1: cat@a", "unlock 1"]);

    const b = join("b", ["cat", "dog"]);
    expect([a.news(), b.news()]).toEqual([["lock 2"], ["lock 2"]]);
    a.answer();
    expect([a.news(), b.news()]).toEqual([[], []]);
    b.answer();
    expect([a.news(), b.news()]).toEqual([["update 2: cat@a, cat@b, dog@b"], ["update 2: cat@a, cat@b, dog@b"]]);
    b.answer();
    a.answer();
    expect([a.news(), b.news()]).toEqual([["unlock 2"], ["unlock 2"]]);
  });

  it("is not moved on by answers to another version, to another phase, or given twice", () => {
    const { join } = virtualRounds();
    const a = join("a");
    settle(a);
    const b = join("b");
    a.news();
    b.news();
    b.answer();
    b.acknowledge("lock", 2);
    a.acknowledge("lock", 1);
    a.acknowledge("update", 2);
    a.acknowledge("unlock", 2);
    expect([a.news(), b.news()]).toEqual([[], []]);
    a.acknowledge("lock", 2);
    expect(b.news()).toEqual(["update 2: cat@a, cat@b"]);
  });

  it("begins when a sidecar hosts other types", () => {
    const { join } = virtualRounds();
    const a = join("a");
    const b = join("b", ["dog"]);
    settle(a, b);
    a.news();
    b.news();
    b.stream.report(hostOf("b", ["dog", "bird"]));
    settle(a, b);
    expect(a.news()).toEqual(["lock 3", "update 3: bird@b, cat@a, dog@b", "unlock 3"]);
  });

  it("goes on when types change during it, and one more follows for all such changes", () => {
    const { rounds, join } = virtualRounds();
    const a = join("a");
    a.stream.report(hostOf("a", ["dog"]));
    expect(a.news()).toEqual(["lock 1"]);
    a.answer();
    expect(a.news()).toEqual(["update 1: dog@a"]);
    a.stream.report(hostOf("a", ["bird"]));
    a.answer();
    a.stream.report(hostOf("a", ["fish"]));
    expect(a.news()).toEqual(["unlock 1"]);
    settle(a);
    expect(a.news()).toEqual(["lock 2", "update 2: fish@a", "unlock 2"]);
    expect(rounds.state().version).toBe(2);
  });

  it("has a version of its own for a change that the table under way already holds", () => {
    const { rounds, join } = virtualRounds();
    const a = join("a");
    a.stream.report(hostOf("a", ["dog"]));
    settle(a);
    expect(a.news().slice(1)).toEqual(["update 1: dog@a", "unlock 1", "lock 2", "update 2: dog@a", "unlock 2"]);
    expect(rounds.state().version).toBe(2);
  });

  it("is not begun by a report that says what is known, in whatever order", () => {
    const { join } = virtualRounds();
    const a = join("a", ["cat", "dog"]);
    settle(a);
    a.news();
    a.stream.report(hostOf("a", ["dog", "cat"]));
    expect(a.news()).toEqual([]);
  });

  it("takes those who come meanwhile into one next round", () => {
    const { join } = virtualRounds();
    const a = join("a");
    const [b, c] = [join("b"), join("c")];
    expect([b.news(), c.news()]).toEqual([[], []]);
    settle(a);
    expect(a.news()).toEqual(["lock 1", "update 1: cat@a", "unlock 1", "lock 2"]);
    settle(a, b, c);
    expect(b.news()).toEqual(["lock 2", "update 2: cat@a, cat@b, cat@c", "unlock 2"]);
  });

  it("takes the last word of those who wait", () => {
    const { join } = virtualRounds();
    const a = join("a");
    const b = join("b", ["cat"]);
    b.stream.report(hostOf("b", ["bird"]));
    b.acknowledge("lock", 1);
    settle(a, b);
    expect(b.news()).toEqual(["lock 2", "update 2: bird@b, cat@a", "unlock 2"]);
  });
});

describe("who leaves", () => {
  it("is gone from the table in a round of its own", () => {
    const { join } = virtualRounds();
    const [a, b] = [join("a"), join("b")];
    settle(a, b);
    a.news();
    b.stream.close();
    b.stream.close();
    settle(a);
    expect(a.news()).toEqual(["lock 3", "update 3: cat@a", "unlock 3"]);
    expect(b.news().at(-1)).toBe("unlock 2");
  });

  it("while all lock is left out of the table that follows", () => {
    const { join } = virtualRounds();
    const [a, b, c] = [join("a"), join("b"), join("c")];
    settle(a, b, c);
    a.news();
    c.stream.report(hostOf("c", ["dog"]));
    a.answer();
    b.answer();
    c.stream.close();
    settle(a, b);
    expect(a.news()).toEqual(["lock 3", "update 3: cat@a, cat@b", "unlock 3"]);
  });

  it("after the table was sent is gone in the next round", () => {
    const { join } = virtualRounds();
    const [a, b] = [join("a"), join("b")];
    settle(a, b);
    a.news();
    b.stream.report(hostOf("b", ["dog"]));
    a.answer();
    b.answer();
    b.stream.close();
    settle(a);
    expect(a.news()).toEqual(["lock 3", "update 3: cat@a, dog@b", "unlock 3", "lock 4", "update 4: cat@a", "unlock 4"]);
  });

  it("without actor types does not hold up a round that waits for it alone", () => {
    const { join } = virtualRounds();
    const [idle, a] = [join("idle", []), join("a")];
    idle.news();
    a.answer();
    idle.stream.close();
    settle(a);
    expect(a.news()).toEqual(["lock 1", "update 1: cat@a", "unlock 1"]);
  });

  it("last of all lets those who wait begin at once", () => {
    const { clock, join } = virtualRounds();
    const a = join("a");
    const b = join("b");
    a.stream.close();
    expect(b.news()).toEqual(["lock 2"]);
    settle(b);
    expect(b.news()).toEqual(["update 2: cat@b", "unlock 2"]);
    clock.advance(60_000);
    expect(b.news()).toEqual([]);
  });

  it("while it waits causes no more than a round without it", () => {
    const { join } = virtualRounds();
    const a = join("a");
    const b = join("b");
    b.stream.close();
    settle(a);
    expect(a.news()).toEqual(["lock 1", "update 1: cat@a", "unlock 1", "lock 2", "update 2: cat@a", "unlock 2"]);
    expect(b.news()).toEqual([]);
  });
});

describe("the timeout", () => {
  it("cuts off those who have not answered, and begins again with the others and those who wait", () => {
    const { clock, join } = virtualRounds({ timeoutMs: 1_500 });
    const [a, slow] = [join("a"), join("slow")];
    settle(a, slow);
    slow.stream.report(hostOf("slow", ["dog"]));
    const late = join("late");
    a.news();
    slow.news();
    a.answer();
    clock.advance(1_499);
    expect(slow.news()).toEqual([]);
    clock.advance(1);
    expect(slow.news()).toEqual(["end 4: dissemination timeout after 1.5s for version 3"]);
    slow.stream.close();
    settle(a, late);
    expect(a.news()).toEqual(["lock 4", "update 4: cat@a, cat@late", "unlock 4"]);
    clock.advance(60_000);
    expect([a.news(), slow.news()]).toEqual([[], []]);
  });

  it.each(["lock", "update", "unlock"])("counts from the beginning of the round, also for %s", (phase) => {
    const { clock, rounds, join } = virtualRounds({ timeoutMs: 1_000 });
    const a = join("a");
    clock.advance(600);
    while (a.heard.at(-1)?.startsWith(phase) !== true) {
      a.answer();
    }
    clock.advance(400);
    expect(a.heard.at(-1)).toBe("end 4: dissemination timeout after 1s for version 1");
    expect(rounds.empty).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  it("is not put off by types that change", () => {
    const { clock, join } = virtualRounds({ timeoutMs: 1_000 });
    const a = join("a");
    clock.advance(900);
    a.stream.report(hostOf("a", ["dog"]));
    clock.advance(100);
    expect(a.news()).toEqual(["lock 1", "end 4: dissemination timeout after 1s for version 1"]);
  });
});

describe("the coalesce window", () => {
  it("gathers what happens after a round into the next one", () => {
    const { clock, join } = virtualRounds({ coalesceWindowMs: 500 });
    const [a] = [join("a")];
    settle(a);
    a.news();
    const [b, c] = [join("b"), join("c")];
    b.stream.close();
    clock.advance(499);
    expect([a.news(), c.news()]).toEqual([[], []]);
    clock.advance(1);
    settle(a, c);
    expect(c.news()).toEqual(["lock 2", "update 2: cat@a, cat@c", "unlock 2"]);
    a.news();
    c.stream.close();
    expect(a.news()).toEqual([]);
    clock.advance(500);
    settle(a);
    expect(a.news()).toEqual(["lock 3", "update 3: cat@a", "unlock 3"]);
    clock.advance(500);
    expect(a.news()).toEqual([]);
    const d = join("d");
    expect(d.news()).toEqual(["lock 4"]);
  });

  it("gives way to a change of those who are in, and waits for the end of that round", () => {
    const { clock, join } = virtualRounds({ coalesceWindowMs: 500 });
    const a = join("a");
    settle(a);
    const b = join("b");
    a.stream.report(hostOf("a", ["dog"]));
    a.news();
    clock.advance(600);
    expect([a.news(), b.news()]).toEqual([[], []]);
    settle(a);
    clock.advance(500);
    settle(a, b);
    expect(b.news()).toEqual(["lock 3", "update 3: cat@b, dog@a", "unlock 3"]);
  });
});

describe("a sidecar without actor types", () => {
  it("gets the table at once, and the others hear nothing of it", () => {
    const { rounds, join } = virtualRounds();
    const a = join("a");
    settle(a);
    a.news();
    const idle = join("idle", []);
    expect(idle.news()).toEqual(["lock 1", "update 1: cat@a", "unlock 1"]);
    idle.answerAll();
    idle.stream.report(hostOf("idle", []));
    idle.stream.close();
    expect([a.news(), idle.news()]).toEqual([[], []]);
    expect(rounds.state().hosts.map(({ id }) => id)).toEqual(["a"]);
  });

  it("gets an empty table where the hosts have gone, and those who were asked about it too", () => {
    const { join } = virtualRounds();
    const host = join("a");
    settle(host);
    const idle = join("idle", []);
    settle(host, idle);
    host.stream.close();
    expect(idle.news().at(-1)).toBe("lock 2");
    idle.stream.close();
    expect(join("late", []).news()).toEqual(["lock 2", "update 2: ", "unlock 2"]);
  });

  it("gets an empty table where it is the first", () => {
    const { join } = virtualRounds();
    expect(join("idle", []).news()).toEqual(["lock 0", "update 0: ", "unlock 0"]);
  });

  it("takes part in rounds, in which answers to the table before do not count", () => {
    const { join } = virtualRounds();
    const idle = join("idle", []);
    const a = join("a");
    idle.answer();
    idle.answer();
    idle.answer();
    a.answer();
    expect(a.news()).toEqual(["lock 1"]);
    settle(idle, a);
    expect(idle.news().slice(3)).toEqual(["lock 1", "update 1: cat@a", "unlock 1"]);
  });

  it("waits with the others while a round is under way, and gets its table then", () => {
    const { join } = virtualRounds();
    const a = join("a");
    const idle = join("idle", []);
    expect(idle.news()).toEqual([]);
    settle(a);
    expect(idle.news()).toEqual(["lock 1", "update 1: cat@a", "unlock 1"]);
    expect(a.news().at(-1)).toBe("unlock 1");
  });

  it("is in the table once it has some, and no longer when it has none again", () => {
    const { rounds, join } = virtualRounds();
    const a = join("a", []);
    a.answerAll();
    a.stream.report(hostOf("a", ["cat"]));
    settle(a);
    a.stream.report(hostOf("a", []));
    settle(a);
    expect(a.news().slice(3)).toEqual(["lock 1", "update 1: cat@a", "unlock 1", "lock 2", "update 2: ", "unlock 2"]);
    expect(rounds.state().hosts).toEqual([]);
  });
});

it("clients of old releases move on with the one message they send", () => {
  const { join } = virtualRounds();
  const old = create(HostSchema, { name: "old:1", id: "old", namespace: "default", entities: ["cat"] });
  const a = join("old", ["cat"], { operation: HostOperation.UNKNOWN });
  a.stream.report(old);
  a.stream.report(old);
  a.stream.report(old);
  expect(a.news()).toEqual(["lock 1", "update 1: cat@old", "unlock 1"]);
  // What it goes on to say every second names the host otherwise: that is news, and the same again is none.
  a.stream.report(old);
  a.stream.report(old);
  expect(a.news()).toEqual(["lock 2", "update 2: cat@old"]);
});

it("of two streams with one host name, the later one is in the table", () => {
  const { rounds, join } = virtualRounds();
  const first = join("first", ["cat"], { name: "same:1" });
  const second = join("second", ["cat"], { name: "same:1" });
  settle(first, second);
  expect(second.news().at(-2)).toBe("update 2: cat@second");
  expect(rounds.state().hosts.map(({ id }) => id)).toEqual(["first", "second"]);
});
