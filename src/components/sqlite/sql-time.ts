/** Formats wall time as SQLite's `CURRENT_TIMESTAMP` does: UTC, whole seconds. The text of a second is made once. */
export class SqlClock {
  readonly #now: () => number;
  #second = -1;
  #text = "";

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Seconds since the Unix epoch. */
  seconds(): number {
    return Math.floor(this.#now() / 1_000);
  }

  text(): string {
    const second = this.seconds();
    if (second !== this.#second) {
      this.#second = second;
      this.#text = sqlTime(second);
    }
    return this.#text;
  }
}

/** `2026-01-02 03:04:05` */
export function sqlTime(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().slice(0, 19).replace("T", " ");
}

/** `2026-01-02T03:04:05Z`, RFC 3339. */
export function rfc3339Of(sqlText: string): string {
  return `${sqlText.replace(" ", "T")}Z`;
}
