import type { PublishOrigin } from "./publish-origin.ts";
import { ComponentError } from "../../components/spi/errors.ts";
import { httpStatusOfGrpc } from "../../errors/http-status-of-grpc.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import { PolicyError } from "../../resiliency/policy-error.ts";
import type { FailureStatus, Policy } from "../../resiliency/types.ts";
import { refusalOf } from "../component-policy.ts";
import type { BulkResult } from "./bulk-publish.ts";

/**
 * What a broker said, in codes: only brokers that are called over gRPC have any. A caller over HTTP has written its
 * policy for HTTP statuses, so that a code becomes the status it would be answered with.
 */
export function publishStatusOf(origin: PublishOrigin, error: unknown): FailureStatus | undefined {
  const cause = error instanceof ComponentError ? error.cause : undefined;
  if (!GrpcError.is(cause)) {
    return undefined;
  }
  return origin === "http" ? { kind: "http", code: httpStatusOfGrpc(cause.code) } : { kind: "grpc", code: cause.code };
}

const NO_STATUS: FailureStatus = { kind: "none" };

/**
 * Publishes a list under a policy: what has failed is published again, not what the broker has taken. Single entries that
 * fail where the list did not are no failure to the policy, as in Dapr.
 */
export async function publishBulkGuarded<M extends { readonly entryId: string }>(
  policy: Policy,
  origin: PublishOrigin,
  messages: readonly M[],
  attempt: (messages: readonly M[]) => Promise<BulkResult>,
): Promise<BulkResult> {
  let left = messages;
  let current = 0;
  const statusOf = (error: unknown): FailureStatus | undefined => publishStatusOf(origin, error);
  try {
    return await policy.run(
      async (_signal, number) => {
        current = number;
        const result = await attempt(left);
        // Of an attempt whose time ran out nothing counts: the next one has begun with all it had.
        if (number === current && result.failedEntries.length > 0) {
          const failed = new Set(result.failedEntries.map((entry) => entry.entryId));
          left = left.filter((message) => failed.has(message.entryId));
        }
        return result;
      },
      {
        judge: ({ cause }) => (cause === undefined ? undefined : (statusOf(cause) ?? NO_STATUS)),
        statusOf,
      },
    );
  } catch (error) {
    if (!(error instanceof PolicyError)) {
      throw error;
    }
    const failedEntries = left.map(({ entryId }) => ({ entryId, error: error.message }));
    return { failedEntries, cause: refusalOf(error) };
  }
}
