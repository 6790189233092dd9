import type { CancelSignal } from "../../kit/cancel-signal.ts";
import type { Timer } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import { headerValue } from "../../net/http/headers.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import type { Instance, NameResolver, ResolveRequest } from "../spi/name-resolution.ts";
import { AgentClient, AgentStatusError } from "./agent-client.ts";
import { instancesOf, instancesQuery, type ListedInstances, milliseconds } from "./instances.ts";
import {
  AVOIDED_MAX,
  AVOIDED_MS,
  REGISTRATION_CHECK_MS,
  RETRY_MS_MAX,
  RETRY_MS_MIN,
  WATCH_GRACE_MS,
  WATCH_WAIT_MS,
} from "./limits.ts";
import { type ConsulOptions, readOptions } from "./options.ts";
import { type Registration, registrationOf } from "./registration.ts";
import { WatchedApps } from "./watched-apps.ts";

const NOT_FOUND = 404;

/** An agent adds up to this part of a blocking query's time to it. */
const WAIT_SPREAD = 16;

/** What the agent knows of an app, and as of which of its indexes. */
interface Answered extends ListedInstances {
  readonly index: number | undefined;
}

/** The factory of the resolver `consul`. */
export function createConsulNameResolver(deps: ComponentDeps): NameResolver {
  return new ConsulNameResolver(deps);
}

/**
 * Asks a Consul agent for the healthy instances of an app, and registers its own. An agent that cannot be reached costs the
 * calls of that time: it is asked again with each call, and registered with as soon as it is there.
 */
