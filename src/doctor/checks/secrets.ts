import type { SecretStore } from "../../components/spi/secret-store.ts";
import { isEnvironmentReferenceAllowed } from "../../inventory/environment-reference.ts";
import { suggest } from "../../kit/distance.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { ComponentResource } from "../../resources/component.ts";
import { appInventory } from "../app-inventory.ts";
import type { ExaminedApp, Examination } from "../examination.ts";
import type { Finding } from "../finding.ts";

/** References to secrets and variables; what they stand for is looked up and never told. */
export async function checkSecrets(examination: Examination): Promise<readonly Finding[]> {
  const found = await Promise.all(examination.apps.map(async (app) => await checkApp(app, examination)));
  // Apps share components: what is wrong for all of them is told once.
  const byText = Map.groupBy(found.flat(), ({ what, where }) => `${what}\n${where ?? ""}`);
  return [...byText.values()].flatMap((same) =>
    same.slice(0, 1).map((first) => (same.length === 1 ? first : { ...first, app: undefined })),
  );
}

async function checkApp(app: ExaminedApp, examination: Examination): Promise<readonly Finding[]> {
  const components = app.project?.resources.components ?? [];
  const referring = components.filter(({ metadata }) => metadata.some((pair) => pair.secretKeyRef !== undefined));
  const stores = components.filter(({ type }) => type.startsWith("secretstores."));
  const variables = await Promise.all(components.map(async (each) => await checkVariables(each, app, examination)));
  if (referring.length === 0) {
    return variables.flat();
  }
  const inventory = appInventory(app, examination.world);
  try {
    await inventory.load(stores);
    const find = (name: string): SecretStore | undefined => inventory.secretstores.get(name)?.component;
    const secrets = await Promise.all(
      referring.map(async (each) => await checkRefs(each, stores, find, app, examination)),
    );
    return [...variables.flat(), ...secrets.flat()];
  } finally {
    await inventory.close();
  }
}

async function checkVariables(
  component: ComponentResource,
  { appId, environment }: ExaminedApp,
  { at }: Examination,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [index, { name, envRef }] of component.metadata.entries()) {
    if (envRef === "") continue;
    const isAllowed = isEnvironmentReferenceAllowed(envRef, environment);
    if (isAllowed && environment[envRef] !== undefined) continue;
    findings.push({
      severity: "error",
      app: appId,
      what: isAllowed
        ? `field ${name} of component ${component.name} is the variable ${envRef}, which is not set`
        : `field ${name} of component ${component.name} is the variable ${envRef}, which components may not read`,
      where: await at(component.origin, ["spec", "metadata", index]),
      why: "the field is empty",
      fix: isAllowed ? "set it where the sidecar is started" : "use a variable with another name, or a secret store",
    });
  }
  return findings;
}

async function checkRefs(
  component: ComponentResource,
  stores: readonly ComponentResource[],
  find: (name: string) => SecretStore | undefined,
  { appId }: ExaminedApp,
  { at }: Examination,
): Promise<readonly Finding[]> {
  const { secretStore, origin, metadata, name, namespace } = component;
  const names = stores.map((each) => each.name);
  const finding = async (what: string, path: readonly (string | number)[], fix: string): Promise<Finding> => ({
    severity: "error",
    app: appId,
    what,
    where: await at(origin, path),
    why: "the component comes up without the value, or not at all",
    fix,
  });
  if (!names.includes(secretStore)) {
    const near = suggest(secretStore, names);
    const fix = near === undefined ? "name one under auth.secretStore that this app has" : `did you mean ${near}?`;
    const what =
      secretStore === ""
        ? "names no secret store"
        : `names the secret store ${secretStore}, which this app does not have`;
    return [await finding(`component ${name} refers to secrets and ${what}`, ["auth", "secretStore"], fix)];
  }
  const store = find(secretStore);
  if (store === undefined) {
    return [
      await finding(
        `component ${name} waits for the secret store ${secretStore}, which does not come up`,
        ["auth", "secretStore"],
        "look at its fields, and into the log of a sidecar that starts with it",
      ),
    ];
  }
  const findings: Finding[] = [];
  for (const [index, { secretKeyRef }] of metadata.entries()) {
    if (secretKeyRef === undefined) continue;
    const path = ["spec", "metadata", index];
    const secret = `${secretKeyRef.name}/${secretKeyRef.key}`;
    try {
      const value = (await store.getSecret(secretKeyRef.name, { namespace }))[secretKeyRef.key] ?? "";
      if (value === "") {
        findings.push(
          await finding(
            `secret ${secret} of ${secretStore} is empty or not there`,
            path,
            "put it into the store, or correct name and key",
          ),
        );
      }
    } catch (error) {
      findings.push(
        await finding(
          `secret ${secret} of ${secretStore} cannot be read: ${errorMessage(error)}`,
          path,
          "put it into the store, or correct name and key",
        ),
      );
    }
  }
  return findings;
}
