import type { Place } from "../resources/yaml-node.ts";
import type { RunFile } from "./run-file.ts";
import type { RunFileProblem } from "./run-plan-error.ts";
import type { AppPlan } from "./types.ts";

/** Addresses that a sidecar's ports are on as well. */
const LOCAL_ADDRESSES: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "0.0.0.0", "::1", "[::1]", "::"]);

interface Claim {
  readonly port: number;
  readonly what: string;
  readonly place: Place;
}

/** Ports that a run file gives away twice: the second of each pair. */
export function portConflicts(file: RunFile, apps: readonly AppPlan[]): readonly RunFileProblem[] {
  const taken = new Map<number, Claim>();
  const problems: RunFileProblem[] = [];
  for (const claim of apps.flatMap((app, index) => claimsOf(file, app, index))) {
    const earlier = taken.get(claim.port);
    if (earlier === undefined) {
      taken.set(claim.port, claim);
    } else {
      problems.push({
        place: claim.place,
        text: `port ${claim.port} cannot be the ${claim.what}: it is the ${earlier.what} at line ${earlier.place.line}`,
      });
    }
  }
  return problems;
}

function claimsOf(file: RunFile, app: AppPlan, index: number): readonly Claim[] {
  const written = file.apps[index]?.value;
  // An app that somebody else starts, or on another machine, may have several sidecars.
  const listens = app.command.length > 0 && LOCAL_ADDRESSES.has(app.appChannelAddress);
  const claims = [
    [listens ? written?.appPort : undefined, "appPort"],
    [written?.daprHTTPPort, "daprHTTPPort"],
    [written?.daprGRPCPort, "daprGRPCPort"],
    [written?.daprInternalGRPCPort, "daprInternalGRPCPort"],
    [written?.metricsPort, "metricsPort"],
  ] as const;
  return claims.flatMap(([port, key]) =>
    port === undefined || port.value <= 0
      ? []
      : [{ port: port.value, what: `${key} of ${JSON.stringify(app.appId)}`, place: port.place }],
  );
}
