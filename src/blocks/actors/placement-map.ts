import { RingHash, VirtualNodeCache } from "../../kit/ring-hash.ts";
import type { PlacementHost, PlacementTables } from "../../mesh/placement-stream.ts";

interface TypeRing {
  readonly ring: RingHash;
  readonly appIds: ReadonlyMap<string, string>;
  /** What decides about owners, to tell whether a table differs. */
  readonly fingerprint: string;
}

/** Who owns which actor, as the last tables say. */
export class PlacementMap {
  readonly #cache = new VirtualNodeCache();
  #types = new Map<string, TypeRing>();

  /** @returns the types whose actors may have another owner now. @throws RangeError for tables beyond the ring's limit */
  update({ types, replicationFactor }: PlacementTables): ReadonlySet<string> {
    const next = new Map<string, TypeRing>();
    const changed = new Set<string>();
    for (const [type, hosts] of types) {
      const known = this.#types.get(type);
      const sorted = hosts.toSorted((a, b) => (a.address < b.address ? -1 : 1));
      const fingerprint = JSON.stringify([replicationFactor, sorted.map(({ address, appId }) => [address, appId])]);
      if (known?.fingerprint === fingerprint) {
        next.set(type, known);
        continue;
      }
      changed.add(type);
      next.set(type, this.#ringOf(sorted, replicationFactor, fingerprint));
    }
    for (const type of this.#types.keys()) {
      if (!next.has(type)) {
        changed.add(type);
      }
    }
    this.#types = next;
    return changed;
  }

  /** Undefined: nobody hosts the type. */
  ownerOf(type: string, id: string): PlacementHost | undefined {
    const known = this.#types.get(type);
    const address = known?.ring.ownerOf(id);
    return address === undefined ? undefined : { address, appId: known?.appIds.get(address) ?? "" };
  }

  #ringOf(hosts: readonly PlacementHost[], factor: number, fingerprint: string): TypeRing {
    const ring = new RingHash(
      hosts.map((host) => host.address),
      factor,
      this.#cache,
    );
    return { ring, appIds: new Map(hosts.map(({ address, appId }) => [address, appId])), fingerprint };
  }
}
