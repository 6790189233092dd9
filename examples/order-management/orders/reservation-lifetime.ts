import type { DaprClient } from "@dapr/dapr";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { COMPONENTS, RESERVATION_SECONDS_SETTING } from "../model/names.ts";
import { reasonOf } from "../sdk/reason.ts";

/** Until the setting has been read, or where there is none. */
const SECONDS_DEFAULT = 10;
const SECONDS_MAX = 7 * 24 * 3600;

/** The SDK does not tell when its stream of changes has ended, as it does with the sidecar: it is begun anew. */
const RENEW_MS = 15_000;

/** After the sidecar could not be asked. */
const RETRY_MS = 2_000;

const settingSchema = z.string().regex(/^\d+$/).transform(Number).pipe(z.int().min(1).max(SECONDS_MAX));

/** How long a reservation lives, as the setting `reservation-seconds` says at any time. */
export class ReservationLifetime {
  #seconds = SECONDS_DEFAULT;

  get ms(): number {
    return this.#seconds * 1000;
  }

  /** Reads the setting and hears of its changes, also after the sidecar was away; never resolves. */
  async follow(client: DaprClient): Promise<never> {
    const keys = [RESERVATION_SECONDS_SETTING];
    for (;;) {
      try {
        const changes = await client.configuration.subscribeWithKeys(COMPONENTS.settings, keys, async ({ items }) => {
          this.take(items[RESERVATION_SECONDS_SETTING]?.value);
          await Promise.resolve();
        });
        const { items } = await client.configuration.get(COMPONENTS.settings, keys);
        this.take(items[RESERVATION_SECONDS_SETTING]?.value);
        await delay(RENEW_MS);
        changes.stop();
      } catch (error) {
        const why = `could not read ${RESERVATION_SECONDS_SETTING}: ${reasonOf(error)}`;
        console.error(`reservations live ${this.#seconds} s: ${why}`);
        await delay(RETRY_MS);
      }
    }
  }

  /** Takes over a value of the setting; one that is no number of seconds changes nothing. */
  take(value: string | undefined): void {
    const seconds = settingSchema.safeParse(value);
    if (!seconds.success) {
      console.error(`reservations live ${this.#seconds} s: ${RESERVATION_SECONDS_SETTING} is ${value ?? "missing"}`);
    } else if (seconds.data !== this.#seconds) {
      this.#seconds = seconds.data;
      console.log(`reservations live ${this.#seconds} s`);
    }
  }
}
