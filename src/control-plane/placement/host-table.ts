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
    const hosts = new Map<string, Host>();
    for (const host of this.#hosts.values()) {
      hosts.set(host.name, host);
    }
    return new Snapshot(version, this.#replicationFactor, hosts);
  }

  hosts(): readonly Host[] {
    return [...this.#hosts.values()].toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }
}

/**
 * The names of hosts that may lose actors when one table follows another: those of types that get a host more, and those
 * that host a type no longer. Where hosts only go, nobody else loses anything. @returns undefined: any may
 */
export function losersOf(before: TableSnapshot | undefined, after: TableSnapshot): ReadonlySet<string> | undefined {
  if (before === undefined) {
    return undefined;
  }
  const losers = new Set<string>();
  for (const [type, hosts] of after.entries) {
    const known = before.entries.get(type);
    if (known !== undefined && [...hosts.keys()].some((name) => !known.has(name))) {
      for (const name of known.keys()) {
        losers.add(name);
      }
    }
  }
  for (const [type, hosts] of before.entries) {
    for (const name of hosts.keys()) {
      if (after.entries.get(type)?.has(name) !== true) {
        losers.add(name);
      }
    }
  }
  return losers;
}

class Snapshot implements TableSnapshot {
  readonly version: number;
  readonly replicationFactor: number;
  readonly hosts: ReadonlyMap<string, Host>;
  #entries: Map<string, Map<string, Host>> | undefined;

  constructor(version: number, replicationFactor: number, hosts: ReadonlyMap<string, Host>) {
    this.version = version;
    this.replicationFactor = replicationFactor;
    this.hosts = hosts;
  }

  get entries(): ReadonlyMap<string, ReadonlyMap<string, Host>> {
    if (this.#entries !== undefined) {
      return this.#entries;
    }
    const entries = new Map<string, Map<string, Host>>();
    for (const host of this.hosts.values()) {
      for (const entity of host.entities) {
        const hosts = entries.get(entity);
        if (hosts === undefined) {
          entries.set(entity, new Map([[host.name, host]]));
        } else {
          hosts.set(host.name, host);
        }
      }
    }
    this.#entries = entries;
    return entries;
  }
}
