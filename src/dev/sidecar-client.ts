import { request } from "node:http";
import type { SubscriptionCondition, SubscriptionConditions } from "../blocks/pubsub/subscription-conditions.ts";
import type { ComponentCondition, ReloadState } from "../inventory/types.ts";

/** Milliseconds for one answer, and bytes of it that are read. */
const ANSWER_MS_MAX = 2_000;
const ANSWER_BYTES_MAX = 1024 * 1024;

/** Milliseconds for components that come up one after the other. */
const RELOAD_MS_MAX = 120_000;

/** A subscription as `GET /outrigger/v1/subscriptions` lists it. */
interface ListedCondition extends Pick<SubscriptionCondition, "topic" | "state" | "waitingFor" | "reason"> {
  readonly pubsubname: string;
  readonly source: SubscriptionCondition["source"]["kind"];
  readonly resource?: string;
  readonly store?: string;
  readonly place?: string;
}

/** A component as `GET /outrigger/v1/components` lists it. */
interface ListedComponent extends ComponentCondition {
  readonly since: string;
  readonly rejectedChange?: { readonly reason: string; readonly since: string };
}

/** Where a sidecar's HTTP API is, and the token it wants. */
export interface SidecarAddress {
  readonly host: string;
  readonly port: number;
  /** In place of host and port. */
  readonly socketPath: string | undefined;
  readonly apiToken: string;
}

/** The few calls that a session makes to a sidecar of another process. */
export class SidecarClient {
  readonly #address: SidecarAddress;

  constructor(address: SidecarAddress) {
    this.#address = address;
  }

  /** Whether the APIs are open; never rejects. */
  isOpen(): Promise<boolean> {
    return this.#succeeds("GET", "/v1.0/healthz/outbound");
  }

  /** Whether the app is there as well; never rejects. */
  isReady(): Promise<boolean> {
    return this.#succeeds("GET", "/v1.0/healthz");
  }

  async setMetadata(key: string, value: string): Promise<void> {
    await this.#succeeds("PUT", `/v1.0/metadata/${encodeURIComponent(key)}`, value);
  }

  /** @throws Error when there is no answer or it is none */
  async conditions(): Promise<readonly ComponentCondition[]> {
    const { body } = await this.#call("GET", "/outrigger/v1/components");
    const answer = JSON.parse(body) as { readonly components?: readonly ListedComponent[] };
    return (answer.components ?? []).map(({ rejectedChange: rejected, ...each }) => ({
      ...each,
      version: each.version ?? "",
      reason: each.reason ?? "",
      sinceMs: Date.parse(each.since),
      ...(rejected && { rejected: { reason: rejected.reason, sinceMs: Date.parse(rejected.since) } }),
    }));
  }

  /** Undefined: it does not follow changes. @throws Error when there is no answer or it is none */
  async reload(): Promise<ReloadState | undefined> {
    const { status, body } = await this.#call("POST", "/outrigger/v1/reload", "", RELOAD_MS_MAX);
    if (status !== 200) {
      throw new Error(`its answer to a reload has the status ${status}`);
    }
    return (JSON.parse(body) as { readonly reload?: ReloadState }).reload;
  }

  /** @throws Error when there is no answer or it is none */
  async subscriptions(): Promise<SubscriptionConditions> {
    const { body } = await this.#call("GET", "/outrigger/v1/subscriptions");
    const answer = JSON.parse(body) as {
      readonly programmatic?: SubscriptionConditions["programmatic"];
      readonly subscriptions?: readonly ListedCondition[];
    };
    return {
      programmatic: answer.programmatic ?? { state: "unknown" },
      subscriptions: (answer.subscriptions ?? []).map(conditionOf),
    };
  }

  async #succeeds(method: string, path: string, body?: string): Promise<boolean> {
    try {
      const { status } = await this.#call(method, path, body);
      return status >= 200 && status < 300;
    } catch {
      return false;
    }
  }

  #call(
    method: string,
    path: string,
    body = "",
    timeoutMs = ANSWER_MS_MAX,
  ): Promise<{ readonly status: number; readonly body: string }> {
    const { host, port, socketPath, apiToken } = this.#address;
    return new Promise((resolve, reject) => {
      const call = request({
        method,
        path,
        agent: false,
        timeout: timeoutMs,
        ...(socketPath === undefined ? { host, port } : { socketPath }),
        headers: {
          "content-length": Buffer.byteLength(body),
          ...(apiToken === "" ? {} : { "dapr-api-token": apiToken }),
        },
      });
      call.once("error", reject);
      call.once("timeout", () => call.destroy(new Error(`no answer from ${host}:${port} in ${timeoutMs} ms`)));
      call.once("response", (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => {
          text += part;
          if (text.length > ANSWER_BYTES_MAX) {
            call.destroy(new Error(`the answer to ${path} is longer than ${ANSWER_BYTES_MAX} bytes`));
          }
        });
        response.once("error", reject);
        response.once("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
      });
      call.end(body);
    });
  }
}

function conditionOf(listed: ListedCondition): SubscriptionCondition {
  return { ...listed, pubsubName: listed.pubsubname, source: sourceOf(listed) };
}

function sourceOf({
  source: kind,
  resource = "",
  store = "",
  place,
}: ListedCondition): SubscriptionCondition["source"] {
  switch (kind) {
    case "declarative": {
      const colon = place?.lastIndexOf(":") ?? -1;
      const known =
        place === undefined ? undefined : { file: place.slice(0, colon), line: Number(place.slice(colon + 1)) };
      return { kind, name: resource, place: known };
    }
    case "outbox":
      return { kind, store };
    case "programmatic":
    case "streaming":
      return { kind };
  }
}
