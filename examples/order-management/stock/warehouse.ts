import { openItem, stockItemSchema } from "../model/books.ts";
import type { ReservationRequested } from "../model/messages.ts";
import { itemKey, reservationKey, transferKey } from "../model/names.ts";
import { type Reservation, reservationSchema } from "../model/reservation.ts";
import { isSameLines, type StockLine } from "../model/stock-line.ts";
import type {
  AvailabilityAnswer,
  CommitAnswer,
  CommitRequest,
  OpeningAnswer,
  OpeningStock,
  ReleaseAnswer,
  ReleaseRequest,
  ReserveAnswer,
  ReserveRequest,
  TransferAnswer,
} from "../model/stock-methods.ts";
import { type Transfer, type TransferRequest, transferSchema } from "../model/transfer.ts";
import { type Pause, randomPause, retryOnConflict } from "../store/etag-retry.ts";
import type { VersionedStore } from "../store/versioned-store.ts";
import { Mover } from "./mover.ts";
import {
  commitAnswer,
  committing,
  neverReserved,
  newReservation,
  releaseAnswer,
  releasing,
  reservationCourse,
  reserveAnswer,
} from "./reservation-course.ts";
import { isTransferOf, newTransfer, transferAnswer, transferCourse } from "./transfer-course.ts";

/** Records read and written by one request when the stock is opened. */
const OPENING_BATCH = 200;

export interface WarehouseOptions {
  readonly store: VersionedStore;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** How long a reservation lives, in milliseconds. */
  readonly lifetimeMs: () => number;
  /** Tells of a reservation before the first of its goods is taken, so that none is forgotten; again when it is repeated. */
  readonly announce: (reservation: ReservationRequested) => Promise<void>;
  readonly pause?: Pause;
}

/**
 * The rules of the stock service over its store. All that matters is in the store: every method may be called again
 * with the same arguments, in any number of processes at once, and changes nothing the second time.
 */
export class Warehouse {
  readonly #options: WarehouseOptions;
  readonly #mover: Mover;

  constructor(options: WarehouseOptions) {
    this.#options = options;
    this.#mover = new Mover(options);
  }

  /** Fills the shelves of those codes that have no books yet. */
  async open({ items }: OpeningStock): Promise<OpeningAnswer> {
    const all = Object.entries(items);
    let opened = 0;
    for (let at = 0; at < all.length; at += OPENING_BATCH) {
      const batch = all.slice(at, at + OPENING_BATCH);
      opened += await retryOnConflict(async () => await this.#openBatch(batch), this.#options.pause ?? randomPause);
    }
    return { codes: all.length, opened };
  }

  /** Takes all of the goods or none. */
  async reserve({ reservationId, lines }: ReserveRequest): Promise<ReserveAnswer> {
    const expiresAt = this.#options.now() + this.#options.lifetimeMs();
    await this.#options.announce({ reservationId, expiresAt });
    const reservation = await this.#reservation(
      reservationId,
      lines,
      (stored) => stored ?? newReservation(reservationId, lines, expiresAt),
    );
    if (reservation === undefined) throw new Error(`reservation ${reservationId} was not kept`);
    const answer = reserveAnswer(reservation);
    const isOther = answer.status === "reserved" && !isSameLines(reservation.lines, lines);
    return isOther ? { ...answer, status: "mismatched" } : answer;
  }

  /** Sells the goods of a reservation, unless it has ended otherwise. */
  async commit(request: CommitRequest): Promise<CommitAnswer> {
    const { reservationId, lines } = request;
    let reservation = await this.#reservation(reservationId, lines, (stored) => stored && committing(stored, request));
    // One that was found on its way to `reserved` has been brought there, and can be committed now.
    if (reservation?.phase === "reserved") {
      reservation = await this.#reservation(reservationId, lines, (stored) => stored && committing(stored, request));
    }
    return reservation === undefined ? { status: "unknown" } : commitAnswer(reservation, request);
  }

  /** Gives the goods of a reservation back, unless it has ended otherwise; one that never was can never be then. */
  async release({ reservationId, reason }: ReleaseRequest): Promise<ReleaseAnswer> {
    const at = this.#options.now();
    const reservation = await this.#reservation(reservationId, [], (stored) =>
      stored === undefined ? neverReserved(reservationId, reason, at) : releasing(stored, reason),
    );
    if (reservation === undefined) throw new Error(`reservation ${reservationId} was not kept`);
    return releaseAnswer(reservation);
  }

  /** Moves goods other than by an order: all of them or none. */
  async transfer(request: TransferRequest): Promise<TransferAnswer> {
    const transfer = await this.#mover.run<Transfer>({
      key: transferKey(request.id),
      course: transferCourse,
      parse: (value) => transferSchema.parse(value),
      lines: request.lines,
      wanted: (stored) => stored ?? newTransfer(request),
    });
    if (transfer === undefined) throw new Error(`transfer ${request.id} was not kept`);
    return isTransferOf(transfer, request) ? transferAnswer(transfer) : { status: "mismatched" };
  }

  async availability(code: string): Promise<AvailabilityAnswer> {
    const key = itemKey(code);
    const record = (await this.#options.store.read([key])).get(key);
    if (record === undefined) return { item: null };
    const { onHand, reserved } = stockItemSchema.parse(record.value);
    return { item: { code, onHand, reserved } };
  }

  async #reservation(
    id: string,
    lines: readonly StockLine[],
    wanted: (stored: Reservation | undefined) => Reservation | undefined,
  ): Promise<Reservation | undefined> {
    return await this.#mover.run<Reservation>({
      key: reservationKey(id),
      course: reservationCourse,
      parse: (value) => reservationSchema.parse(value),
      lines,
      wanted,
    });
  }

  async #openBatch(batch: readonly (readonly [code: string, units: number])[]): Promise<number> {
    const known = await this.#options.store.read(batch.map(([code]) => itemKey(code)));
    const missing = batch.filter(([code]) => !known.has(itemKey(code)));
    await this.#options.store.write(
      missing.map(([code, units]) => ({ key: itemKey(code), value: openItem(units), etag: undefined })),
    );
    return missing.length;
  }
}