class ConsulNameResolver implements NameResolver {
  readonly #deps: ComponentDeps;
  #options: ConsulOptions | undefined;
  #agent: AgentClient | undefined;
  #watched: WatchedApps | undefined;
  #registration: Registration | undefined;
  #isRegistered = false;
  #timer: Timer | undefined;
  #closing: Promise<void> | undefined;
  /** Addresses at which nobody answered, and until when they are avoided. */
  readonly #avoided = new Map<string, number>();

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
  }

  async init(metadata: ComponentMetadata, signal: AbortSignal): Promise<void> {
    const { clock, logger, environment } = this.#deps;
    const options = readOptions(metadata, environment);
    if (!options.agent.tls.verify) {
      logger.info("hashicorp consul: you are using 'insecureSkipVerify' to skip server config verify which is unsafe!");
    }
    this.#options = options;
    const agent = new AgentClient(options.agent, clock);
    this.#agent = agent;
    if (options.configuration.UseCache === true) {
      this.#watched = new WatchedApps((appId, index, cancel) => this.#query(appId, { index }, cancel), clock, logger);
    }
    const { SelfRegister, AdvancedRegistration } = options.configuration;
    if (SelfRegister !== true && AdvancedRegistration === undefined) {
      await agent.request({ path: "/v1/agent/self", signal }).catch((error: unknown) => {
        logger.error(`failed check on consul agent: ${errorMessage(error)}; it is asked again with each call`);
      });
    }
  }

  async announce(instance: Instance): Promise<void> {
    const { options } = this.#opened();
    this.#registration = registrationOf(options, instance);
    if (this.#registration !== undefined) {
      await this.#register(this.#registration, RETRY_MS_MIN);
    }
  }

  async resolve({ appId }: ResolveRequest, signal?: CancelSignal): Promise<string> {
    const known = this.#watched?.find(appId);
    if (known !== undefined) {
      return this.#pick(known);
    }
    const { addresses, lackPort } = await this.#query(appId, undefined, signal);
    if (addresses.length === 0) {
      throw new ComponentError(
        "notFound",
        lackPort
          ? `target service AppID '${appId}' found but ${this.#options?.portKey ?? ""} missing from meta`
          : `no healthy services found with AppID '${appId}'`,
      );
    }
    return this.#pick(addresses);
  }

  forget(_request: ResolveRequest, address: string): void {
    if (this.#avoided.size >= AVOIDED_MAX) {
      this.#avoided.clear();
    }
    this.#avoided.set(address, this.#deps.clock.monotonicMs() + AVOIDED_MS);
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    this.#timer?.cancel();
    this.#watched?.close();
    const registration = this.#registration;
    if (registration !== undefined && this.#isRegistered && this.#options?.configuration.SelfDeregister === true) {
      await this.#deregister(registration);
    }
    await this.#agent?.close();
  }

  #opened(): { readonly options: ConsulOptions; readonly agent: AgentClient } {
    if (this.#options === undefined || this.#agent === undefined || this.#closing !== undefined) {
      throw new ComponentError("unavailable", "component is closed");
    }
    return { options: this.#options, agent: this.#agent };
  }

  /** One at random; of those at which somebody answered, where there are such. */
  #pick(addresses: readonly string[]): string {
    const now = this.#deps.clock.monotonicMs();
    const good =
      this.#avoided.size === 0 ? addresses : addresses.filter((each) => (this.#avoided.get(each) ?? 0) <= now);
    const among = good.length === 0 ? addresses : good;
    return among[Math.floor(this.#deps.random.next() * among.length)] ?? "";
  }

  /** @param watch absent: the agent answers at once; otherwise not before there is something newer than `index` */
  async #query(
    appId: string,
    watch: { readonly index: number | undefined } | undefined,
    signal: CancelSignal | undefined,
  ): Promise<Answered> {
    const { options, agent } = this.#opened();
    const { QueryOptions } = options.configuration;
    // Blocking queries and the agent's cache do not go together.
    const asked = watch === undefined ? QueryOptions : { ...QueryOptions, UseCache: false };
    const { path, query, headers } = instancesQuery(appId, asked);
    const waitMs = milliseconds(QueryOptions?.WaitTime || options.agent.waitTime) || WATCH_WAIT_MS;
    const isBlocking = watch?.index !== undefined;
    if (isBlocking) {
      query.set("index", String(watch.index));
      query.set("wait", `${waitMs}ms`);
    }
    try {
      const answer = await agent.request({
        path,
        query,
        headers,
        token: QueryOptions?.Token,
        signal,
        ...(isBlocking ? { timeoutMs: waitMs + Math.ceil(waitMs / WAIT_SPREAD) + WATCH_GRACE_MS } : {}),
      });
      const index = Number(headerValue(answer.headers, "x-consul-index"));
      return {
        ...instancesOf(answer.body, options.portKey),
        index: Number.isSafeInteger(index) && index > 0 ? index : undefined,
      };
    } catch (error) {
      throw new ComponentError("unavailable", `failed to query healthy consul services: ${errorMessage(error)}`, {
        cause: error,
      });
    }
  }

  /** Never fails: an agent that is not there yet is tried again until it is. */
  async #register(registration: Registration, retryMs: number): Promise<void> {
    const { logger } = this.#deps;
    try {
      await this.#opened().agent.request({
        method: "PUT",
        path: "/v1/agent/service/register",
        body: registration.body,
      });
      this.#isRegistered = true;
      logger.info(`service:${registration.name} registered on consul agent`);
      this.#later(REGISTRATION_CHECK_MS, () => this.#check(registration));
    } catch (error) {
      logger.error(`failed to register consul service: ${errorMessage(error)}; it is tried again in ${retryMs} ms`);
      this.#later(retryMs, () => this.#register(registration, Math.min(retryMs * 2, RETRY_MS_MAX)));
    }
  }

  /** An agent that has lost its data, or is another one now, gets the registration again. */
  async #check(registration: Registration): Promise<void> {
    try {
      await this.#opened().agent.request({ path: `/v1/agent/service/${encodeURIComponent(registration.id)}` });
    } catch (error) {
      if (error instanceof AgentStatusError && error.status === NOT_FOUND) {
        this.#deps.logger.warn(`the consul agent does not know ${registration.id} any more; it is registered again`);
        await this.#register(registration, RETRY_MS_MIN);
        return;
      }
    }
    this.#later(REGISTRATION_CHECK_MS, () => this.#check(registration));
  }

  #later(delayMs: number, action: () => Promise<void>): void {
    if (this.#closing === undefined) {
      this.#timer = this.#deps.clock.after(delayMs, () => void action());
    }
  }

  async #deregister({ id }: Registration): Promise<void> {
    const { logger } = this.#deps;
    try {
      await this.#agent?.request({ method: "PUT", path: `/v1/agent/service/deregister/${encodeURIComponent(id)}` });
      logger.info("deregistered service from consul");
    } catch (error) {
      logger.warn(`failed to deregister consul service: ${errorMessage(error)}`);
    }
  }
}
