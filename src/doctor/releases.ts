import { errorMessage } from "../kit/error-message.ts";
import { hostPort } from "./back-ends.ts";
import type { PlannedApp, RunningSidecar, SetUp } from "./set-up.ts";
import { metadataOf, releaseOf } from "./sidecar-answers.ts";
import type { DoctorWorld } from "./world.ts";

const PLACEMENT_PORT = 50_005;
const SCHEDULER_PORT = 50_006;
const SENTRY_PORT = 50_001;

/** A program of the set-up, as far as it says of which release it is. */
export interface ProgramRelease {
  /** `the placement service at localhost:50005`. */
  readonly program: string;
  /** Outrigger's own release; undefined: it does not say. */
  readonly release: string | undefined;
  /** A sidecar's release of Dapr. */
  readonly runtime?: string | undefined;
  /** Why nothing is known; empty: it is. */
  readonly unknown: string;
}

/** Asks all sidecars, and the services that sidecars are told addresses of. */
export async function releasesOf(
  { sidecars, bringsControlPlane }: Pick<SetUp, "sidecars" | "bringsControlPlane">,
  apps: readonly PlannedApp[],
  world: DoctorWorld,
): Promise<readonly ProgramRelease[]> {
  const services = new Map<string, () => Promise<ProgramRelease>>();
  for (const { options } of bringsControlPlane ? [] : apps) {
    const { placement, scheduler, mtls } = options;
    const add = (name: string, address: string, port: number, silence: string): void => {
      const found = hostPort(address, port);
      if (found !== undefined) {
        const program = `${name} at ${found.host}:${found.port}`;
        services.set(program, async () =>
          silence === ""
            ? await askService(program, found.host, found.port, world)
            : { program, release: undefined, unknown: silence },
        );
      }
    };
    const silence = mtls === undefined ? "" : "with mutual TLS it answers sidecars only";
    for (const address of placement.addresses) add("the placement service", address, PLACEMENT_PORT, silence);
    for (const address of scheduler.addresses) add("the scheduler", address, SCHEDULER_PORT, silence);
    if (mtls !== undefined) add("sentry", mtls.sentryAddress, SENTRY_PORT, "it answers requests for certificates only");
  }
  return await Promise.all([
    ...sidecars.map((sidecar) => askSidecar(sidecar, world)),
    ...[...services.values()].map((ask) => ask()),
  ]);
}

async function askSidecar({ name, address }: RunningSidecar, world: DoctorWorld): Promise<ProgramRelease> {
  const program = `the sidecar ${name}`;
  const [metadata, release] = await Promise.all([metadataOf(world, address), releaseOf(world, address)]);
  const runtime = metadata?.runtimeVersion;
  return { program, release, runtime, unknown: runtime === undefined ? "it does not answer" : "" };
}

async function askService(program: string, host: string, port: number, world: DoctorWorld): Promise<ProgramRelease> {
  try {
    const release = await world.serviceRelease(host, port);
    const unknown = release === undefined ? "Dapr's services write theirs into their logs only" : "";
    return { program, release, unknown };
  } catch (error) {
    return { program, release: undefined, unknown: errorMessage(error) };
  }
}
