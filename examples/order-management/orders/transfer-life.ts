import { isSameLines } from "../model/stock-line.ts";
import type { Transfer, TransferAnswer, TransferRequest } from "../model/transfer.ts";
import { arrivalOf, type Leg, type MoveGoods } from "./legs.ts";

type Status = Transfer["status"];

const REMIND_MS = 5_000;

/** What is done in each status, by the kind of the transfer. */
const LEGS: Readonly<Record<Transfer["kind"], Readonly<Partial<Record<Status, Leg<Status>>>>>> = {
  return: { moving: { kind: "return", next: "done" } },
  "write-off": {
    reserving: { kind: "reserve", next: "moving", short: "releasing" },
    moving: { kind: "write-off", next: "done" },
    releasing: { kind: "release", next: "refused" },
  },
};

/** What a transfer needs of its actor; as `OrderPorts`. */
export interface TransferPorts {
  readonly id: string;
  load(): Promise<Transfer | undefined>;
  save(transfer: Transfer): Promise<void>;
  readonly move: MoveGoods;
  remind(afterMs: number, everyMs: number): Promise<void>;
  forget(): Promise<void>;
}

/** Goods that move without an order, all of them or none; may be called again, and may be cut off anywhere. */
export class TransferLife {
  readonly #ports: TransferPorts;

  constructor(ports: TransferPorts) {
    this.#ports = ports;
  }

  async move({ kind, lines }: TransferRequest): Promise<TransferAnswer> {
    const { id, load, save, remind } = this.#ports;
    let transfer = await load();
    if (transfer === undefined) {
      await remind(REMIND_MS, REMIND_MS);
      transfer = { id, kind, lines, status: kind === "return" ? "moving" : "reserving" };
      await save(transfer);
    }
    const { status, shortOf, ...is } = await this.#goOn(transfer);
    if (is.kind !== kind || !isSameLines(is.lines, lines)) return { status: "mismatched" };
    if (status === "done") return { status };
    return { status: "refused", ...(shortOf === undefined ? {} : { shortOf }) };
  }

  async carryOn(): Promise<void> {
    const transfer = await this.#ports.load();
    if (transfer !== undefined) await this.#goOn(transfer);
    await this.#ports.forget();
  }

  async #goOn(from: Transfer): Promise<Transfer> {
    let transfer = from;
    const legs = LEGS[from.kind];
    for (let leg = legs[transfer.status]; leg !== undefined; leg = legs[transfer.status]) {
      transfer = { ...transfer, ...(await arrivalOf(leg, transfer.lines, this.#ports.move)) };
      await this.#ports.save(transfer);
      if (legs[transfer.status] === undefined) await this.#ports.forget();
    }
    return transfer;
  }
}
