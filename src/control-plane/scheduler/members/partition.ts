import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { LEADERSHIP } from "../store/keys.ts";

/** A member's part of the jobs: those whose partition id leaves its index when divided by the number of members. */
export interface Partition {
  readonly index: number;
  /** Members; the jobs of one are all. */
  readonly total: number;
}

/** Of a member that is alone. */
export const WHOLE: Partition = { index: 0, total: 1 };

const PARTITION_ID_FIELD = 1;

/**
 * A member's part among all, as go-etcd-cron counts: by the place of its key among the leadership keys in the order of
 * their bytes.
 * @returns undefined when it is not one of them
 */
export function partitionOf(id: string, keys: readonly string[]): Partition | undefined {
  const sorted = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const index = sorted.indexOf(LEADERSHIP + id);
  return index === -1 ? undefined : { index, total: sorted.length };
}

export function owns({ index, total }: Partition, partitionId: bigint): boolean {
  return total === 1 || partitionId % BigInt(total) === BigInt(index);
}

/** The partition id of a stored job, without reading the rest of it; 0 where there is none. @throws Error for what is no message */
export function partitionIdOf(storedJob: Uint8Array): bigint {
  const reader = new BinaryReader(storedJob);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === PARTITION_ID_FIELD && type === WireType.Varint) {
      return BigInt(reader.uint64());
    }
    reader.skip(type, field);
  }
  return 0n;
}
