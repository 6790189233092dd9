import { RingHash, VirtualNodeCache } from "../../kit/ring-hash.ts";
import type { PlacementHost, PlacementTables } from "../../mesh/placement-stream.ts";
import { PENDING_RINGS_MAX } from "./limits.ts";

/** The hosts of one type on their ring. Types with the same hosts share it. */
interface OwnerRing {
  readonly ring: RingHash;
  readonly hosts: ReadonlyMap<string, PlacementHost>;
  /** What decides about owners. */
  readonly fingerprint: string;
}

/** Who owns the actors of one type, by the tables that all sidecars have and by those that came after them. */
export class TypeOwners {
  #current: OwnerRing;
  /** The rings before it, back to the one that was agreed on; undefined in quiet times. */
  #earlier: OwnerRing[] | undefined;
  /** More rings than are kept: no actor is known to stay where it was. */
  #isUnknown = false;

  constructor(current: OwnerRing, earlier: OwnerRing | undefined) {
    this.#current = current;
    this.#earlier = earlier === undefined ? undefined : [earlier];
  }

  /** By the last tables. */
  get fingerprint(): string {
    return this.#current.fingerprint;
  }

  /** Nobody hosts the type any more. */
  get isEmpty(): boolean {
    return this.#current.hosts.size === 0;
  }

  /** The tables differ from those that were agreed on, so that `moves` has to be asked. */
  get isChanging(): boolean {
    return this.#earlier !== undefined;
  }

  /** By the last tables; undefined: nobody hosts the type. */
  ownerOf(id: string): PlacementHost | undefined {
    const address = this.#current.ring.ownerOf(id);
    return address === undefined ? undefined : this.#current.hosts.get(address);
  }

  /** Whether the actor has had another owner in any table since the last that was agreed on. */
  moves(id: string): boolean {
    if (this.#earlier === undefined) {
      return false;
    }
    const owner = this.#current.ring.ownerOf(id);
    return this.#isUnknown || this.#earlier.some(({ ring }) => ring.ownerOf(id) !== owner);
  }

  change(next: OwnerRing): void {
    this.#earlier ??= [];
    if (this.#earlier.length < PENDING_RINGS_MAX) {
      this.#earlier.push(this.#current);
    } else {
      this.#isUnknown = true;
    }
    this.#current = next;
  }

  agree(): void {
    this.#earlier = undefined;
    this.#isUnknown = false;
  }
}

const NO_RING: OwnerRing = { ring: new RingHash([], 0), hosts: new Map(), fingerprint: "" };

/** Who owns which actor, as the tables say. */
export class PlacementMap {
  readonly #cache = new VirtualNodeCache();
  #types = new Map<string, TypeOwners>();
  #addresses: ReadonlySet<string> = new Set();
  #knownAddresses = new Set<string>();
  #hasTables = false;

  /** Tables have come. */
  get hasTables(): boolean {
    return this.#hasTables;
  }

  /** Undefined: nobody hosts the type, nor did before the tables that are not agreed on yet. */
  ownersOf(type: string): TypeOwners | undefined {
    return this.#types.get(type);
  }

  /** By the last tables; undefined: nobody hosts the type. */
  ownerOf(type: string, id: string): PlacementHost | undefined {
    return this.#types.get(type)?.ownerOf(id);
  }

  /** Whether the actor has another owner now than in the tables that were agreed on last, or had one meanwhile. */
  moves(type: string, id: string): boolean {
    return this.#types.get(type)?.moves(id) ?? false;
  }

  /** Whether a host is in the last tables. */
  hasHost(address: string): boolean {
    return this.#addresses.has(address);
  }

  /** The hosts of the last tables and of those before them, back to the ones that were agreed on. */
  get knownAddresses(): readonly string[] {
    return [...this.#knownAddresses];
  }

  /**
   * @returns the hosts that are not there any more
   * @throws RangeError for tables beyond the ring's limit, which leaves the map as it was
   */
  update({ types, replicationFactor }: PlacementTables): readonly string[] {
    const rings = new Map<string, OwnerRing>();
    const addresses = new Set<string>();
    const changes: (readonly [string, OwnerRing])[] = [];
    for (const [type, hosts] of types) {
      const sorted = hosts.toSorted((a, b) => (a.address < b.address ? -1 : 1));
      const fingerprint = JSON.stringify([replicationFactor, sorted.map(({ address, appId }) => [address, appId])]);
      for (const { address } of hosts) {
        addresses.add(address);
      }
      if (this.#types.get(type)?.fingerprint !== fingerprint) {
        const ring = rings.get(fingerprint) ?? this.#ringOf(sorted, replicationFactor, fingerprint);
        rings.set(fingerprint, ring);
        changes.push([type, ring]);
      }
    }
    for (const [type, owners] of this.#types) {
      if (!types.has(type) && !owners.isEmpty) {
        changes.push([type, NO_RING]);
      }
    }
    this.#cache.keep(addresses);
    for (const [type, ring] of changes) {
      const known = this.#types.get(type);
      if (known === undefined) {
        this.#types.set(type, new TypeOwners(ring, NO_RING));
      } else {
        known.change(ring);
      }
    }
    const gone = [...this.#addresses].filter((address) => !addresses.has(address));
    this.#addresses = addresses;
    for (const address of addresses) {
      this.#knownAddresses.add(address);
    }
    this.#hasTables = true;
    return gone;
  }

  /** All sidecars have the last tables. */
  agree(): void {
    this.#knownAddresses = new Set(this.#addresses);
    for (const [type, owners] of this.#types) {
      owners.agree();
      if (owners.isEmpty) {
        this.#types.delete(type);
      }
    }
  }

  #ringOf(sorted: readonly PlacementHost[], factor: number, fingerprint: string): OwnerRing {
    const hosts = new Map(sorted.map((host) => [host.address, host]));
    return { ring: new RingHash([...hosts.keys()], factor, this.#cache), hosts, fingerprint };
  }
}
