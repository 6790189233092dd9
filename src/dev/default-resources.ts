import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { errorMessage } from "../kit/error-message.ts";
import { declaredComponents, type DeclaredComponents } from "./default-resources-declared.ts";
import { PlanError } from "./run-plan-error.ts";
import type { AppPlan, RunPlan } from "./types.ts";

export interface DefaultResourcesOptions {
  /** Folder of the database files, absolute; made when it is not there. */
  readonly dataDir: string;
  readonly plan: RunPlan;
}

interface DefaultComponent {
  readonly family: string;
  readonly name: string;
  readonly file: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** One database file per family: a burst of messages does not make saves of state wait. */
const DEFAULTS: readonly DefaultComponent[] = [
  { family: "state", name: "statestore", file: "state.db", metadata: { actorStateStore: "true" } },
  { family: "pubsub", name: "pubsub", file: "pubsub.db", metadata: {} },
  { family: "lock", name: "lockstore", file: "lock.db", metadata: {} },
  { family: "configuration", name: "configstore", file: "configuration.db", metadata: {} },
];

/** Names of the components that apps get without asking. */
export const DEFAULT_COMPONENTS: readonly string[] = DEFAULTS.map(({ name }) => name);

/**
 * Writes the components that apps get without asking: durable ones on SQLite, with the names of Dapr's own quickstarts. An
 * app whose resources declare a component of a family (`state.*` …), or one of the default's name, gets no default of that
 * family: what is declared is what is meant, and a second store beside it would only hide a wrong name. Apps that get
 * one share its file; `scopes` keeps it from the others.
 * @returns the folder of the YAML files, absolute: for every app of the plan the FIRST resources path, since Dapr's loader
 *   takes a name of another app's scope for a duplicate only when it comes after one of this app's
 * @throws PlanError when the files cannot be written
 */
export async function writeDefaultResources({ dataDir, plan }: DefaultResourcesOptions): Promise<string> {
  const folder = join(dataDir, "resources");
  const declared: [app: AppPlan, components: DeclaredComponents][] = [];
  for (const app of plan.apps) {
    declared.push([app, await declaredComponents(app)]);
  }
  try {
    await mkdir(folder, { recursive: true });
    for (const component of DEFAULTS) {
      const apps = declared
        .filter(([, { names, families }]) => !names.has(component.name) && !families.has(component.family))
        .map(([{ appId }]) => appId);
      const path = join(folder, `${component.name}.yaml`);
      await (apps.length === 0 ? rm(path, { force: true }) : writeChanged(path, manifestOf(component, dataDir, apps)));
    }
  } catch (cause) {
    throw new PlanError(`the default components cannot be written to ${folder}: ${errorMessage(cause)}`, { cause });
  }
  return folder;
}

/** JSON texts are YAML, whatever is in them. */
function manifestOf(component: DefaultComponent, dataDir: string, apps: readonly string[]): string {
  const connectionString = pathToFileURL(join(dataDir, component.file)).href;
  const metadata = Object.entries({ connectionString, ...component.metadata });
  return `# Written by outrigger dev, and again at every start: declare a component of your own to replace it.
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: ${component.name}
spec:
  type: ${component.family}.sqlite
  version: v1
  metadata:
${metadata.map(([name, value]) => `    - name: ${name}\n      value: ${JSON.stringify(value)}\n`).join("")}scopes:
${apps.map((appId) => `  - ${JSON.stringify(appId)}\n`).join("")}`;
}

/** Leaves a file that says the same alone: whoever watches it would take it for a change. */
async function writeChanged(path: string, text: string): Promise<void> {
  const before = await readFile(path, "utf8").catch(() => undefined);
  if (before !== text) {
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  }
}
