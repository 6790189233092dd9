import { z } from "zod";

/** What the SDK's HTTP client puts into the message of its errors. */
const sdkMessageSchema = z.object({ error_msg: z.string(), status: z.int() });

/** What a sidecar answers to a request that failed. */
const sidecarMessageSchema = z.object({ message: z.string() });

/** Why a call of the SDK failed, for a person: the sidecar's own sentence where there is one. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error === "string" ? error : JSON.stringify(error);
  const outer = sdkMessageSchema.safeParse(jsonIn(error.message));
  if (!outer.success) return error.message;
  const { error_msg: text, status } = outer.data;
  const inner = sidecarMessageSchema.safeParse(jsonIn(text));
  return inner.success ? inner.data.message : text || `status ${status}`;
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
