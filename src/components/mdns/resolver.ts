import { hostname } from "node:os";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import type { Clock, Timer } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import { guessableUuid } from "../../kit/random.ts";
import type { ComponentDeps } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import type { Instance, NameResolver, ResolveRequest } from "../spi/name-resolution.ts";
import { AddressCache } from "./address-cache.ts";
import { ANNOUNCE_AGAIN_MS, BROWSE_MS, BROWSE_REPEATS_MS, REFRESH_INTERVAL_MS } from "./limits.ts";
import { joinMulticast, type Multicast } from "./multicast.ts";
import { announcement, answerTo, browseQuestion, heardIn, type ServiceNames, serviceNames } from "./records.ts";

/** The factory of the `mdns` component. */
export function createMdnsResolver(deps: ComponentDeps): NameResolver {
  return new MdnsResolver(deps, () => joinMulticast(deps.logger));
}

interface Announced {
  readonly names: ServiceNames;
  readonly instance: Instance;
}

/** Finds and announces sidecars by multicast DNS, as daprd's default resolver does. Namespaces play no part. */
export class MdnsResolver implements NameResolver {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #deps: ComponentDeps;
  readonly #join: () => Multicast;
  readonly #cache = new AddressCache();
  /** Lookups under way by app, shared by all who ask meanwhile. */
  readonly #lookups = new Map<string, Lookup>();
  readonly #timers = new Set<Timer>();
  #multicast: Multicast | undefined;
  #announced: Announced | undefined;

  constructor(deps: ComponentDeps, join: () => Multicast) {
    this.#deps = deps;
    this.#clock = deps.clock;
    this.#logger = deps.logger;
    this.#join = join;
  }

  init(): Promise<void> {
    const multicast = this.#join();
    this.#multicast = multicast;
    multicast.onQuery((packet) => {
      const announced = this.#announced;
      const answer = announced === undefined ? undefined : answerTo(packet, announced.names, announced.instance);
      if (answer !== undefined) {
        multicast.respond(answer);
      }
    });
    multicast.onResponse((packet) => {
      for (const { appId, address, gone } of heardIn(packet)) {
        this.#hear(appId, address, gone);
      }
    });
    this.#timers.add(this.#clock.every(REFRESH_INTERVAL_MS, () => this.#refresh()));
    return Promise.resolve();
  }

  announce(instance: Instance): Promise<void> {
    if (instance.appId === "") {
      return Promise.reject(new ComponentError("invalidMetadata", "name is missing"));
    }
    if (instance.address === "") {
      return Promise.reject(new ComponentError("invalidMetadata", "address is missing"));
    }
    if (instance.internalGrpcPort <= 0) {
      return Promise.reject(new ComponentError("invalidMetadata", "port is missing or invalid"));
    }
    const label = `${hostname()}:${guessableUuid(this.#deps.random)}`;
    const announced = { names: serviceNames(instance.appId, label, hostname()), instance };
    this.#announced = announced;
    const say = (): void => this.#multicast?.respond(announcement(announced.names, instance, false));
    say();
    this.#timers.add(this.#clock.after(ANNOUNCE_AGAIN_MS, say));
    this.#logger.info(
      `local service entry announced: ${instance.appId} -> ${instance.address}:${instance.internalGrpcPort}`,
    );
    return Promise.resolve();
  }

  resolve(request: ResolveRequest, signal?: CancelSignal): Promise<string> {
    const { appId } = request;
    const cached = this.#cache.next(appId, this.#clock.monotonicMs());
    if (cached !== undefined) {
      return Promise.resolve(cached);
    }
    if (signal?.aborted === true) {
      return Promise.reject(signal.reason);
    }
    const lookup = this.#lookups.get(appId) ?? this.#browse(appId);
    return signal === undefined ? lookup.promise : abortable(lookup.promise, signal);
  }

  forget(request: ResolveRequest, address: string): void {
    this.#cache.remove(request.appId, address);
  }

  async close(): Promise<void> {
    const multicast = this.#multicast;
    const announced = this.#announced;
    this.#multicast = undefined;
    this.#announced = undefined;
    for (const timer of this.#timers) {
      timer.cancel();
    }
    this.#timers.clear();
    for (const [appId, lookup] of this.#lookups) {
      lookup.fail(notFound(appId));
    }
    this.#lookups.clear();
    if (multicast !== undefined && announced !== undefined) {
      multicast.respond(announcement(announced.names, announced.instance, true));
    }
    await multicast?.close();
  }

  #hear(appId: string, address: string, gone: boolean): void {
    if (gone) {
      this.#cache.remove(appId, address);
    } else if (this.#cache.add(appId, address, this.#clock.monotonicMs())) {
      this.#lookups.get(appId)?.succeed(address);
    }
  }

  #browse(appId: string): Lookup {
    this.#cache.watch(appId);
    const ask = (): void => this.#multicast?.query(browseQuestion(appId));
    const timers = BROWSE_REPEATS_MS.map((delayMs) => this.#clock.after(delayMs, ask));
    timers.push(this.#clock.after(BROWSE_MS, () => lookup.fail(notFound(appId))));
    const lookup = new Lookup(() => {
      for (const timer of timers) {
        timer.cancel();
      }
      this.#lookups.delete(appId);
    });
    this.#lookups.set(appId, lookup);
    ask();
    return lookup;
  }

  #refresh(): void {
    for (const appId of this.#cache.apps) {
      this.#multicast?.query(browseQuestion(appId));
    }
  }
}

/** A promise settled from outside, once; whoever settles it runs `onEnd` first. */
class Lookup {
  readonly promise: Promise<string>;
  readonly #onEnd: () => void;
  #resolve!: (address: string) => void;
  #reject!: (error: Error) => void;

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.promise.catch(() => undefined);
  }

  succeed(address: string): void {
    this.#onEnd();
    this.#resolve(address);
  }

  fail(error: Error): void {
    this.#onEnd();
    this.#reject(error);
  }
}

function notFound(appId: string): ComponentError {
  return new ComponentError("notFound", `couldn't find service: ${appId}`);
}

function abortable(promise: Promise<string>, signal: CancelSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
