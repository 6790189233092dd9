import { z } from "zod";

const bulkItemsSchema = z.array(
  z.object({
    key: z.string(),
    data: z.unknown().optional(),
    etag: z.string().optional(),
    error: z.string().optional(),
  }),
);

/** A record of a state store; a record that does not exist has none of both. */
export interface Versioned {
  readonly value: unknown;
  readonly etag: string;
}

/**
 * The records that exist, by key, from what the SDK's `state.getBulk` answers: an entry without an ETag for each that
 * does not. Throws when a record could not be read.
 */
export function bulkItems(answer: unknown): Map<string, Versioned> {
  const found = new Map<string, Versioned>();
  for (const { key, data, etag, error } of bulkItemsSchema.parse(answer)) {
    if (error !== undefined && error !== "") throw new Error(`could not read ${key}: ${error}`);
    if (etag !== undefined && etag !== "") found.set(key, { value: data, etag });
  }
  return found;
}
