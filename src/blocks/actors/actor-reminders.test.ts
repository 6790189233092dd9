import { describe, expect, it } from "vitest";
import { type ActorTickCall, TicksCancelledError } from "../../app/actor-host.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { Cancellation, NEVER_CANCELLED } from "../../kit/cancel-signal.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { packedData } from "../../mesh/reminder-message.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import type { JobTarget, NamedJob, NamedReminder, TriggerHandler } from "../../scheduling/types.ts";
import { ActiveActors } from "./active-actors.ts";
import { ActorReminders, type ReminderRequest, type ReminderScheduler } from "./actor-reminders.ts";
import type { ActorObserver } from "./types.ts";

const A = { type: "t", id: "a" };
const REQUEST: ReminderRequest = {
  ...A,
  name: "n",
  dueTime: "",
  period: "",
  ttl: "",
  data: undefined,
  overwrite: true,
  failurePolicy: undefined,
};

/** Keeps what it is asked to, and triggers when a test says so. */
class FakeScheduler implements ReminderScheduler {
  readonly asked: unknown[] = [];
  failure: Error | undefined;
  stored: Omit<NamedJob, "name"> = {};
  listed: readonly NamedReminder[] = [];
  types: readonly string[] = [];
  handler: TriggerHandler = () => Promise.reject(new Error("nobody serves"));

  schedule(target: JobTarget, job: NamedJob, overwrite: boolean): Promise<void> {
    return this.#answer(["schedule", target, job, overwrite], undefined);
  }

  get(target: JobTarget, name: string): Promise<Omit<NamedJob, "name">> {
    return this.#answer(["get", target, name], this.stored);
  }

  delete(target: JobTarget, name: string): Promise<void> {
    return this.#answer(["delete", target, name], undefined);
  }

  listReminders(actor: NamedReminder["actor"]): Promise<readonly NamedReminder[]> {
    return this.#answer(["list", actor], this.listed);
  }

  deleteReminders(actor: NamedReminder["actor"], byPrefix: boolean): Promise<void> {
    return this.#answer(["deleteAll", actor, byPrefix], undefined);
  }

  async serveActors(types: readonly string[], handler: TriggerHandler): Promise<void> {
    this.types = types;
    this.handler = handler;
  }

  async #answer<T>(question: unknown, answer: T): Promise<T> {
    this.asked.push(question);
    if (this.failure !== undefined) {
      throw this.failure;
    }
    return answer;
  }
}

function setUp(fire: (tick: ActorTickCall) => Promise<void> = () => Promise.resolve(), withScheduler = true) {
  const active = new ActiveActors({ clock: new VirtualClock(), logger: silentLogger });
  const unused = (): Promise<never> => Promise.reject(new Error("not called"));
  active.register({
    types: new Map([["t", { idleMs: 1_000, reentrancy: { enabled: false, stackDepthMax: 32 }, drainMs: undefined }]]),
    drainMs: 0,
    drainRebalanced: true,
    host: { invoke: unused, fire: unused, deactivate: unused },
  });
  const scheduler = new FakeScheduler();
  const fired: boolean[] = [];
  const observer: Partial<ActorObserver> = { reminderFired: (_type, success) => void fired.push(success) };
  const reminders = new ActorReminders({
    scheduler: withScheduler ? scheduler : undefined,
    active,
    fire,
    observer: observer as ActorObserver,
    logger: silentLogger,
  });
  return { reminders, scheduler, fired };
}

const trigger = (data?: { readonly typeUrl: string; readonly value: Uint8Array }) =>
  ({ name: "n", target: { kind: "actor", ...A }, data }) as const;

