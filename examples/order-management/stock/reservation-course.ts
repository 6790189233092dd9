import type { ReleaseReason, Reservation, ReservationPhase } from "../model/reservation.ts";
import { isSameLines, type StockLine } from "../model/stock-line.ts";
import type { CommitAnswer, CommitRequest, ReleaseAnswer, ReserveAnswer } from "../model/stock-methods.ts";
import type { Course, Way } from "./course.ts";

const WAYS: Readonly<Record<ReservationPhase, Way | undefined>> = {
  reserving: { kind: "reserve", backward: false },
  reserved: undefined,
  committing: { kind: "commit", backward: false },
  committed: undefined,
  releasing: { kind: "release", backward: false },
  released: undefined,
  undoing: { kind: "unreserve", backward: true },
  refused: undefined,
};

/** The phases of a reservation. */
export const reservationCourse: Course<Reservation> = {
  way: ({ phase }) => WAYS[phase],
  arrived: (reservation) => ({ ...reservation, phase: phaseAfter(reservation) }),
  short(reservation, shortOf) {
    if (reservation.phase !== "reserving") return undefined;
    return { ...reservation, phase: reservation.moved === 0 ? "refused" : "undoing", shortOf };
  },
};

function phaseAfter({ phase, reason }: Reservation): ReservationPhase {
  switch (phase) {
    case "reserving":
      return "reserved";
    case "committing":
      return "committed";
    case "releasing":
      return "released";
    case "undoing":
      return reason === undefined ? "refused" : "released";
    default:
      throw new Error(`a reservation that is ${phase} moves nothing`);
  }
}

/** A reservation of which nothing has been taken yet. */
export function newReservation(id: string, lines: readonly StockLine[], expiresAt: number): Reservation {
  return { id, lines: [...lines], phase: "reserving", moved: 0, entries: 0, expiresAt };
}

/** What a release leaves of a reservation that was never made, so that it cannot be made later. */
export function neverReserved(id: string, reason: ReleaseReason, at: number): Reservation {
  return { ...newReservation(id, [], at), phase: "released", reason };
}

/** The reservation once its goods are to be sold; unchanged where it is too late or too early for that. */
export function committing(reservation: Reservation, { orderId, lines }: CommitRequest): Reservation {
  if (reservation.phase !== "reserved" || !isSameLines(reservation.lines, lines)) return reservation;
  return { ...reservation, phase: "committing", moved: 0, orderId };
}

/** The reservation once its goods are to be given back; unchanged when its end is decided already. */
export function releasing(reservation: Reservation, reason: ReleaseReason): Reservation {
  if (reservation.phase === "reserved") return { ...reservation, phase: "releasing", moved: 0, reason };
  if (reservation.phase !== "reserving") return reservation;
  return { ...reservation, phase: reservation.moved === 0 ? "released" : "undoing", reason };
}

/** What `reserve` answers once nothing is left to be moved. */
export function reserveAnswer(reservation: Reservation): ReserveAnswer {
  const { phase, reason, shortOf, expiresAt } = reservation;
  if (phase === "refused") return { status: "refused", expiresAt, ...(shortOf === undefined ? {} : { shortOf }) };
  return { status: phase === "released" ? (reason ?? "cancelled") : "reserved", expiresAt };
}

/** What `commit` answers once nothing is left to be moved. */
export function commitAnswer(reservation: Reservation, { orderId }: CommitRequest): CommitAnswer {
  const { phase, reason } = reservation;
  if (phase === "refused") return { status: "refused" };
  if (phase === "released") return { status: reason ?? "cancelled" };
  return { status: phase === "committed" && reservation.orderId === orderId ? "committed" : "mismatched" };
}

/** What `release` answers once nothing is left to be moved. */
export function releaseAnswer({ phase, reason }: Reservation): ReleaseAnswer {
  if (phase === "released") return { status: reason ?? "cancelled" };
  return { status: phase === "refused" ? "refused" : "committed" };
}
