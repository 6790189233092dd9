import { sleep } from "../kit/clock.ts";
import type { SidecarPortName, UnitWorld } from "./app-unit-types.ts";
import type { SidecarPortPlan } from "./types.ts";

/** Milliseconds between two looks at a port that is taken. */
const TAKEN_INTERVAL_MS = 1_000;

const NAMES: readonly SidecarPortName[] = ["http", "grpc", "internalGrpc", "metrics"];

/** The ports of one unit: those of the plan once they are free, and free ones that stay the same from then on. */
export class UnitPorts {
  readonly #planned: SidecarPortPlan;
  readonly #world: Pick<UnitWorld, "clock" | "isPortFree" | "portOwner" | "pickPort" | "tell">;
  readonly #onBlocked: (port: number) => void;
  #picked: Partial<Record<SidecarPortName, number>> = {};

  constructor(
    planned: SidecarPortPlan,
    world: Pick<UnitWorld, "clock" | "isPortFree" | "portOwner" | "pickPort" | "tell">,
    onBlocked: (port: number) => void,
  ) {
    this.#planned = planned;
    this.#world = world;
    this.#onBlocked = onBlocked;
  }

  /** Resolves to the sidecar's ports when all of them are free. */
  async claim(signal: AbortSignal): Promise<SidecarPortPlan> {
    const ports: Record<SidecarPortName, number> = { ...this.#planned };
    for (const name of NAMES) {
      const known = this.#planned[name] === 0 ? this.#picked[name] : this.#planned[name];
      if (known === undefined) {
        this.#picked[name] = await this.#world.pickPort();
      } else {
        await this.awaitFree(name, known, signal);
      }
      ports[name] = known ?? this.#picked[name] ?? 0;
    }
    return ports;
  }

  /** Picked ports that did not work are not tried again. */
  forgetPicked(): void {
    this.#picked = {};
  }

  /** Resolves when nobody has the port; says so once for each process that has it. */
  async awaitFree(use: "app" | SidecarPortName, port: number, signal: AbortSignal): Promise<void> {
    let told: { readonly owner: string | undefined } | undefined;
    while (!(await this.#world.isPortFree(use, port))) {
      const owner = await this.#world.portOwner(port);
      signal.throwIfAborted();
      if (told === undefined || told.owner !== owner) {
        told = { owner };
        this.#world.tell({ kind: "port-taken", port, use, owner });
        this.#onBlocked(port);
      }
      await sleep(this.#world.clock, TAKEN_INTERVAL_MS, signal);
    }
    signal.throwIfAborted();
    if (told !== undefined) {
      this.#world.tell({ kind: "port-free", port, use });
    }
  }
}
