import { GRPC_STATUS } from "../../../errors/grpc-status.ts";
import type { CancelSignal } from "../../../kit/cancel-signal.ts";
import { GrpcError } from "../../../net/grpc/status.ts";

/** host:port of every scheduler there is, for all who want to know them. */
export class HostList {
  #hosts: readonly string[] | undefined;
  #changed = Promise.withResolvers<void>();

  /** Undefined until they are known. */
  get hosts(): readonly string[] | undefined {
    return this.#hosts;
  }

  set hosts(hosts: readonly string[] | undefined) {
    this.#hosts = hosts;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** The hosts, once they are known, and again whenever they change; a slow reader gets only the newest. Ends by throwing. */
  async *watch(cancelled: CancelSignal, stopping: CancelSignal): AsyncGenerator<readonly string[]> {
    const over = Promise.withResolvers<never>();
    over.promise.catch(() => undefined);
    const onStop = (): void => over.reject(new GrpcError(GRPC_STATUS.UNKNOWN, "cron closed"));
    const onCancel = (): void => over.reject(new GrpcError(GRPC_STATUS.CANCELLED, "context canceled"));
    stopping.addEventListener("abort", onStop, { once: true });
    cancelled.addEventListener("abort", onCancel, { once: true });
    try {
      for (let told: readonly string[] | undefined; ;) {
        const changed = this.#changed.promise;
        if (this.#hosts !== undefined && this.#hosts !== told) {
          told = this.#hosts;
          yield told;
        } else {
          await Promise.race([changed, over.promise]);
        }
      }
    } finally {
      stopping.removeEventListener("abort", onStop);
      cancelled.removeEventListener("abort", onCancel);
    }
  }
}

/** Where an address stands among all, in their order, as Dapr's schedulers divide limits; the first where it is not one of them. */
export function shareOfHost(hosts: readonly string[], address: string): { index: number; total: number } {
  const sorted = hosts.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return { index: Math.max(0, sorted.indexOf(address)), total: Math.max(1, hosts.length) };
}
