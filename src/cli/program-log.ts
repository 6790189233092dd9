import { errorMessage } from "../kit/error-message.ts";
import { goQuote } from "../kit/go-quote.ts";
import { createLogSink, type LogSink } from "../telemetry/log/sink.ts";

/** The last lines get this long to reach a reader that has stopped reading. */
const EXIT_FLUSH_MS_MAX = 1_000;

/**
 * The sink of a program's log: a file, or standard output for an empty name. Where the file cannot be opened, the log that
 * says so (`problem`) goes to standard output.
 */
export function openProgramLog(file: string): { readonly sink: LogSink; readonly problem: string | undefined } {
  if (file === "") {
    return { sink: createLogSink({ fd: 1 }), problem: undefined };
  }
  try {
    return { sink: createLogSink({ file }), problem: undefined };
  } catch (error) {
    return {
      sink: createLogSink({ fd: 1 }),
      problem: `failed to open log file ${goQuote(file)}: ${errorMessage(error)}`,
    };
  }
}

/** Waits for the last lines, before the process exits. */
export async function flushProgramLog(sink: LogSink): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, EXIT_FLUSH_MS_MAX);
  await Promise.race([sink.close(), promise]);
  clearTimeout(timer);
}