describe("making a reminder", () => {
  it.each([
    [{}, {}],
    [{ period: "10s" }, { schedule: "@every 10s" }],
    [{ period: "PT1H30M" }, { schedule: "@every 1h30m0s" }],
    [{ period: "R3/PT1M" }, { schedule: "@every 1m0s", repeats: 3 }],
    [{ period: "R-1/PT1M" }, { schedule: "@every 1m0s" }],
    [
      { dueTime: "5s", ttl: "1h" },
      { dueTime: "5s", ttl: "1h" },
    ],
    [
      { data: Buffer.from('{"a":1}') },
      { data: { typeUrl: "type.googleapis.com/google.protobuf.BytesValue", value: packed('{"a":1}') } },
    ],
    [{ overwrite: false }, {}],
  ])("%j is a job of its actor", async (fields, job) => {
    const { reminders, scheduler } = setUp();
    await reminders.create({ ...REQUEST, ...fields });
    expect(scheduler.asked).toMatchObject([
      ["schedule", { kind: "actor", ...A }, { name: "n", ...job }, !("overwrite" in fields)],
    ]);
  });

  it.each(["P1D", "P1M", "P1Y", "often", "0 0 0 * * *"])("the period %s is none of a reminder", async (period) => {
    const { reminders } = setUp();
    await expect(reminders.create({ ...REQUEST, period })).rejects.toThrow(
      `error creating actor reminder: unsupported period format: ${period}`,
    );
  });

  it("one that is there and may not be replaced is a conflict", async () => {
    const { reminders, scheduler } = setUp();
    scheduler.failure = new GrpcError(GRPC_STATUS.ALREADY_EXISTS, "job already exists: 'n'");
    await expect(reminders.create({ ...REQUEST, overwrite: false })).rejects.toMatchObject({
      entry: { code: "ERR_ACTOR_REMINDER_ALREADY_EXISTS", httpStatus: 409 },
    });
  });

  it("tells why the scheduler refused it, such as that the actor has too many", async () => {
    const { reminders, scheduler } = setUp();
    scheduler.failure = new GrpcError(GRPC_STATUS.RESOURCE_EXHAUSTED, "actor t||a has 3 reminders");
    await expect(reminders.create(REQUEST)).rejects.toThrow(
      "error creating actor reminder: rpc error: code = ResourceExhausted desc = actor t||a has 3 reminders",
    );
  });

  it("its names have a length", async () => {
    const { reminders, scheduler } = setUp();
    await expect(reminders.create({ ...REQUEST, name: "n".repeat(1_025) })).rejects.toThrow(
      "error creating actor reminder: name has 1025 characters, and 1024 is the limit",
    );
    expect(scheduler.asked).toEqual([]);
  });
});

describe("reading and deleting", () => {
  it("gives back what the scheduler keeps", async () => {
    const { reminders, scheduler } = setUp();
    scheduler.stored = { schedule: "@every 10s", dueTime: "2026-01-02T03:04:05Z", ttl: "2027-01-02T03:04:05Z" };
    scheduler.listed = [{ name: "m", schedule: "@every 1s", actor: { type: "t", id: "b" } }];
    expect(await reminders.get(A, "n")).toEqual({
      ...A,
      name: "n",
      dueTime: "2026-01-02T03:04:05Z",
      period: "@every 10s",
      ttl: "2027-01-02T03:04:05Z",
      data: undefined,
    });
    expect(await reminders.list("t", undefined)).toMatchObject([
      { type: "t", id: "b", name: "m", period: "@every 1s" },
    ]);
    await reminders.delete(A, "n");
    await reminders.deleteAll("t", "a");
    await reminders.deleteAll("t", undefined);
    expect(scheduler.asked).toEqual([
      ["get", { kind: "actor", ...A }, "n"],
      ["list", { type: "t", id: "" }],
      ["delete", { kind: "actor", ...A }, "n"],
      ["deleteAll", { type: "t", id: "a" }, false],
      ["deleteAll", { type: "t", id: "" }, true],
    ]);
  });

  it.each([
    [GRPC_STATUS.NOT_FOUND, "ERR_ACTOR_REMINDER_NOT_FOUND", 404],
    [GRPC_STATUS.UNAVAILABLE, "ERR_ACTOR_REMINDER_GET", 500],
  ])("a scheduler's status %i is %s", async (status, code, httpStatus) => {
    const { reminders, scheduler } = setUp();
    scheduler.failure = new GrpcError(status, "no");
    await expect(reminders.get(A, "n")).rejects.toMatchObject({ entry: { code, httpStatus } });
  });

  it("a failed deletion says so", async () => {
    const { reminders, scheduler } = setUp();
    scheduler.failure = new GrpcError(GRPC_STATUS.UNAVAILABLE, "gone");
    await expect(reminders.delete(A, "n")).rejects.toMatchObject({ entry: { code: "ERR_ACTOR_REMINDER_DELETE" } });
  });
});

