import type { Clock } from "../kit/clock.ts";
import type { Logger } from "../kit/logger.ts";
import type { Random } from "../kit/random.ts";

/** What any channel to the app is told, whatever the app speaks. */
export interface AppChannelOptions {
  readonly appId: string;
  /** `http://host:port` or `host:port`; only for the texts of errors. */
  readonly address: string;
  /** Sent with every call as `dapr-api-token`; empty: none. */
  readonly appToken: string;
  /** Calls to the app at once; 0 or less: no limit. */
  readonly maxConcurrency: number;
  /** Path of the HTTP health probe, with or without a leading slash. */
  readonly healthPath: string;
  /** Bytes of a body that must be held whole; 0: no limit. */
  readonly maxBodyBytes: number;
  /** Asked before every call but probes; without health checks the app counts as healthy. */
  readonly isHealthy?: (() => boolean) | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}
