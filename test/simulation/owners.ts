import { RingHash } from "../../src/kit/ring-hash.ts";

const REPLICATION_FACTOR = 100;

/** Who owned which actor when, by the tables of the leading placement service. */
export class Owners {
  readonly #history: { readonly atMs: number; readonly hosts: string }[] = [];
  readonly #rings = new Map<string, RingHash>();

  /** What the tables are now. */
  seen(atMs: number, hosts: readonly string[]): void {
    const key = hosts.toSorted().join(" ");
    if (this.#history.at(-1)?.hosts !== key) {
      this.#history.push({ atMs, hosts: key });
    }
  }

  /**
   * The one who owned the actor all the time from then on; undefined when there were several, or none at some time, or the
   * caller's host was not among the hosts all the time.
   */
  onlyOwnerSince(sinceMs: number, id: string, caller: string): string | undefined {
    const first = this.#history.findLastIndex(({ atMs }) => atMs <= sinceMs);
    if (first === -1) {
      return undefined;
    }
    const tables = this.#history.slice(first).map(({ hosts }) => hosts);
    if (!tables.every((hosts) => hosts.split(" ").includes(caller))) {
      return undefined;
    }
    const owners = new Set(tables.map((hosts) => this.#ownerOf(hosts, id)));
    const [only] = owners;
    return owners.size === 1 ? only : undefined;
  }

  #ownerOf(hosts: string, id: string): string | undefined {
    let ring = this.#rings.get(hosts);
    if (ring === undefined) {
      ring = new RingHash(hosts === "" ? [] : hosts.split(" "), REPLICATION_FACTOR);
      this.#rings.set(hosts, ring);
    }
    return ring.ownerOf(id);
  }
}
