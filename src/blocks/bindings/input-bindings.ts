import type { AppChannel } from "../../app/types.ts";
import { bindingDirections } from "../../components/spi/binding-direction.ts";
import type { Binding, BindingEvent, InputBinding } from "../../components/spi/bindings.ts";
import type { ComponentView, Loaded } from "../../inventory/types.ts";
import type { Clock } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Tracer } from "../../kit/trace-context.ts";
import { type ComponentCallsSource, NO_CALLS } from "../../telemetry/metrics/component-calls.ts";
import { AppAnswerError } from "../../app/app-answer-error.ts";
import type { FailureStatus } from "../../resiliency/types.ts";
import { type ComponentPolicies, guarded, PoliciesByName } from "../component-policy.ts";
import { type DirectionPorts, followDirections } from "./app-directions.ts";
import { eventSpan, tracedMetadata } from "./event-span.ts";
import { InputReading } from "./input-reading.ts";

/** The input bindings: reading the ones that the app takes, while it is up. */
export interface InputBindings {
  /** The app is ready: asks it which bindings it takes and reads those. Never throws for a single one. */
  start(channel: AppChannel): Promise<void>;
  /** The app is unhealthy: stops intake and resolves when events under way have settled; `start` may follow. */
  stop(): Promise<void>;
  /** Stops for good. */
  close(): Promise<void>;
}

export interface InputBindingsDeps extends DirectionPorts {
  readonly bindings: ComponentView<Binding>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly calls?: ComponentCallsSource | undefined;
  readonly policies?: ComponentPolicies | undefined;
  /** Absent: events have no spans. */
  readonly tracer?: Tracer | undefined;
  /** Milliseconds for the app's answer about one binding (`--app-binding-options-timeout`). */
  readonly discoveryTimeoutMs: number;
}

export function createInputBindings(deps: InputBindingsDeps): InputBindings {
  return new InputBindingManager(deps);
}

/** An input binding under its name, with the route that HTTP apps know it by. */
interface Input {
  readonly name: string;
  readonly route: string;
  readonly component: Pick<InputBinding, "read">;
  /** Metadata says that it is an input: the app is not asked. */
  readonly declared: boolean;
}

class InputBindingManager implements InputBindings {
  readonly #deps: InputBindingsDeps;
  readonly #logger: Logger;
  readonly #calls: ComponentCallsSource;
  readonly #policies: PoliciesByName;
  readonly #inputs = new Map<string, Input>();
  readonly #readings = new Map<string, InputReading>();
  #channel: AppChannel | undefined;
  #closed = false;
  #abort = new AbortController();
  /** Changes run one after the other; this is the end of the line. */
  #line: Promise<void> = Promise.resolve();

  constructor(deps: InputBindingsDeps) {
    this.#deps = deps;
    this.#logger = deps.logger.scope("dapr.runtime.processor.binding");
    this.#calls = deps.calls ?? NO_CALLS;
    this.#policies = new PoliciesByName(deps.policies, "Binding", "inbound");
    deps.bindings.watch((name, loaded) => this.#changed(name, loaded));
  }

  start(channel: AppChannel): Promise<void> {
    if (this.#closed) {
      return Promise.resolve();
    }
    this.#channel = channel;
    this.#abort = new AbortController();
    return this.#inLine(
      async () => void (await Promise.all([...this.#inputs.values()].map((input) => this.#begin(input)))),
    );
  }

  stop(): Promise<void> {
    this.#channel = undefined;
    this.#abort.abort(new Error("input bindings are stopping"));
    return this.#inLine(
      async () => void (await Promise.all([...this.#readings.keys()].map((name) => this.#end(name)))),
    );
  }

  close(): Promise<void> {
    this.#closed = true;
    return this.stop();
  }

  /** Resolves when nothing is read any more from what was there under the name. */
  #changed(name: string, loaded: Loaded<Binding> | undefined): Promise<void> {
    const input = loaded === undefined ? undefined : inputOf(loaded);
    if (input === undefined) {
      this.#inputs.delete(name);
    } else {
      this.#inputs.set(name, input);
    }
    // Before the app is there nothing begins; `start` will.
    const isStarted = this.#channel !== undefined;
    return this.#inLine(async () => {
      await this.#end(name);
      const current = this.#inputs.get(name);
      if (isStarted && current !== undefined) {
        await this.#begin(current);
      }
    });
  }

  async #begin(input: Input): Promise<void> {
    const channel = this.#channel;
    if (channel === undefined || this.#readings.has(input.name)) {
      return;
    }
    try {
      if (!input.declared && !(await this.#appTakes(channel, input))) {
        this.#logger.info(`app has not subscribed to binding ${input.name}.`);
        return;
      }
      // The app may have gone while it was being asked.
      if (this.#channel === channel) {
        const reading = new InputReading(
          (event, signal) => this.#deliver(channel, input, event, signal),
          this.#deps.clock,
          this.#calls.of(input.name),
        );
        await reading.begin(input.component);
        this.#readings.set(input.name, reading);
      }
    } catch (error) {
      this.#logger.warn(`failed to read from bindings: ${errorMessage(error)} `);
    }
  }

  async #appTakes(channel: AppChannel, { name, route }: Input): Promise<boolean> {
    const late = new AbortController();
    const timer = this.#deps.clock.after(this.#deps.discoveryTimeoutMs, () =>
      late.abort(new Error("context deadline exceeded")),
    );
    try {
      return await channel.takesBinding({ name, route }, AbortSignal.any([late.signal, this.#abort.signal]));
    } finally {
      timer.cancel();
    }
  }

  async #deliver(
    channel: AppChannel,
    { name, route }: Input,
    event: BindingEvent,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const { data } = event;
    const span = eventSpan(this.#deps.tracer, name, event, channel.protocol);
    const metadata = span === undefined ? event.metadata : tracedMetadata(event.metadata, span);
    try {
      const reply = await guarded(
        this.#policies.of(name),
        (attempt) => channel.deliverBindingEvent({ name, route, data, metadata, trace: span }, attempt),
        { statusOf, signal },
      );
      span?.end();
      await followDirections(reply, this.#deps, this.#logger);
      return reply.body;
    } catch (error) {
      this.#logger.debug(`error from app consumer for binding [${name}]: ${errorMessage(error)}`);
      span?.fail(errorMessage(error));
      span?.end();
      throw error;
    }
  }

  async #end(name: string): Promise<void> {
    const reading = this.#readings.get(name);
    this.#readings.delete(name);
    try {
      await reading?.end();
    } catch (error) {
      this.#logger.warn(`error while stopping to read from binding ${name}: ${errorMessage(error)}`);
    }
  }

  #inLine(action: () => Promise<void>): Promise<void> {
    this.#line = this.#line.then(action);
    return this.#line;
  }
}

function statusOf(error: unknown): FailureStatus | undefined {
  return error instanceof AppAnswerError ? error.status : undefined;
}

function inputOf({ name, component, metadata }: Loaded<Binding>): Input | undefined {
  const directions = bindingDirections(metadata);
  if (component.read === undefined || directions?.has("input") === false) {
    return undefined;
  }
  const route = metadata["route"] ?? "";
  return {
    name,
    route: route === "" ? name : route,
    component: { read: component.read.bind(component) },
    declared: directions !== undefined,
  };
}
