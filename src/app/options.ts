import type { MiddlewarePipeline } from "../components/spi/middleware.ts";
import type { Clock } from "../kit/clock.ts";
import type { Logger } from "../kit/logger.ts";
import type { Policy } from "../resiliency/types.ts";
import type { HttpCallObserver } from "./http-requester.ts";

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
  /** Counts calls of HTTP apps and their probes; absent: nobody counts. */
  readonly observer?: HttpCallObserver | undefined;
  /** `spec.appHttpPipeline`, around calls of HTTP apps but probes; absent: there is none. */
  readonly pipeline?: MiddlewarePipeline | undefined;
  readonly clock: Clock;
  /** For questions that an app must answer before it can be served; absent: they are asked once. */
  readonly initRetries?: Policy | undefined;
  readonly logger: Logger;
}
