import type { StockEventKind } from "../model/books.ts";
import { isSameLines } from "../model/stock-line.ts";
import type { TransferAnswer } from "../model/stock-methods.ts";
import type { Transfer, TransferKind, TransferRequest } from "../model/transfer.ts";
import type { Course } from "./course.ts";

/** What takes a transfer back; goods that come in cannot be short. */
const UNDO: Readonly<Record<TransferKind, StockEventKind | undefined>> = {
  return: undefined,
  cancellation: "undo-cancellation",
  "write-off": "undo-write-off",
};

/** The phases of a transfer. */
export const transferCourse: Course<Transfer> = {
  way({ phase, kind }) {
    if (phase === "moving") return { kind, backward: false };
    const undo = UNDO[kind];
    return phase === "undoing" && undo !== undefined ? { kind: undo, backward: true } : undefined;
  },
  arrived: (transfer) => ({ ...transfer, phase: transfer.phase === "moving" ? "done" : "refused" }),
  short(transfer, shortOf) {
    if (transfer.phase !== "moving" || UNDO[transfer.kind] === undefined) return undefined;
    return { ...transfer, phase: transfer.moved === 0 ? "refused" : "undoing", shortOf };
  },
};

/** A transfer of which nothing has been moved yet. */
export function newTransfer(request: TransferRequest): Transfer {
  return { ...request, phase: "moving", moved: 0, entries: 0 };
}

/** Whether a transfer is the one that is asked for, and not another one of the same id. */
export function isTransferOf(transfer: Transfer, { kind, orderId, lines }: TransferRequest): boolean {
  return transfer.kind === kind && transfer.orderId === orderId && isSameLines(transfer.lines, lines);
}

/** What `transfer` answers once nothing is left to be moved. */
export function transferAnswer({ phase, shortOf }: Transfer): TransferAnswer {
  if (phase === "done") return { status: "done" };
  return { status: "refused", ...(shortOf === undefined ? {} : { shortOf }) };
}
