import { z } from "zod";
import { identifierSchema } from "./identifier.ts";

/** At `dueKey(second)`: the reservations that expire within that second. */
export const dueBucketSchema = z.strictObject({ ids: z.array(identifierSchema) });
export type DueBucket = z.infer<typeof dueBucketSchema>;

/** At `DUE_INDEX_KEY`: the seconds since 1970, ascending, that have a bucket. */
export const dueIndexSchema = z.strictObject({ seconds: z.array(z.int().nonnegative()) });
export type DueIndex = z.infer<typeof dueIndexSchema>;
