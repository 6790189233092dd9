import { ComponentError, type ComponentErrorKind } from "../../components/spi/errors.ts";
import type { StateFence, StateOperation, StateStore } from "../../components/spi/state.ts";
import { isFenced } from "../../inventory/actor-store.ts";
import type { Loaded } from "../../inventory/types.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Policy } from "../../resiliency/types.ts";
import { guarded } from "../component-policy.ts";

/** Rows and fenced transactions of the store that holds the state of actors. */
export interface FencedStore {
  /** @returns undefined where there is no such row */
  read(key: string, partitionKey: string): Promise<Uint8Array | undefined>;
  /**
   * @returns false where the fence did not hold
   * @throws UncertainWriteError, or another error where nothing was written
   */
  write(operations: readonly StateOperation[], fence: StateFence, partitionKey: string): Promise<boolean>;
}

/** Whether the store has written is open; `cause` is what it said, where it said something. */
export class UncertainWriteError extends Error {
  override readonly name = "UncertainWriteError";
}

/** @returns undefined for a store that cannot fence */
export function fencedStoreOf(loaded: Loaded<StateStore>, policy: () => Policy | undefined): FencedStore | undefined {
  const { component } = loaded;
  const transact = component.transactFenced?.bind(component);
  if (transact === undefined || !isFenced(loaded)) {
    return undefined;
  }
  return {
    async read(key, partitionKey) {
      const request = { key, metadata: { partitionKey }, consistency: "strong" as const };
      return (await guarded(policy(), () => component.get(request)))?.data;
    },
    async write(operations, fence, partitionKey) {
      // Attempts that may have written, or may do so yet: those that a policy's timeout has given up go on.
      let open = 0;
      const attempt = async (): Promise<boolean> => {
        open += 1;
        try {
          await transact(operations, fence, { partitionKey });
          return true;
        } catch (error) {
          open -= saysNothingWritten(error) ? 1 : 0;
          // An answer, not a failure: no attempt can mend it, and the circuit breaker has nothing to count.
          if (error instanceof ComponentError && error.kind === "fenceMismatch") {
            return false;
          }
          throw error;
        }
      };
      try {
        const isWritten = await guarded(policy(), attempt);
        if (isWritten || open === 0) {
          return isWritten;
        }
      } catch (cause) {
        throw open === 0 ? cause : new UncertainWriteError(errorMessage(cause), { cause });
      }
      throw new UncertainWriteError("an attempt of it was not answered");
    },
  };
}

function saysNothingWritten(error: unknown): boolean {
  return error instanceof ComponentError && NOTHING_WRITTEN.has(error.kind);
}

/** What a store says when it has refused before it wrote. */
const NOTHING_WRITTEN: ReadonlySet<ComponentErrorKind> = new Set([
  "fenceMismatch",
  "etagMismatch",
  "etagInvalid",
  "notFound",
  "invalidMetadata",
  "invalidRequest",
  "unsupported",
]);
