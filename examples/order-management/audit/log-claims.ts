import type { Books } from "./books.ts";
import { check, type Check } from "./check.ts";
import { POSTINGS } from "./ledger.ts";
import { isSame, summed, type Units, unitsOf } from "./lines.ts";
import type { Event, Reservation, Transfer } from "./records.ts";

export function logIsWhole({ events, reservations, transfers }: Books): Check {
  const owners = new Map<string, Reservation | Transfer>([
    ...[...reservations].map(([id, one]) => [reservationLog(id), one] as const),
    ...[...transfers].map(([id, one]) => [transferLog(id), one] as const),
  ]);
  const keys = new Set([...events.keys(), ...owners.keys()]);
  return check("the event log has no gap, and no entry without its owner", keys, (key) => {
    const owner = owners.get(key);
    if (owner === undefined) return `${key}: entries without an owner`;
    const log = events.get(key) ?? [];
    if (log.length !== owner.entries) return `${key}: ${log.length} entries instead of ${owner.entries}`;
    const gap = log.findIndex((entry, index) => entry.n !== index);
    if (gap !== -1) return `${key}: no entry ${gap}`;
    const unknown = log.find(({ kind }) => !POSTINGS.has(kind));
    return unknown === undefined ? undefined : `${key}: entry ${unknown.n} is ${unknown.kind}`;
  });
}

/** Committed with all of its goods, or given back whole, or refused without any: by the log, not by the record. */
export function reservationsEndedOnce({ reservations, events }: Books): Check {
  return check("every reservation ended exactly once", reservations.values(), (reservation) => {
    const log = events.get(reservationLog(reservation.id)) ?? [];
    const foreign = log.find(({ kind }) => !["reserve", "unreserve", "commit", "release"].includes(kind));
    if (foreign !== undefined) return `${reservation.id}: has an entry ${foreign.kind}`;
    return endOfReservation(reservation, log);
  });
}

function endOfReservation({ id, phase, lines }: Reservation, log: readonly Event[]): string | undefined {
  const due = unitsOf(lines);
  const taken = moved(log, { reserve: 1, unreserve: -1 });
  const sold = moved(log, { commit: 1 });
  const givenBack = moved(log, { release: 1 });
  switch (phase) {
    case "committed":
      if (!isSame(taken, due)) return `${id}: committed without all of its goods`;
      if (!isSame(sold, due)) return `${id}: committed, its goods not sold once`;
      return givenBack.size === 0 ? undefined : `${id}: committed and released`;
    case "released":
      if (sold.size > 0) return `${id}: released and committed`;
      return isSame(givenBack, taken) ? undefined : `${id}: released, its goods not given back once`;
    case "refused":
      if (sold.size > 0 || givenBack.size > 0) return `${id}: refused, yet its goods went on`;
      return taken.size === 0 ? undefined : `${id}: refused, yet it kept goods`;
    default:
      return `${id}: still ${phase}`;
  }
}

export function transfersEndedOnce({ transfers, events }: Books): Check {
  const claim = "every return, write-off and cancellation of an order ended exactly once";
  return check(claim, transfers.values(), ({ id, kind, phase, lines }) => {
    const log = events.get(transferLog(id)) ?? [];
    const foreign = log.find((entry) => entry.kind !== kind && entry.kind !== `undo-${kind}`);
    if (foreign !== undefined) return `${id}: a ${kind} that has an entry ${foreign.kind}`;
    const net = moved(log, { [kind]: 1, [`undo-${kind}`]: -1 });
    if (phase === "done") return isSame(net, unitsOf(lines)) ? undefined : `${id}: done, its goods not moved once`;
    if (phase === "refused") return net.size === 0 ? undefined : `${id}: refused, yet it moved goods`;
    return `${id}: still ${phase}`;
  });
}

/** What entries of some kinds have moved, each kind counted with its factor. */
function moved(log: readonly Event[], factors: Readonly<Record<string, number>>): Units {
  return summed(log.flatMap(({ kind, lines }) => lines.map((line) => [line, factors[kind] ?? 0] as const)));
}

function reservationLog(id: string): string {
  return `reservation:${id}`;
}

function transferLog(id: string): string {
  return `transfer:${id}`;
}
