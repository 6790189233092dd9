/** What a system-call trace says about the sampled writes. */
export interface SyncTrace {
  readonly samples: number;
  /** Samples without a completed fsync of the log between the arrival of the request and its answer. */
  readonly unsynced: readonly string[];
  /** Answered requests of any kind, and completed fsyncs. */
  readonly answers: number;
  readonly syncs: number;
  /** Parts of the trace of the first sample, in their order. */
  readonly excerpt: readonly string[];
}

interface Sample {
  readonly probe: string;
  readonly arrived: number;
}

/** `[pid] name(fd</path>, …` as `strace -f -y -o` writes it; a call of another thread in between splits it in two. */
const CALL = /^(\d+)\s+(?:<\.\.\. )?(\w+)(?:\((\d+)<([^>]*)>)?/;

/**
 * Reads a trace of `read`, `write`, `writev`, `fsync` and `fdatasync`. A sample is a request whose path holds
 * `probe=<n>`; it counts as synced when an fsync of `log` began after the request had been read and was completed before
 * the answer on the same socket was written.
 */
export function readTrace(text: string, log: string): SyncTrace {
  const lines = text.split("\n");
  const open = new Map<string, Sample>();
  /** Thread → line where its fsync of the log began. */
  const begun = new Map<string, number>();
  const completed: { readonly from: number; readonly to: number }[] = [];
  const reads = new Map<string, string>();
  const unsynced: string[] = [];
  let samples = 0;
  let answers = 0;
  let excerpt: string[] = [];
  for (const [at, line] of lines.entries()) {
    const [, thread = "", call = "", fd = "", path = ""] = CALL.exec(line) ?? [];
    const unfinished = line.endsWith("<unfinished ...>");
    if (call === "fsync" || call === "fdatasync") {
      if (fd !== "" && path.endsWith(log)) begun.set(thread, at);
      const from = begun.get(thread);
      if (!unfinished && from !== undefined && line.endsWith("= 0")) {
        completed.push({ from, to: at });
        begun.delete(thread);
      }
    } else if (call === "read") {
      if (fd !== "") reads.set(thread, fd);
      const probe = /probe=(\d+)/.exec(line)?.[1];
      if (probe !== undefined) open.set(reads.get(thread) ?? "", { probe, arrived: at });
    } else if ((call === "write" || call === "writev") && line.includes("HTTP/1.1 204")) {
      answers += 1;
      const sample = open.get(fd);
      open.delete(fd);
      if (sample === undefined) continue;
      samples += 1;
      const sync = completed.findLast(({ from }) => from > sample.arrived);
      if (sync === undefined) unsynced.push(`probe ${sample.probe}: answered at line ${at} of the trace`);
      else if (excerpt.length === 0) excerpt = [sample.arrived, sync.from, sync.to, at].map((one) => lines[one] ?? "");
    }
  }
  return { samples, unsynced, answers, syncs: completed.length, excerpt: [...new Set(excerpt)] };
}
