import { ADDRESSES_PER_APP_MAX, ADDRESS_TTL_MS, APPS_MAX } from "./limits.ts";

interface AppAddresses {
  /** Address → when it stops being trusted. */
  readonly expiries: Map<string, number>;
  turn: number;
}

/** Addresses of the apps that were looked up, given out in turn. Times are a monotonic clock's milliseconds. */
export class AddressCache {
  readonly #apps = new Map<string, AppAddresses>();

  /** Begins to remember an app's addresses; the app remembered longest makes room where there are too many. */
  watch(appId: string): void {
    if (this.#apps.has(appId)) {
      return;
    }
    if (this.#apps.size >= APPS_MAX) {
      const [oldest] = this.#apps.keys();
      this.#apps.delete(oldest ?? "");
    }
    this.#apps.set(appId, { expiries: new Map(), turn: 0 });
  }

  get apps(): Iterable<string> {
    return this.#apps.keys();
  }

  /** @returns whether the app is remembered at all */
  add(appId: string, address: string, nowMs: number): boolean {
    const app = this.#apps.get(appId);
    if (app === undefined || (app.expiries.size >= ADDRESSES_PER_APP_MAX && !app.expiries.has(address))) {
      return app !== undefined;
    }
    app.expiries.set(address, nowMs + ADDRESS_TTL_MS);
    return true;
  }

  remove(appId: string, address: string): void {
    this.#apps.get(appId)?.expiries.delete(address);
  }

  next(appId: string, nowMs: number): string | undefined {
    const app = this.#apps.get(appId);
    if (app === undefined) {
      return undefined;
    }
    for (const [address, expiry] of app.expiries) {
      if (expiry <= nowMs) {
        app.expiries.delete(address);
      }
    }
    if (app.expiries.size === 0) {
      return undefined;
    }
    app.turn = (app.turn + 1) % app.expiries.size;
    let index = 0;
    for (const address of app.expiries.keys()) {
      if (index === app.turn) {
        return address;
      }
      index += 1;
    }
    return undefined;
  }
}
