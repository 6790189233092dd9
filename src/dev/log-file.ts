import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { createLogSink } from "../telemetry/log/sink.ts";

/** The log of one app or of its sidecar, for as long as it runs. */
export interface LogFile {
  /** Absolute when the folder is. */
  readonly path: string;
  /** Takes a line without its end; colours are left out, as Dapr's CLI does. Never throws. */
  line(text: string): void;
  /** Resolves when all lines are written, or cannot be. */
  close(): Promise<void>;
}

/**
 * Opens `<folder>/<app id>_<app|daprd>_<local time as yyyyMMddHHmmss>.log`, the name that Dapr's CLI gives
 * (pkg/runfileconfig/run_file_config.go). The folder is made if need be.
 * @param startedMs wall time in milliseconds since the Unix epoch
 * @throws the system's error when the folder or the file cannot be made
 */
export function openLogFile(folder: string, appId: string, kind: "app" | "daprd", startedMs: number): LogFile {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${appId}_${kind}_${timestamp(new Date(startedMs))}.log`);
  const sink = createLogSink({ file: path });
  return {
    path,
    line: (text) => sink.write(`${text.includes("\u001B") ? stripVTControlCharacters(text) : text}\n`),
    close: () => sink.close(),
  };
}

function timestamp(at: Date): string {
  return [at.getFullYear(), at.getMonth() + 1, at.getDate(), at.getHours(), at.getMinutes(), at.getSeconds()]
    .map((part) => String(part).padStart(2, "0"))
    .join("");
}
