import { suggest } from "../../kit/distance.ts";
import { componentsOf } from "../components-of.ts";
import type { Examination } from "../examination.ts";
import type { Finding } from "../finding.ts";

/** Names by which resources refer to apps and components. */
export async function checkScopes(examination: Examination): Promise<readonly Finding[]> {
  return [
    ...(await scopesOfNobody(examination)),
    ...(await missingBrokers(examination)),
    ...(await topicScopes(examination)),
  ];
}

/** Only where all apps are known. */
async function scopesOfNobody({ setUp, apps, resources, at }: Examination): Promise<readonly Finding[]> {
  if (!setUp.isWhole) {
    return [];
  }
  const ids = apps.map(({ appId }) => appId);
  const findings: Finding[] = [];
  for (const { kind, resource } of resources) {
    const strangers = resource.scopes.filter((id) => !ids.includes(id));
    const isSeen = resource.scopes.length === 0 || strangers.length < resource.scopes.length;
    for (const id of strangers) {
      const near = suggest(id, ids);
      findings.push({
        severity: isSeen ? "warning" : "error",
        what: `${kind} ${resource.name} is for the app ${id}, which there is not${isSeen ? "" : "; no app can see it"}`,
        where: await at(resource.origin, ["scopes", resource.scopes.indexOf(id)]),
        why: isSeen ? "that name has no effect" : "it is as if it had not been written",
        fix: near === undefined ? `the apps are ${ids.join(", ")}` : `did you mean ${near}?`,
      });
    }
  }
  return findings;
}

async function missingBrokers({ apps, setUp, at }: Examination): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const { appId, project } of apps) {
    const components = project?.resources.components ?? [];
    const brokers = [
      ...components.filter(({ type }) => type.startsWith("pubsub.")).map(({ name }) => name),
      ...setUp.givenComponents,
    ];
    for (const { name, pubsubName, origin } of project?.resources.subscriptions ?? []) {
      if (brokers.includes(pubsubName)) continue;
      const other = components.find((each) => each.name === pubsubName);
      const near = suggest(pubsubName, brokers);
      findings.push({
        severity: "error",
        app: appId,
        what:
          other === undefined
            ? `subscription ${name} is on the broker ${pubsubName}, which this app does not have`
            : `subscription ${name} is on ${pubsubName}, which is of type ${other.type} and no broker`,
        where: await at(origin, ["spec", "pubsubname"]),
        why: "nothing is delivered for it",
        fix: near === undefined ? "write the component, or add the app to its scopes" : `did you mean ${near}?`,
      });
    }
  }
  return findings;
}

const TOPIC_SCOPES: readonly string[] = ["publishingscopes", "subscriptionscopes"];

/** `app1=topic1,topic2;app2=` */
async function topicScopes({ setUp, apps, resources, at }: Examination): Promise<readonly Finding[]> {
  const ids = apps.map(({ appId }) => appId);
  const findings: Finding[] = [];
  for (const component of setUp.isWhole ? componentsOf(resources) : []) {
    for (const [index, { name, value = "" }] of component.metadata.entries()) {
      if (!TOPIC_SCOPES.includes(name.toLowerCase())) continue;
      for (const part of value.split(";")) {
        const id = part.split("=", 1)[0]?.trim() ?? "";
        if (id === "" || ids.includes(id)) continue;
        const near = suggest(id, ids);
        findings.push({
          severity: "warning",
          what: `${name} of ${component.name} names the app ${id}, which there is not`,
          where: await at(component.origin, ["spec", "metadata", index]),
          why: "an app that is not named there may use every topic",
          fix: near === undefined ? `the apps are ${ids.join(", ")}` : `did you mean ${near}?`,
        });
      }
    }
  }
  return findings;
}
