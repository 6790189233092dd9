import type { UnitState } from "./app-unit-types.ts";
import type { SessionUnit } from "./session-unit.ts";
import type { AppPlan } from "./types.ts";

const STATE_WORDS: Readonly<Record<UnitState, string>> = {
  preparing: "its sidecar starts",
  blocked: "waits for a port",
  starting: "starts",
  silent: "does not listen yet",
  up: "up",
  pausing: "starts again soon",
  "needs-change": "waits for a change",
  finished: "finished",
  stopping: "stops",
  stopped: "stopped",
};

const HEADINGS = ["app", "", "url", "dapr http", "dapr grpc"] as const;

/** A table of the apps of a session: how each is doing, and where it and its sidecar are. */
export function summaryOf(units: readonly SessionUnit[]): string {
  const rows = units.map(({ plan, unit }) => [
    plan.appId,
    plan.command.length === 0 && unit.state === "up" ? "sidecar only" : STATE_WORDS[unit.state],
    urlOf(plan),
    String(unit.sidecar?.ports.http ?? "-"),
    String(unit.sidecar?.ports.grpc ?? "-"),
  ]);
  const widths = HEADINGS.map((heading, at) => Math.max(heading.length, ...rows.map((row) => row[at]?.length ?? 0)));
  return [HEADINGS, ...rows]
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join("   ")
        .trimEnd(),
    )
    .join("\n");
}

function urlOf({ appPort, appProtocol, appChannelAddress }: AppPlan): string {
  return appPort === undefined
    ? "-"
    : `${appProtocol === "h2c" ? "http" : appProtocol}://${appChannelAddress}:${appPort}`;
}
