import { z } from "zod";
import type { Versioned } from "./versioned-store.ts";

const bulkItemsSchema = z.array(
  z.object({
    key: z.string(),
    data: z.unknown().optional(),
    etag: z.string().optional(),
    error: z.string().optional(),
  }),
);

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
