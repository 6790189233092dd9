import { type CronSchedule, InvalidScheduleError, parseCron } from "../../kit/cron.ts";
import type { BindingHandler, BindingReading, InputBinding } from "../spi/bindings.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import { decodeMetadata } from "../spi/metadata.ts";
import { cronFields } from "./manifest.ts";
import { CronReading } from "./reading.ts";

export function createCronBinding(deps: ComponentDeps): InputBinding {
  return new CronBinding(deps);
}

class CronBinding implements InputBinding {
  readonly #deps: ComponentDeps;
  readonly #readings = new Set<CronReading>();
  #schedule: CronSchedule | undefined;

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
  }

  async init(metadata: ComponentMetadata): Promise<void> {
    const { name: component, logger } = this.#deps;
    const { schedule } = decodeMetadata(cronFields, metadata, { component, logger });
    try {
      this.#schedule = parseCron(schedule, Intl.DateTimeFormat().resolvedOptions().timeZone);
    } catch (cause) {
      if (cause instanceof InvalidScheduleError) {
        throw new ComponentError("invalidMetadata", `invalid schedule format '${schedule}': ${cause.message}`, {
          cause,
          facts: { component, field: "schedule" },
        });
      }
      throw cause;
    }
  }

  async read(handler: BindingHandler): Promise<BindingReading> {
    if (this.#schedule === undefined) {
      throw new ComponentError("unavailable", "binding is closed");
    }
    const reading = new CronReading(this.#schedule, handler, this.#deps);
    this.#readings.add(reading);
    return {
      close: async () => {
        this.#readings.delete(reading);
        await reading.close();
      },
    };
  }

  async close(): Promise<void> {
    this.#schedule = undefined;
    const readings = [...this.#readings];
    this.#readings.clear();
    await Promise.all(readings.map((reading) => reading.close()));
  }
}
