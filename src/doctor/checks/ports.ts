import type { Examination } from "../examination.ts";
import type { Finding } from "../finding.ts";
import type { PlannedApp } from "../set-up.ts";

interface WantedPort {
  readonly app: string;
  readonly use: string;
  readonly port: number;
  readonly address: string;
}

const ALL_ADDRESSES = "0.0.0.0";

/** Ports that two want, and ports that somebody has already. */
export async function checkPorts({ setUp, world }: Examination): Promise<readonly Finding[]> {
  const wanted = setUp.apps.flatMap(portsOf);
  const findings: Finding[] = [];
  const byPort = Map.groupBy(wanted, ({ port }) => port);
  for (const [port, users] of byPort) {
    const [first, second] = users;
    if (first !== undefined && second !== undefined) {
      findings.push({
        severity: "error",
        what: `port ${port} is wanted twice: ${users.map(({ app, use }) => `${use} of ${app}`).join(", ")}`,
        why: "only one of them can listen there; the other one does not start",
        fix: "give each a port of its own, or leave the sidecars' ports out so that free ones are picked",
      });
    }
    if (first !== undefined && !setUp.isUp && !(await world.isPortFree(first.address, port))) {
      const owner = await world.portOwner(port);
      findings.push({
        severity: "error",
        app: first.app,
        what: `port ${port}, its ${first.use}, is taken${owner === undefined ? "" : ` by ${owner}`}`,
        why: "nobody else can listen there until that process ends",
        fix: "end that process, or choose another port",
      });
    }
  }
  return findings;
}

function portsOf({ appId, options }: PlannedApp): WantedPort[] {
  const { appPort, httpPort, grpcPort, internalGrpcPort, publicPort, metrics } = options;
  const api = options.unixDomainSocket === "" ? (options.listenAddresses[0] ?? ALL_ADDRESSES) : undefined;
  const ports: [use: string, port: number | undefined, address: string | undefined][] = [
    ["app port", appPort, options.appChannelAddress],
    ["HTTP port", httpPort, api],
    ["gRPC port", grpcPort, api],
    ["internal gRPC port", internalGrpcPort, options.internalListenAddress || ALL_ADDRESSES],
    ["public port", publicPort, options.publicListenAddress || ALL_ADDRESSES],
    ["metrics port", metrics.enabled ? metrics.port : undefined, metrics.listenAddress || ALL_ADDRESSES],
  ];
  return ports.flatMap(([use, port, address]) =>
    port === undefined || port === 0 || address === undefined ? [] : [{ app: appId, use, port, address }],
  );
}
