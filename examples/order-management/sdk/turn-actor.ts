import { AbstractActor, Temporal } from "@dapr/dapr";
import type { z } from "zod";
import { reasonOf } from "./reason.ts";

/** The only reminder of an actor: the SDK does not say which of them has come. */
const REMINDER = "carry-on";

/** What the SDK takes; it comes without its types. */
const { Duration } = Temporal as { readonly Duration: { from(time: { readonly milliseconds: number }): object } };

/** The last turn of each actor that runs in this process; an actor may be made anew while one of its turns runs. */
const running = new Map<string, Promise<unknown>>();

/** An actor whose turns either save what they have changed or leave nothing behind. */
export abstract class TurnActor extends AbstractActor {
  protected get name(): string {
    return this.getActorId().getId();
  }

  /**
   * One turn, from what a caller sent. When a caller hangs up, the sidecar may let the next turn in while this one still
   * runs: here they wait for each other. The SDK keeps in memory what a turn has changed, whether or not it could be saved, and would save
   * it with the next one: after a failure the state is read again. The caller of a turn that throws is told no more than
   * that, so the reason is printed here; what a caller must know goes into the answer.
   */
  protected async turn<Request, Answer>(
    command: string,
    schema: z.ZodType<Request>,
    request: unknown,
    run: (request: Request) => Promise<Answer>,
  ): Promise<Answer> {
    const actor = `${String(this.getActorType())} ${this.name}`;
    const before = running.get(actor);
    const turn = (async () => {
      await before?.catch(() => undefined);
      try {
        return await run(schema.parse(request));
      } catch (error) {
        await this.resetStateInternal();
        console.error(`${actor}: ${command} failed: ${reasonOf(error)}`);
        throw error;
      }
    })();
    running.set(actor, turn);
    try {
      return await turn;
    } finally {
      if (running.get(actor) === turn) running.delete(actor);
    }
  }

  protected async read<Value>(key: string, schema: z.ZodType<Value>): Promise<Value | undefined> {
    const [isKept, value] = await this.getStateManager<unknown>().tryGetState(key);
    return isKept ? schema.parse(value) : undefined;
  }

  /** Writes all of these or none: one state transaction. */
  protected async write(values: Readonly<Record<string, object>>): Promise<void> {
    const state = this.getStateManager<object>();
    for (const [key, value] of Object.entries(values)) await state.setState(key, value);
    await state.saveState();
  }

  /** Nothing: `write` has saved. After a turn, the SDK would save what the next one has changed so far. */
  override async saveStateInternal(): Promise<void> {
    await Promise.resolve();
  }

  /** Calls `carryOn` after a while, and then again and again until it is told to stop, whatever dies meanwhile. */
  protected async remind(afterMs: number, everyMs: number): Promise<void> {
    const after = Duration.from({ milliseconds: afterMs });
    await this.registerActorReminder(REMINDER, after, Duration.from({ milliseconds: everyMs }));
  }

  protected async forget(): Promise<void> {
    await this.unregisterActorReminder(REMINDER);
  }

  /** What the reminder is for; it comes again when this throws. */
  protected abstract carryOn(): Promise<void>;

  /** The SDK's HTTP server does not survive a reminder that throws: `turn` has printed why. */
  override async receiveReminder(): Promise<void> {
    await this.carryOn().catch(() => undefined);
  }
}
