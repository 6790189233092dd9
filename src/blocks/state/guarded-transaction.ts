import { ComponentError } from "../../components/spi/errors.ts";
import type { StateStore } from "../../components/spi/state.ts";
import type { Policy } from "../../resiliency/types.ts";
import { guarded } from "../component-policy.ts";

type Transact = NonNullable<StateStore["transact"]>;

/**
 * A store's transaction under its policy. An etag that does not fit says that nothing was done, unless an earlier attempt
 * may have done it: that error then tells of a store that failed, since an outbox must not take back what may stand.
 */
export function guardedTransaction(component: StateStore, transact: Transact, policy: Policy): Transact {
  return async (operations, metadata) => {
    let unsettled = 0;
    try {
      await guarded(policy, async () => {
        unsettled++;
        try {
          await transact.call(component, operations, metadata);
        } catch (error) {
          unsettled -= isRefusal(error) ? 1 : 0;
          throw error;
        }
      });
    } catch (error) {
      if (unsettled > 0 && isRefusal(error)) {
        throw new ComponentError("unavailable", error.message, { cause: error });
      }
      throw error;
    }
  };
}

const REFUSALS: ReadonlySet<string> = new Set(["etagMismatch", "etagInvalid", "invalidRequest"]);

function isRefusal(error: unknown): error is ComponentError {
  return error instanceof ComponentError && REFUSALS.has(error.kind);
}
