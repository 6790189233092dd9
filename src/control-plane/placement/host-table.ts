import type { Host } from "../../wire/gen/dapr/proto/placement/v1/placement_pb.js";
import type { TableSnapshot } from "./types.ts";

/** The hosts of one namespace that have actor types, by the number of their stream. */
export class HostTable {
  readonly #replicationFactor: number;
  /** In the order in which they came: of two streams with one host name, the later one is the sidecar that lives. */
  readonly #hosts = new Map<number, Host>();

  constructor(replicationFactor: number) {
    this.#replicationFactor = replicationFactor;
  }

  /** Takes what a stream reports; without actor types it is not in the table. @returns whether the table is another one */
  set(stream: number, host: Host): boolean {
    const known = this.#hosts.get(stream);
    if (host.entities.length === 0) {
      return this.#hosts.delete(stream);
    }
    const entities = host.entities.toSorted();
    const same =
      known !== undefined &&
      known.id === host.id &&
      known.name === host.name &&
      known.entities.length === entities.length &&
      entities.every((entity, index) => entity === known.entities[index]);
    if (!same) {
      this.#hosts.set(stream, { ...host, entities });
    }
    return !same;
  }

  delete(stream: number): boolean {
    return this.#hosts.delete(stream);
  }

  has(stream: number): boolean {
    return this.#hosts.has(stream);
  }

  get size(): number {
    return this.#hosts.size;
  }

  snapshot(version: number): TableSnapshot {
    const entries = new Map<string, Map<string, Host>>();
    for (const host of this.#hosts.values()) {
      for (const entity of host.entities) {
        const hosts = entries.get(entity);
        if (hosts === undefined) {
          entries.set(entity, new Map([[host.name, host]]));
        } else {
          hosts.set(host.name, host);
        }
      }
    }
    return { version, replicationFactor: this.#replicationFactor, entries };
  }

  hosts(): readonly Host[] {
    return [...this.#hosts.values()].toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }
}
