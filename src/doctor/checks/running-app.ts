import type { Examination } from "../examination.ts";
import type { Finding } from "../finding.ts";
import type { RunningSidecar } from "../set-up.ts";
import { conditionsOf, metadataOf } from "../sidecar-answers.ts";
import type { DoctorWorld } from "../world.ts";

const LOOPBACK = "127.0.0.1";
const HERE: readonly string[] = [LOOPBACK, "localhost", "::1"];

/** Whether somebody listens on the port of the app of a sidecar that runs on this machine: others may listen on loopback only. */
export async function checkRunningApp(
  { name, address }: RunningSidecar,
  world: DoctorWorld,
): Promise<readonly Finding[]> {
  const { port = 0, channelAddress = "" } = (await metadataOf(world, address))?.appConnectionProperties ?? {};
  if (port === 0 || !HERE.includes(address.host)) {
    return [];
  }
  const host = channelAddress || LOOPBACK;
  const fault = await world.connectFault(host, port);
  return fault === undefined
    ? []
    : [
        {
          severity: "error",
          app: name,
          what: `its app cannot be reached on port ${port}: ${fault}`,
          where: `${host}:${port}`,
          why: "calls, events and reminders do not get to it",
          fix: "look whether the app runs and listens there; --app-port has to be the port that it listens on",
        },
      ];
}

/** Components that the files of an app have and its sidecar does not: what was added while it ran without hot reload. */
export async function checkLoaded(
  { name, address }: RunningSidecar,
  { apps, world, at }: Examination,
): Promise<readonly Finding[]> {
  const project = apps.find(({ appId }) => appId === name)?.project;
  const loaded = (await metadataOf(world, address))?.components;
  if (project === undefined || loaded === undefined) {
    return [];
  }
  const told = (await conditionsOf(world, address))?.components ?? [];
  const known = new Set([...loaded, ...told].map((component) => component.name));
  return await Promise.all(
    project.resources.components
      .filter((component) => !known.has(component.name))
      .map(async ({ logName, origin }): Promise<Finding> => ({
        severity: "warning",
        app: name,
        what: `component ${logName} is in its resources, and its sidecar has not loaded it`,
        where: await at(origin),
        why: "whoever asks for it is told that it is not there",
        fix: "start the sidecar again, or with hot reload; a Configuration may also deny its type",
      })),
  );
}
