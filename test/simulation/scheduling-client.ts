import { create } from "@bufbuild/protobuf";
import { actorKey } from "../../src/app/actor-host.ts";
import { type JobFailurePolicy, JobFailurePolicySchema } from "../../src/wire/gen/dapr/proto/common/v1/common_pb.js";
import type { Cluster } from "./cluster.ts";
import { ACTORS } from "./counting.ts";
import type { HostNode } from "./host-node.ts";
import type { FailureKind, Version } from "./ledger.ts";
import { SeededRandom } from "./seeded-random.ts";
import type { Machine, SimulatedProcess } from "./simulated-process.ts";

/** Milliseconds that a client waits for an answer. */
const PATIENCE_MS = 10_000;
/** Milliseconds until the first trigger of something new. */
const DUE_MS = [-500, 7_000] as const;
const PERIODS_MS = [500, 1_500, 4_000] as const;
/** Milliseconds from the first to the last trigger at most. */
const SPAN_MS = 8_000;
/** Milliseconds between what a client does with one name. */
const PAUSE_MS = [300, 8_000] as const;

/** Keeps some names of reminders and jobs busy: schedules, replaces and deletes, one after the other for each name. */
export class SchedulingClient {
  readonly machine: Machine;
  readonly #cluster: Cluster;
  readonly #process: SimulatedProcess;
  readonly #random: SeededRandom;
  /** Without end: they have to be deleted. */
  readonly #endless = new Map<string, () => Promise<void>>();
  #names = 0;

  constructor(name: string, seed: number, cluster: Cluster) {
    this.#cluster = cluster;
    this.machine = cluster.machine(name);
    this.#process = this.machine.start();
    this.#random = new SeededRandom(seed, `${name} schedules`);
  }

  /** One name from its first version to its last. */
  async tend(untilMs: number): Promise<void> {
    this.#names += 1;
    const name = `${this.machine.name}-${this.#names}`;
    const actor = this.#random.chance(0.6) ? this.#random.pick(ACTORS) : undefined;
    let last: Version | undefined;
    for (let number = 1; number <= 4 && this.#cluster.world.nowMs < untilMs; number += 1) {
      if (last !== undefined && this.#random.chance(0.35)) {
        await this.#delete(name, actor, last);
        return;
      }
      const version = this.#version(name, actor === undefined ? undefined : actorKey(actor), number);
      const accepted = await this.#replacing(last, () => this.#schedule(version, actor));
      if (!accepted) {
        // It may still come to the scheduler, after whatever else would follow.
        this.#endless.set(name, () => this.#delete(name, actor, version));
        return;
      }
      version.accepted = true;
      last = version;
      if (version.repeats === undefined && version.periodMs !== undefined) {
        this.#endless.set(name, () => this.#delete(name, actor, version));
      } else {
        this.#endless.delete(name);
      }
      if (this.#random.chance(0.4)) {
        return;
      }
      await this.#process.sleep(this.#random.between(...PAUSE_MS));
    }
  }

  /** Deletes what would go on without end. */
  async finish(): Promise<void> {
    await Promise.all([...this.#endless.values()].map((end) => end()));
  }

  #version(name: string, actor: string | undefined, number: number): Version {
    const random = this.#random;
    const periodMs = random.chance(0.5) ? random.pick(PERIODS_MS) : undefined;
    const most = Math.floor(SPAN_MS / (periodMs ?? SPAN_MS)) + 1;
    const repeats = random.chance(0.7) ? random.whole(1, Math.min(6, most)) : undefined;
    const onFailure: FailureKind = random.chance(0.7) ? "again" : random.pick(["default", "drop"] as const);
    const version: Version = {
      id: `${name}/${number}`,
      name,
      actor,
      dueMs: Math.floor(this.#cluster.scheduler.machine.trueMs() + random.between(...DUE_MS)),
      periodMs,
      repeats: periodMs === undefined ? undefined : repeats,
      onFailure,
      accepted: false,
      replaced: "no",
      sent: 0,
      delivered: 0,
      done: 0,
    };
    this.#cluster.ledger.versions.set(version.id, version);
    return version;
  }

  /** @returns whether it was answered well */
  async #replacing(last: Version | undefined, work: () => Promise<void>): Promise<boolean> {
    if (last !== undefined) {
      last.replaced = "asked";
    }
    try {
      await work();
    } catch (error) {
      this.#cluster.world.note(`${this.machine.name}: ${String(error)}`);
      return false;
    }
    if (last !== undefined) {
      last.replaced = "answered";
    }
    return true;
  }

  async #schedule(version: Version, actor: (typeof ACTORS)[number] | undefined): Promise<void> {
    const { name, dueMs, periodMs, repeats, onFailure } = version;
    const data = Buffer.from(JSON.stringify({ v: version.id }));
    const failurePolicy = policyOf(onFailure);
    const dueTime = new Date(dueMs).toISOString();
    await this.#ask(`schedules ${version.id}`, async (life) => {
      if (actor === undefined) {
        const schedule = periodMs === undefined ? undefined : `@every ${periodMs}ms`;
        const job = { name, schedule, repeats, dueTime, data: { typeUrl: "test/bytes", value: data }, failurePolicy };
        await life.jobs.schedule({ job, overwrite: true });
        return;
      }
      const iso = `PT${(periodMs ?? 0) / 1_000}S`;
      const period = periodMs === undefined ? "" : repeats === undefined ? iso : `R${repeats}/${iso}`;
      const request = { ...actor, name, dueTime, period, ttl: "", data, overwrite: true, failurePolicy };
      await life.actors.reminders.create(request);
    });
  }

  async #delete(name: string, actor: (typeof ACTORS)[number] | undefined, last: Version): Promise<void> {
    if (last.replaced !== "no") {
      return;
    }
    this.#endless.delete(name);
    const deleted = await this.#replacing(last, () =>
      this.#ask(`deletes ${name}`, async (life) => {
        await (actor === undefined ? life.jobs.delete(name) : life.actors.reminders.delete(actor, name));
      }),
    );
    if (!deleted) {
      this.#endless.set(name, () => this.#delete(name, actor, { ...last, replaced: "no" }));
    }
  }

  async #ask(label: string, work: (life: NonNullable<HostNode["life"]>) => Promise<void>): Promise<void> {
    const host = this.#random.pick(this.#cluster.hosts);
    await this.#cluster.network.ask(this.#process, host.machine, label, PATIENCE_MS, async () => {
      if (host.life === undefined) {
        throw new Error("the sidecar is not there");
      }
      await work(host.life);
    });
  }
}

function policyOf(kind: FailureKind): JobFailurePolicy | undefined {
  switch (kind) {
    case "default":
      return undefined;
    case "drop":
      return create(JobFailurePolicySchema, { policy: { case: "drop", value: {} } });
    case "again":
      return create(JobFailurePolicySchema, {
        policy: { case: "constant", value: { interval: { seconds: 0n, nanos: 300_000_000 } } },
      });
  }
}
