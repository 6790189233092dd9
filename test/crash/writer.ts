// A process that writes to a sidecar as fast as it is answered, until the sidecar is gone. Arguments: its name and its
// log. Before a write goes out its keys are logged as `sent`, after the answer as `acked`: the log is what the rows are
// compared with after the crash.
import { openSync, writeSync } from "node:fs";
import { rawClient } from "./raw-client.ts";
import { valueOf } from "./value.ts";

/** What the parent is told when all lanes have lost their connection. */
export interface WriterReport {
  readonly acked: number;
  readonly inFlight: number;
  /** Statuses other than 204, which a healthy sidecar has no reason for. */
  readonly refused: readonly number[];
}

const LANES = 8;
/** Rows that each lane writes again and again. */
const SLOTS = 100;
/** Every so many writes one is a transaction on two rows. */
const TRANSACTION_EVERY = 4;

const [name = "w", logPath = ""] = process.argv.slice(2);
const log = openSync(logPath, "a");
const seqs = Array.from({ length: LANES }, () => 0);

function note(what: "sent" | "acked", keys: readonly string[], seq: number): void {
  writeSync(log, keys.map((key) => `${what} ${key} ${seq}\n`).join(""));
}

async function lane(index: number, port: number, report: { acked: number; inFlight: number; refused: number[] }) {
  const client = await rawClient(port);
  while (client !== undefined) {
    const seq = (seqs[index] ?? 0) + 1;
    seqs[index] = seq;
    const row = `${name}-${index}-${seq % SLOTS}`;
    const pair = seq % TRANSACTION_EVERY === 0;
    const keys = pair ? [`${name}-${index}-left`, `${name}-${index}-right`] : [row];
    const items = keys.map((key) => `{"key":"${key}","value":${valueOf(key, seq)}}`);
    const body = pair
      ? `{"operations":[${items.map((item) => `{"operation":"upsert","request":${item}}`).join(",")}]}`
      : `[${items.join(",")}]`;
    note("sent", keys, seq);
    const status = await client.post(`/v1.0/state/store${pair ? "/transaction" : ""}`, body);
    if (status === undefined) {
      report.inFlight += 1;
      return;
    }
    if (status === 204) {
      note("acked", keys, seq);
      report.acked += 1;
    } else {
      report.refused.push(status);
    }
  }
}

process.on("message", (port: number) => {
  const report = { acked: 0, inFlight: 0, refused: [] };
  void Promise.all(Array.from({ length: LANES }, (_, index) => lane(index, port, report))).then(() =>
    process.send?.(report satisfies WriterReport),
  );
});
process.on("disconnect", () => process.exit(0));
