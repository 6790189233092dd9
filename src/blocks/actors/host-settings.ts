import { formatGoDuration, parseGoDuration } from "../../kit/duration.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import { DRAIN_MS_DEFAULT, DRAIN_SHARE_MAX, IDLE_MS_DEFAULT, STACK_DEPTH_DEFAULT } from "./limits.ts";
import type { ActorTypeSettings, HostedActors } from "./types.ts";

/** The fields of an app's answer as they came; what is of the wrong kind counts as absent. */
export type HostConfig = Readonly<Record<string, unknown>>;

/** An app's answer about its actors cannot be used. */
export class HostSettingsError extends Error {
  override readonly name = "HostSettingsError";
}

/**
 * Reads the app's answer to `GET /dapr/config` (compatibility.md 1.6).
 * @throws HostSettingsError for an answer that is no JSON object, or as `hostSettingsOf` does
 */
export function parseHostSettings(
  body: Uint8Array,
  disseminationTimeoutMs: number,
  logger: Logger,
): Omit<HostedActors, "host"> {
  return hostSettingsOf(parseObject(body), disseminationTimeoutMs, logger);
}

/**
 * What an app hosts, by the fields of its configuration. A type with settings of its own takes nothing from the common
 * ones, as in Dapr.
 *
 * @param disseminationTimeoutMs drains that would take that long are shortened
 * @throws HostSettingsError for a common duration that is none
 */
export function hostSettingsOf(
  config: HostConfig,
  disseminationTimeoutMs: number,
  logger: Logger,
): Omit<HostedActors, "host"> {
  const clamp = (drainMs: number, source: string): number =>
    clampDrain(drainMs, disseminationTimeoutMs, source, logger);
  const common: ActorTypeSettings = {
    idleMs: duration(config["actorIdleTimeout"], "default actor idle timeout") ?? IDLE_MS_DEFAULT,
    reentrancy: reentrancyOf(config["reentrancy"]),
    drainMs: undefined,
  };
  const drainMs = duration(config["drainOngoingCallTimeout"], "drain ongoing call timeout");
  const types = new Map(texts(config["entities"]).map((type) => [type, common]));
  if (config["remindersStoragePartitions"] !== undefined && config["remindersStoragePartitions"] !== 0) {
    logger.warn("remindersStoragePartitions has no effect: reminders are kept by the scheduler service");
  }
  for (const entry of objects(config["entitiesConfig"])) {
    const entities = texts(entry["entities"]);
    const settings = entitySettings(entry, entities, clamp, logger);
    for (const type of entities) {
      if (types.has(type)) {
        types.set(type, settings);
      } else {
        logger.warn(`Configuration specified for non-hosted actor type: ${type}`);
      }
    }
  }
  return {
    types,
    drainMs: drainMs === undefined ? DRAIN_MS_DEFAULT : clamp(drainMs, "global config"),
    drainRebalanced: config["drainRebalancedActors"] !== false,
  };
}

function entitySettings(
  entry: HostConfig,
  entities: readonly string[],
  clamp: (drainMs: number, source: string) => number,
  logger: Logger,
): ActorTypeSettings {
  const lenient = (name: string, what: string, fallbackMs: number): number | undefined => {
    try {
      return duration(entry[name], what);
    } catch {
      const fallback = formatGoDuration(fallbackMs);
      logger.warn(`Invalid ${what} value ${String(entry[name])}, using default value ${fallback}`);
      return undefined;
    }
  };
  const drainMs = lenient("drainOngoingCallTimeout", "drain ongoing call timeout", DRAIN_MS_DEFAULT);
  const source = `entities=${entities.length === 0 ? "<none>" : entities.join(",")}`;
  return {
    idleMs: lenient("actorIdleTimeout", "actor idle timeout", IDLE_MS_DEFAULT) ?? IDLE_MS_DEFAULT,
    reentrancy: reentrancyOf(entry["reentrancy"]),
    drainMs: drainMs === undefined ? undefined : clamp(drainMs, source),
  };
}

/** A drain as long as the round would let the placement stream be reset in the middle of it. */
function clampDrain(drainMs: number, limitMs: number, source: string, logger: Logger): number {
  if (drainMs < limitMs) {
    return drainMs;
  }
  const clampedMs = Math.max(limitMs * DRAIN_SHARE_MAX, DRAIN_MS_DEFAULT);
  logger
    .scope("dapr.runtime.actor.config")
    .warn(
      `drainOngoingCallTimeout (${formatGoDuration(drainMs)}) for ${source} meets or exceeds the dissemination timeout (${formatGoDuration(limitMs)}); clamping to ${formatGoDuration(clampedMs)} to avoid blocking placement dissemination`,
    );
  return clampedMs;
}

function reentrancyOf(value: unknown): ActorTypeSettings["reentrancy"] {
  const { enabled, maxStackDepth } = isObject(value) ? value : {};
  return {
    enabled: enabled === true,
    stackDepthMax: typeof maxStackDepth === "number" ? maxStackDepth : STACK_DEPTH_DEFAULT,
  };
}

function duration(value: unknown, what: string): number | undefined {
  if (typeof value !== "string" || value === "") {
    return undefined;
  }
  try {
    return parseGoDuration(value);
  } catch (error) {
    throw new HostSettingsError(`failed to parse ${what}: ${errorMessage(error)}`, { cause: error });
  }
}

function parseObject(body: Uint8Array): HostConfig {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(body).toString());
  } catch (error) {
    throw new HostSettingsError(`the app's configuration is no JSON: ${errorMessage(error)}`, { cause: error });
  }
  if (!isObject(parsed)) {
    throw new HostSettingsError("the app's configuration is no JSON object");
  }
  return parsed;
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}

function objects(value: unknown): readonly HostConfig[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function isObject(value: unknown): value is HostConfig {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
