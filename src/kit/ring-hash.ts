import { hash } from "node:crypto";

/** Positions of one ring: `hosts × factor`. What an index may be for the sort below to be exact. */
export const RING_POSITIONS_MAX = 2 ** 21;

/** Keys whose owners a ring remembers, about 100 bytes each; then it forgets all and begins anew. */
const REMEMBERED_MAX = 4_096;

/** The positions of one host, in the order of its virtual nodes: high and low halves of 64 bits. */
interface VirtualNodes {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
}

/**
 * Remembers where hosts stand, which takes a hash for each virtual node: a table differs from the one before by a host or
 * two. It grows with every host until it is told which ones are still there.
 */
export class VirtualNodeCache {
  #factor = 0;
  readonly #nodes = new Map<string, VirtualNodes>();

  /** @internal Called by `RingHash`. */
  nodesOf(hosts: readonly string[], factor: number): readonly VirtualNodes[] {
    if (factor !== this.#factor) {
      this.#factor = factor;
      this.#nodes.clear();
    }
    return hosts.map((host) => {
      const nodes = this.#nodes.get(host) ?? virtualNodes(host, factor);
      this.#nodes.set(host, nodes);
      return nodes;
    });
  }

  /** Forgets all other hosts. */
  keep(hosts: ReadonlySet<string>): void {
    for (const host of this.#nodes.keys()) {
      if (!hosts.has(host)) {
        this.#nodes.delete(host);
      }
    }
  }
}

/**
 * Dapr's consistent hash (`pkg/placement/hashing`), bit for bit: tables carry hosts only, and every sidecar must find the
 * same owner. Each host stands on the ring `factor` times, at the first 8 bytes, little-endian, of the BLAKE2b-512 of its
 * name and a decimal number; an actor id is hashed the same way and belongs to the next position at or after its own.
 */
export class RingHash {
  readonly hosts: readonly string[];
  readonly #high: Uint32Array;
  readonly #low: Uint32Array;
  readonly #owner: Uint32Array;
  readonly #remembered = new Map<string, string>();

  /**
   * @param hosts names without doubles
   * @param factor positions of each host; a whole number, at least 1 for a ring that is not empty
   * @throws RangeError beyond `RING_POSITIONS_MAX` positions
   */
  constructor(hosts: readonly string[], factor: number, cache: VirtualNodeCache = new VirtualNodeCache()) {
    const size = hosts.length * factor;
    if (!Number.isInteger(factor) || factor < 0 || size > RING_POSITIONS_MAX) {
      throw new RangeError(
        `a ring of ${hosts.length} hosts with ${factor} virtual nodes each is beyond the limit of ${RING_POSITIONS_MAX} positions; lower the replication factor of the placement service`,
      );
    }
    this.hosts = hosts;
    this.#high = new Uint32Array(size);
    this.#low = new Uint32Array(size);
    this.#owner = new Uint32Array(size);
    const nodes = cache.nodesOf(hosts, factor);
    sortedPositions(nodes, factor).forEach((from, to) => {
      const host = Math.floor(from / factor);
      const { high, low } = nodes[host] as VirtualNodes;
      this.#high[to] = high[from % factor] as number;
      this.#low[to] = low[from % factor] as number;
      this.#owner[to] = host;
    });
  }

  get size(): number {
    return this.#owner.length;
  }

  /** The host that owns a key, undefined on an empty ring. */
  ownerOf(key: string): string | undefined {
    if (this.hosts.length <= 1) {
      return this.hosts[0];
    }
    const known = this.#remembered.get(key);
    if (known !== undefined) {
      return known;
    }
    const owner = this.#hashedOwnerOf(key);
    if (this.#remembered.size >= REMEMBERED_MAX) {
      this.#remembered.clear();
    }
    this.#remembered.set(key, owner);
    return owner;
  }

  #hashedOwnerOf(key: string): string {
    const digest = hash("blake2b512", key, "buffer");
    const at = this.#search(digest.readUInt32LE(4), digest.readUInt32LE(0));
    return this.hosts[this.#owner[at === this.size ? 0 : at] as number] as string;
  }

  /** A position as Dapr's 64-bit number, for tests and introspection. */
  positionAt(index: number): bigint {
    return (BigInt(this.#high[index] as number) << 32n) | BigInt(this.#low[index] as number);
  }

  /** The first position that is not before the one given. */
  #search(high: number, low: number): number {
    let from = 0;
    let to = this.size;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const middleHigh = this.#high[middle] as number;
      if (middleHigh < high || (middleHigh === high && (this.#low[middle] as number) < low)) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return from;
  }
}

function virtualNodes(host: string, factor: number): VirtualNodes {
  const high = new Uint32Array(factor);
  const low = new Uint32Array(factor);
  for (let node = 0; node < factor; node++) {
    const digest = hash("blake2b512", `${host}${node}`, "buffer");
    high[node] = digest.readUInt32LE(4);
    low[node] = digest.readUInt32LE(0);
  }
  return { high, low };
}

/**
 * The indexes of all positions in the ring's order. The high half and the index share one double (32 + 21 bits), which an
 * array of doubles sorts natively; the few that agree in the high half are put in order afterwards.
 */
function sortedPositions(nodes: readonly VirtualNodes[], factor: number): Uint32Array {
  const keys = new Float64Array(nodes.length * factor);
  nodes.forEach(({ high }, host) => {
    high.forEach((value, node) => {
      const index = host * factor + node;
      keys[index] = value * RING_POSITIONS_MAX + index;
    });
  });
  keys.sort();
  const order = Uint32Array.from(keys, (key) => key % RING_POSITIONS_MAX);
  const lowOf = (index: number): number =>
    (nodes[Math.floor(index / factor)] as VirtualNodes).low[index % factor] as number;
  for (let at = 1; at < keys.length; at++) {
    const high = Math.floor((keys[at] as number) / RING_POSITIONS_MAX);
    for (let back = at; back > 0; back--) {
      const [before, own] = [order[back - 1] as number, order[back] as number];
      if (Math.floor((keys[back - 1] as number) / RING_POSITIONS_MAX) !== high || lowOf(before) <= lowOf(own)) {
        break;
      }
      order[back - 1] = own;
      order[back] = before;
    }
  }
  return order;
}
