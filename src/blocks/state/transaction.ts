import { ComponentError } from "../../components/spi/errors.ts";
import type { StateOperation } from "../../components/spi/state.ts";
import { stateErrors } from "../../errors/catalogue/state.ts";
import { apiError } from "../../errors/error.ts";
import { tooManyOperations } from "./errors.ts";
import type { AnnouncedTransaction, OutboxPort, TransactionOutcome } from "./outbox-port.ts";
import { deleteRequestOf, setRequestOf, type StoreTarget } from "./store-target.ts";
import type { StateTransaction, TransactionOperation } from "./types.ts";

/** The component's operations for a transaction. @throws ApiError for one that cannot be or too many */
export function operationsOf(target: StoreTarget, operations: readonly TransactionOperation[]): StateOperation[] {
  const stored = operations.map((operation) => operationOf(target, operation));
  const limit = target.component.transactionOperationsMax;
  if (limit !== undefined && limit > 0 && stored.length > limit) {
    throw tooManyOperations(target.name, stored.length, limit);
  }
  return stored;
}

function operationOf(target: StoreTarget, { kind, item }: TransactionOperation): StateOperation {
  switch (kind) {
    case "upsert":
      return { kind, request: setRequestOf(target, item) };
    case "delete":
      return { kind, request: deleteRequestOf(target, item) };
    default:
      throw apiError(stateErrors.operationNotSupported, { operation: kind });
  }
}

/** Hands the events of a transaction to the store's outbox. Undefined: it has none. @throws ApiError of the outbox */
export async function announce(
  target: StoreTarget,
  outbox: OutboxPort | undefined,
  transaction: StateTransaction,
  stored: readonly StateOperation[],
): Promise<AnnouncedTransaction | undefined> {
  if (outbox === undefined || target.outbox === undefined) {
    return undefined;
  }
  const announced = stored.map((operation, index) => {
    const item = transaction.operations[index]?.item;
    return { operation, contentType: item?.contentType ?? item?.metadata["contentType"] ?? "" };
  });
  return outbox.announce(target.name, target.outbox, announced, transaction.trace);
}

/** How a transaction that threw has ended: a store that refuses a request for what it says has not done it. */
export function outcomeOf(error: unknown): TransactionOutcome {
  const refused =
    error instanceof ComponentError &&
    (error.kind === "etagMismatch" || error.kind === "etagInvalid" || error.kind === "invalidRequest");
  return refused ? "rejected" : "unknown";
}
