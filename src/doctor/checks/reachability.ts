import { backEndsOf, type BackEnd, hostPort } from "../back-ends.ts";
import { componentsOf } from "../components-of.ts";
import type { Examination } from "../examination.ts";
import type { Finding } from "../finding.ts";
import { tracingEndpoints } from "./tracing-endpoints.ts";

const CONTROL_PLANE = "start it, or correct the flag";

const PLACEMENT = "dapr.proto.placement.v1.Placement";
const SCHEDULER = "dapr.proto.scheduler.v1.Scheduler";
/** No service has a method of that name, so that nothing happens; each says that it is the one that has not. */
const NO_METHOD = "Doctor";

/** Whether there is somebody at every address that is written down. */
export async function checkReachability(examination: Examination): Promise<readonly Finding[]> {
  const { world } = examination;
  const asked = await endpointsOf(examination);
  const found = await Promise.all(
    asked.map(async (endpoint): Promise<readonly Finding[]> => {
      const { host, port, what, where, why, fix, service, severity = "error" } = endpoint;
      const address = `${host}:${port}`;
      const fault = await examination.addressFault(endpoint);
      if (fault !== undefined) {
        return [{ severity, what: `${what} at ${address} cannot be reached: ${fault}`, where, why, fix }];
      }
      const message =
        service === undefined ? undefined : await world.grpcMessage(host, port, `/${service}/${NO_METHOD}`);
      if (message === undefined || message.includes(`unknown method ${NO_METHOD}`)) {
        return [];
      }
      const isOther = message.includes("unknown service");
      const told = isOther
        ? `at ${address} is something else than ${what}: ${message}`
        : `${what} at ${address} does not answer as one: ${message}`;
      const cause = isOther ? fix : "correct the flag; a service with mutual TLS wants sidecars with --enable-mtls";
      return [{ severity: "error", what: told, where, why, fix: cause }];
    }),
  );
  return found.flat();
}

interface Endpoint extends BackEnd {
  /** The gRPC service that it is to have; absent: it is not asked. Under mTLS only sidecars are answered. */
  readonly service?: string | undefined;
  /** Of nobody being there; an error where it does not say. */
  readonly severity?: "warning";
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
        service: options.mtls === undefined ? PLACEMENT : undefined,
        fix: CONTROL_PLANE,
      });
    }
    for (const address of options.scheduler.addresses) {
      add(hostPort(address, 50_006), {
        what: "the scheduler",
        where: "--scheduler-host-address",
        why: why.scheduler,
        service: options.mtls === undefined ? SCHEDULER : undefined,
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
  for (const backEnd of apps.flatMap(tracingEndpoints)) {
    add(backEnd, {
      what: "what takes spans",
      where: "spec.tracing or OTEL_EXPORTER_OTLP_ENDPOINT",
      why: "spans wait for a minute, and are dropped then; all else works",
      fix: "start the collector, or correct its address",
      severity: "warning",
    });
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
