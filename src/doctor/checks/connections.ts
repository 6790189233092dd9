import type { ComponentResource } from "../../resources/component.ts";
import { backEndsOf } from "../back-ends.ts";
import type { ExaminedApp, Examination } from "../examination.ts";
import type { Finding } from "../finding.ts";

/**
 * Whether brokers and stores let the sidecars in: user, password, TLS, database. Only components are tried whose `init`
 * changes nothing; servers that cannot be reached at all are told by the check of reachability.
 */
export async function checkConnections(examination: Examination): Promise<readonly Finding[]> {
  const { apps, world } = examination;
  const tried = new Set<string>();
  const found: Finding[] = [];
  for (const app of apps) {
    const chosen: ComponentResource[] = [];
    for (const component of app.project?.resources.components ?? []) {
      const place = `${component.origin.file}:${component.origin.line}`;
      if (!tried.has(place) && isHarmless(component, examination) && (await isReachable(component, app, examination))) {
        tried.add(place);
        chosen.push(component);
      }
    }
    if (chosen.length > 0) {
      const stores = app.project?.resources.components.filter(({ type }) => type.startsWith("secretstores.")) ?? [];
      const faults = await world.componentFaults(app, stores, chosen);
      found.push(
        ...(await Promise.all(chosen.map((each) => findingOf(each, faults.get(each.name), examination)))).flat(),
      );
    }
  }
  return found;
}

function isHarmless({ type, version, metadata }: ComponentResource, { registry }: Examination): boolean {
  const harmless = registry.find(type, version)?.manifest.onlyConnects;
  const written = new Set(metadata.map(({ name }) => name.toLowerCase()));
  return harmless !== undefined && !harmless.unless.some((field) => written.has(field.toLowerCase()));
}

async function isReachable(
  component: ComponentResource,
  { environment }: ExaminedApp,
  { addressFault }: Examination,
): Promise<boolean> {
  const faults = await Promise.all(backEndsOf(component, environment).map(addressFault));
  return faults.every((fault) => fault === undefined);
}

async function findingOf(
  component: ComponentResource,
  fault: string | undefined,
  { at }: Examination,
): Promise<readonly Finding[]> {
  return fault === undefined
    ? []
    : [
        {
          severity: "error",
          what: `component ${component.logName} does not come up: ${fault}`,
          where: await at(component.origin),
          why: component.ignoreErrors ? "calls of it fail" : "its sidecar ends at its start",
          fix: "correct what it says: user, password, TLS or database",
        },
      ];
}
