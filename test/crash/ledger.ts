import { readFileSync } from "node:fs";
import { seqOf } from "./value.ts";

/** What is wrong with the rows after a crash; empty lists: nothing. */
export interface Verdict {
  readonly rows: number;
  /** Rows that hold less than what was acknowledged. */
  readonly missing: readonly string[];
  /** Rows that are not whole, or hold what nobody sent, or two of one transaction that differ. */
  readonly torn: readonly string[];
}

/** What the writers' logs say about every key: the last number acknowledged and the last number sent. */
export class Ledger {
  readonly #acked = new Map<string, number>();
  readonly #sent = new Map<string, number>();
  readonly #logs: readonly string[];

  constructor(logs: readonly string[]) {
    this.#logs = logs;
  }

  get keys(): readonly string[] {
    return [...this.#sent.keys()];
  }

  /** Reads the logs anew. */
  refresh(): void {
    for (const log of this.#logs) {
      for (const line of readFileSync(log, "utf8").split("\n")) {
        const [what, key, seq] = line.split(" ");
        if (key !== undefined) (what === "acked" ? this.#acked : this.#sent).set(key, Number(seq));
      }
    }
  }

  /** `rows` holds what the sidecar gives for every key of `keys`; undefined: no such row. */
  judge(rows: ReadonlyMap<string, unknown>): Verdict {
    const missing: string[] = [];
    const torn: string[] = [];
    const seqs = new Map<string, number | undefined>();
    for (const key of this.#sent.keys()) {
      const value = rows.get(key);
      const acked = this.#acked.get(key) ?? 0;
      const seq = value === undefined ? 0 : seqOf(key, value);
      seqs.set(key, seq);
      if (seq === undefined || seq > (this.#sent.get(key) ?? 0)) {
        torn.push(`${key} holds ${JSON.stringify(value).slice(0, 100)}`);
      } else if (seq < acked) {
        missing.push(`${key} holds ${seq}, acknowledged was ${acked}`);
      }
    }
    for (const [key, seq] of seqs) {
      const other = key.replace(/-left$/, "-right");
      if (other !== key && seqs.get(other) !== seq)
        torn.push(`${key} holds ${seq}, ${other} of the same transaction ${seqs.get(other)}`);
    }
    return { rows: seqs.size, missing, torn };
  }
}
