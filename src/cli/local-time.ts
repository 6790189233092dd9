import type { UtcOffset } from "../telemetry/log/timestamp.ts";

/** Where the process is, which log lines show. */
export const localOffset: UtcOffset = (epochMs) => -new Date(epochMs).getTimezoneOffset();