it("every operation is for types that are hosted here", async () => {
  const { reminders, scheduler } = setUp();
  const other = { type: "u", id: "a" };
  const operations = [
    reminders.create({ ...REQUEST, ...other }),
    reminders.get(other, "n"),
    reminders.list("u", undefined),
    reminders.delete(other, "n"),
    reminders.deleteAll("u", undefined),
  ];
  for (const operation of operations) {
    await expect(operation).rejects.toMatchObject({
      entry: { code: "ERR_ACTOR_REMINDER_NON_HOSTED", httpStatus: 403 },
    });
  }
  expect(scheduler.asked).toEqual([]);
});

it("without a scheduler service reminders cannot be made", async () => {
  const { reminders } = setUp(undefined, false);
  await reminders.serve(["t"]);
  await expect(reminders.create(REQUEST)).rejects.toThrow(
    "error creating actor reminder: scheduler clients are disabled",
  );
});

describe("a trigger", () => {
  it("brings its reminder to the actor", async () => {
    const ticks: ActorTickCall[] = [];
    const { reminders, scheduler, fired } = setUp(async (tick) => void ticks.push(tick));
    await reminders.serve(["t"]);
    expect(scheduler.types).toEqual(["t"]);
    expect(await scheduler.handler(trigger(packedData(Buffer.from("[1]"))), NEVER_CANCELLED)).toBe(true);
    expect(ticks).toMatchObject([{ kind: "reminder", ...A, name: "n", dueTime: "", period: "", expiresMs: undefined }]);
    expect([Buffer.from(ticks[0]?.data ?? []).toString(), fired]).toEqual(["[1]", [true]]);
  });

  it("that failed is left to the reminder's failure policy", async () => {
    const { reminders, scheduler, fired } = setUp(() => Promise.reject(new Error("no")));
    await reminders.serve(["t"]);
    expect(await scheduler.handler(trigger(), NEVER_CANCELLED)).toBe(false);
    expect(fired).toEqual([false]);
  });

  it("is not repeated when the actor wants no more of them", async () => {
    const { reminders, scheduler } = setUp(() => Promise.reject(new TicksCancelledError()));
    await reminders.serve(["t"]);
    expect(await scheduler.handler(trigger(), NEVER_CANCELLED)).toBe(true);
  });

  it("carries the signal that ends it", async () => {
    const cancellation = new Cancellation();
    const { reminders, scheduler } = setUp(
      ({ signal }) => new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason))),
    );
    await reminders.serve(["t"]);
    const outcome = scheduler.handler(trigger(), cancellation);
    cancellation.abort(new Error("the stream is over"));
    expect(await outcome).toBe(false);
  });

  it("of a job is not an actor's", async () => {
    const { reminders, scheduler } = setUp(() => Promise.reject(new Error("not called")));
    await reminders.serve(["t"]);
    const job = { name: "n", target: { kind: "app" }, data: undefined } as const;
    expect(await scheduler.handler(job, NEVER_CANCELLED)).toBe(false);
  });
});

function packed(json: string): Uint8Array {
  return packedData(Buffer.from(json)).value;
}
