import type { MetadataField } from "../../components/spi/component.ts";
import { ComponentError } from "../../components/spi/errors.ts";
import { decodeMetadata } from "../../components/spi/metadata.ts";
import type { Logger } from "../../kit/logger.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import type { ComponentResource } from "../../resources/component.ts";
import { socketsFolder } from "../../sidecar/component-types.ts";
import { componentsOf } from "../components-of.ts";
import type { Examination } from "../examination.ts";
import type { Finding } from "../finding.ts";

/** Files, kinds, fields, types and metadata, as far as they are wrong by themselves. */
export async function checkResources(examination: Examination): Promise<readonly Finding[]> {
  const { problems, remarks, apps } = examination;
  const found: Finding[] = [];
  for (const problem of problems) {
    found.push({
      severity: "error",
      what: problem.message,
      where: problem.line === 0 ? problem.file : await examination.at(problem),
      why: "the document is left out as if it were not there",
      fix: "correct it; indentation and quotes are the usual causes",
    });
  }
  for (const { place, message } of remarks) {
    found.push({
      severity: "warning",
      what: message,
      where: await examination.at(place),
      why: "what is not known has no effect",
      fix: "correct the name or take it out",
    });
  }
  for (const { appId, fault } of apps.filter((app) => app.fault !== "")) {
    found.push({
      severity: "error",
      app: appId,
      what: fault,
      why: "its sidecar ends at its start",
      fix: "correct the file, or the path that names it",
    });
  }
  for (const component of componentsOf(examination.resources)) {
    found.push(...(await checkComponent(component, examination)));
  }
  return [...found, ...actorStores(examination)];
}

/** Families of which components may stand behind sockets. */
const PLUGGABLE = /^(?:state|pubsub|bindings|secretstores)\.(.+)$/;

async function isPluggable(type: string, { world }: Examination): Promise<boolean> {
  const [, name] = PLUGGABLE.exec(type) ?? [];
  return name !== undefined && (await world.socketNames(socketsFolder(world.environment))).includes(name);
}

async function checkComponent(component: ComponentResource, examination: Examination): Promise<readonly Finding[]> {
  const { registry, at } = examination;
  const { origin, type, version } = component;
  const manifest = registry.find(type, version)?.manifest;
  if (manifest === undefined && (await isPluggable(type, examination))) {
    return [];
  }
  if (manifest === undefined) {
    const near = registry.suggest(type);
    const isVersion = near === type.toLowerCase();
    return [
      {
        severity: "error",
        what: isVersion
          ? `component ${component.name} asks for version ${version} of ${type}, which there is not`
          : `component ${component.name} is of the type ${type}, which this runtime does not bring`,
        where: await at(origin, ["spec", isVersion ? "version" : "type"]),
        why: "its sidecar ends at its start, unless a pluggable component brings the type by then",
        fix:
          isVersion || near === undefined
            ? "see docs/reference/components.md for what there is"
            : `did you mean ${near}?`,
      },
    ];
  }
  const findings: Finding[] = [];
  const place = async (field: string): Promise<string> => {
    const index = component.metadata.findIndex(({ name }) => name.toLowerCase() === field.toLowerCase());
    return await at(origin, index === -1 ? ["spec", "metadata"] : ["spec", "metadata", index]);
  };
  for (const { field, text } of fieldFaults(component, manifest.metadata)) {
    findings.push({
      severity: "error",
      what: text,
      where: await place(field),
      why: "the component does not come up, and its sidecar ends with it",
      fix: "give the field a value that fits; docs/reference/components.md has all fields",
    });
  }
  for (const { field, text } of unknownFields(component, manifest.metadata)) {
    findings.push({
      severity: "warning",
      what: text,
      where: await place(field),
      why: "the default counts in its place",
      fix: "correct the name or take it out",
    });
  }
  return findings;
}

interface FieldFault {
  readonly field: string;
  readonly text: string;
}

/** Values that come from elsewhere are not known here, only that there is one. */
function fieldFaults(component: ComponentResource, fields: readonly MetadataField[]): readonly FieldFault[] {
  const written = new Map(component.metadata.map((pair) => [pair.name.toLowerCase(), pair]));
  return fields.flatMap((field) => {
    const pair = [field.name, ...(field.aliases ?? [])].map((name) => written.get(name.toLowerCase())).find(Boolean);
    if (pair !== undefined && (pair.secretKeyRef !== undefined || pair.envRef !== "" || pair.value?.includes("{"))) {
      return [];
    }
    const metadata = pair?.value === undefined ? {} : { [field.name]: pair.value };
    try {
      decodeMetadata([field], metadata, { component: component.name, logger: silentLogger });
      return [];
    } catch (error) {
      if (!(error instanceof ComponentError)) throw error;
      const text =
        field.missingText === error.message ? `component ${component.name}: ${error.message}` : error.message;
      return [{ field: field.name, text }];
    }
  });
}

function unknownFields(component: ComponentResource, fields: readonly MetadataField[]): readonly FieldFault[] {
  const loose = fields.map(
    ({ name, aliases = [], description }) => ({ name, aliases, description, kind: "string" }) as const,
  );
  return component.metadata.flatMap(({ name }) => {
    const said: string[] = [];
    const logger: Logger = { ...silentLogger, warn: (message) => void said.push(message) };
    decodeMetadata(loose, { [name]: "x" }, { component: component.name, logger });
    return said.map((text) => ({ field: name, text }));
  });
}

/** Actors need exactly one store that says it is theirs. */
function actorStores({ apps, registry, setUp }: Examination): readonly Finding[] {
  return apps.flatMap(({ appId, project, options }): Finding[] => {
    const stores = (project?.resources.components ?? []).filter(({ metadata }) =>
      metadata.some(({ name, value }) => name.toLowerCase() === "actorstatestore" && value === "true"),
    );
    if (stores.length > 1) {
      return [
        {
          severity: "error",
          app: appId,
          what: `${stores.map(({ name }) => name).join(" and ")} are both the store of actors' state`,
          why: "a sidecar with two of them does not start",
          fix: 'leave actorStateStore: "true" at one of them',
        },
      ];
    }
    const candidates = (project?.resources.components ?? []).filter(
      ({ type, version }) => registry.find(type, version)?.manifest.capabilities.includes("TRANSACTIONAL") === true,
    );
    const wantsActors = options.placement.addresses.length > 0 && !setUp.bringsControlPlane;
    return wantsActors && stores.length === 0 && candidates.length > 0
      ? [
          {
            severity: "warning",
            app: appId,
            what: `it has a placement service, but none of its state stores (${candidates.map(({ name }) => name).join(", ")}) is the one of actors`,
            why: "actors of this app have no state",
            fix: 'set actorStateStore: "true" in the metadata of one, unless the app hosts no actors',
          },
        ]
      : [];
  });
}
