import { suggest } from "../../kit/distance.ts";
import { NAME_RESOLVERS } from "../../sidecar/name-resolution.ts";
import { hostPort } from "../back-ends.ts";
import type { ExaminedApp, Examination } from "../examination.ts";
import type { Finding } from "../finding.ts";

const MDNS = "mdns";
const CONSUL = "hashicorp.consul";
const CONSUL_PORT = 8_500;
const ALIASES: Readonly<Record<string, string>> = { consul: CONSUL };
const WHERE = "spec.nameResolution of its Configuration";

/** Whether the apps of others can be found by their names. */
export async function checkNames(examination: Examination): Promise<readonly Finding[]> {
  const found = await Promise.all(examination.apps.map(async (app) => await appFindings(app, examination)));
  return found.flat();
}

async function appFindings(app: ExaminedApp, { setUp, world }: Examination): Promise<readonly Finding[]> {
  const { component = "" } = app.project?.configuration.nameResolution ?? {};
  // `outrigger dev` has a registry of its own where no resolver is named.
  const written = component === "" && !setUp.bringsControlPlane ? MDNS : component;
  const name = ALIASES[written] ?? written;
  if (name !== "" && NAME_RESOLVERS[name] === undefined) {
    const near = suggest(name, Object.keys(NAME_RESOLVERS));
    return [
      {
        severity: "error",
        app: app.appId,
        what: `there is no name resolver ${name}`,
        where: WHERE,
        why: "its sidecar ends at its start",
        fix: near === undefined ? `there are ${Object.keys(NAME_RESOLVERS).join(", ")}` : `did you mean ${near}?`,
      },
    ];
  }
  if (name === MDNS && !world.hasNetwork()) {
    return [
      {
        severity: "warning",
        app: app.appId,
        what: "names are resolved by mDNS, and this machine has no network address but its own loopback",
        where: WHERE,
        why: "nobody on other machines hears who is asked for, and nobody is heard",
        fix: "connect the machine, or name another resolver, such as sqlite for one machine or consul",
      },
    ];
  }
  return name === CONSUL ? await consulFindings(app, world) : [];
}

async function consulFindings(
  { appId, project, environment }: ExaminedApp,
  world: Examination["world"],
): Promise<readonly Finding[]> {
  const client = fieldOf(project?.configuration.nameResolution.configuration, "client");
  const written = fieldOf(client, "address") ?? environment["CONSUL_HTTP_ADDR"];
  const text = typeof written === "string" && written !== "" ? written : `127.0.0.1:${CONSUL_PORT}`;
  const address = text.startsWith("unix:") ? undefined : hostPort(text, CONSUL_PORT);
  if (address === undefined) {
    return [];
  }
  const fault = (await world.lookupFault(address.host)) ?? (await world.connectFault(address.host, address.port));
  return fault === undefined
    ? []
    : [
        {
          severity: "error",
          app: appId,
          what: `the Consul agent at ${address.host}:${address.port} cannot be reached: ${fault}`,
          where: WHERE,
          why: "it finds no other app, and none finds it",
          fix: "start an agent on this machine, or correct client.address",
        },
      ];
}

/** Fields are known by their names in any case, as to Consul's library. */
function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? Object.entries(value).find(([field]) => field.toLowerCase() === name)?.[1]
    : undefined;
}
