import { backEndsOf, type BackEnd, hostPort } from "../back-ends.ts";
import { componentsOf } from "../components-of.ts";
import type { Examination } from "../examination.ts";
import type { Finding } from "../finding.ts";

const CONTROL_PLANE = "start it, or correct the flag";

/** Whether there is somebody at every address that is written down. */
export async function checkReachability(examination: Examination): Promise<readonly Finding[]> {
  const { world } = examination;
  const asked = await endpointsOf(examination);
  const faults = new Map<string, Promise<string | undefined>>();
  const faultOf = async ({ host, port }: BackEnd): Promise<string | undefined> =>
    (await world.lookupFault(host)) ?? (await world.connectFault(host, port));
  const found = await Promise.all(
    asked.map(async (endpoint): Promise<readonly Finding[]> => {
      const { host, port, what, where, why, fix } = endpoint;
      const address = `${host}:${port}`;
      const looked = faults.get(address) ?? faultOf(endpoint);
      faults.set(address, looked);
      const fault = await looked;
      return fault === undefined
        ? []
        : [{ severity: "error", what: `${what} at ${address} cannot be reached: ${fault}`, where, why, fix }];
    }),
  );
  return found.flat();
}

interface Endpoint extends BackEnd {
  readonly what: string;
  readonly where?: string;
  readonly why: string;
  readonly fix: string;
}

async function endpointsOf({ setUp, apps, resources, world, at }: Examination): Promise<readonly Endpoint[]> {
  const found = new Map<string, Endpoint>();
  const add = (address: BackEnd | undefined, rest: Omit<Endpoint, "host" | "port">): void => {
    if (address === undefined) return;
    const endpoint = { host: address.host, port: address.port, ...rest };
    found.set(JSON.stringify(endpoint), endpoint);
  };
  for (const { options } of setUp.bringsControlPlane ? [] : apps) {
    const why = {
      placement: "there are no actors without it",
      scheduler: "there are no jobs and reminders without it",
    };
    for (const address of options.placement.addresses) {
      add(hostPort(address, 50_005), {
        what: "the placement service",
        where: "--placement-host-address",
        why: why.placement,
        fix: CONTROL_PLANE,
      });
    }
    for (const address of options.scheduler.addresses) {
      add(hostPort(address, 50_006), {
        what: "the scheduler",
        where: "--scheduler-host-address",
        why: why.scheduler,
        fix: CONTROL_PLANE,
      });
    }
    if (options.mtls !== undefined) {
      add(hostPort(options.mtls.sentryAddress, 50_001), {
        what: "sentry",
        where: "--sentry-address",
        why: "its sidecar waits for a certificate and does not come up",
        fix: CONTROL_PLANE,
      });
    }
  }
  for (const component of componentsOf(resources)) {
    const where = await at(component.origin);
    for (const backEnd of backEndsOf(component, apps[0]?.environment ?? world.environment)) {
      add(backEnd, {
        what: `what component ${component.logName} is on`,
        where,
        why: component.ignoreErrors ? "calls of it fail until it is there" : "its sidecar ends at its start",
        fix: "start it, correct the address, or open the way to it",
      });
    }
  }
  for (const each of resources) {
    if (each.kind !== "HTTPEndpoint") continue;
    add(hostPort(each.resource.baseUrl, 80), {
      what: `HTTPEndpoint ${each.resource.name}`,
      where: await at(each.resource.origin, ["spec", "baseUrl"]),
      why: "calls of it fail",
      fix: "correct the address, or open the way to it",
    });
  }
  return [...found.values()];
}
