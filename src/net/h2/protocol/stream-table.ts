import type { H2Stream } from "./stream.ts";

const SLOTS_MIN = 16;

/**
 * The open streams of a connection by id. A Map is rehashed every few calls that come and go, and each table that it leaves
 * behind points at the streams of its time and at the next table: once one of them is old, all later ones are kept alive by
 * it, with their calls, until a full collection. Ids grow by two, so that slots taken in turn hold one stream each.
 */
export class StreamTable {
  size = 0;
  private slots: (H2Stream | undefined)[] = Array.from({ length: SLOTS_MIN }, () => undefined);

  get(id: number): H2Stream | undefined {
    let stream = this.slots[(id >>> 1) & (this.slots.length - 1)];
    while (stream !== undefined && stream.id !== id) stream = stream.nextInSlot;
    return stream;
  }

  /** Enters a stream that is not in the table, under its id, which it keeps while it is. */
  add(stream: H2Stream): void {
    this.size += 1;
    if (this.size > this.slots.length) this.grow();
    this.enter(stream);
  }

  /** Does nothing for a stream that is not in the table. */
  delete(stream: H2Stream): void {
    const slot = (stream.id >>> 1) & (this.slots.length - 1);
    let before: H2Stream | undefined;
    for (let one = this.slots[slot]; one !== undefined; one = one.nextInSlot) {
      if (one === stream) {
        if (before === undefined) this.slots[slot] = stream.nextInSlot;
        else before.nextInSlot = stream.nextInSlot;
        stream.nextInSlot = undefined;
        this.size -= 1;
        return;
      }
      before = one;
    }
  }

  clear(): void {
    for (const stream of this.all()) this.delete(stream);
  }

  /** Those in the table now, the oldest first; it may change meanwhile. */
  all(): H2Stream[] {
    const streams: H2Stream[] = [];
    for (const first of this.slots) {
      for (let stream = first; stream !== undefined; stream = stream.nextInSlot) streams.push(stream);
    }
    return streams.sort((a, b) => a.id - b.id);
  }

  private enter(stream: H2Stream): void {
    const slot = (stream.id >>> 1) & (this.slots.length - 1);
    stream.nextInSlot = this.slots[slot];
    this.slots[slot] = stream;
  }

  private grow(): void {
    const streams = this.all();
    this.slots = Array.from({ length: this.slots.length * 2 }, () => undefined);
    for (const stream of streams) this.enter(stream);
  }
}
