import { componentNames } from "../resiliency/effective-names.ts";
import type { Registry } from "../inventory/registry.ts";
import type { ComponentResource } from "../resources/component.ts";
import type { SubscriptionResource } from "../resources/subscription.ts";
import { subscriptionSpec } from "../sidecar/subscription-spec.ts";
import { explainFields } from "./component-explanation.ts";
import type { Explanation } from "./explanation.ts";
import { explainPolicies } from "./policy-explanation.ts";
import type { Project } from "./project.ts";

/** The life of a message of one topic: published, routed, delivered, tried again, and what becomes of it then. */
export async function explainTopic(
  project: Project,
  broker: ComponentResource,
  topic: string,
  registry: Registry,
): Promise<Explanation> {
  const { places, policies, appId } = project;
  const manifest = registry.find(broker.type, broker.version)?.manifest;
  const subscriptions = project.resources.subscriptions.filter(
    (each) => each.pubsubName === broker.name && each.topic === topic,
  );
  const [first, ...ignored] = subscriptions;
  const deadLetterTopic = first?.deadLetterTopic ?? "";
  return {
    text: `topic ${topic} of ${broker.logName}`,
    from: await places.of(broker.origin, ["metadata", "name"]),
    below: [
      {
        text: `${appId} publishes (outbound)`,
        below: await explainPolicies(project, componentNames(policies, broker.name, "Pubsub", "outbound")),
      },
      ...(first === undefined
        ? [{ text: `${appId} has no Subscription resource for it` }]
        : [await explainSubscription(project, first)]),
      ...(await Promise.all(
        ignored.map(async ({ name, origin }) => ({
          text: `subscription ${name} is not used: the one before it has the same topic`,
          from: await places.of(origin, ["metadata", "name"]),
        })),
      )),
      {
        text: "a subscription that the app names itself (GET /dapr/subscribe) takes the place of these; those of streams come on top",
      },
      {
        text: `a delivery to ${appId} (inbound)`,
        below: [
          ...(await explainPolicies(project, componentNames(policies, broker.name, "Pubsub", "inbound"))),
          deadLetterTopic === ""
            ? { text: "when all attempts have failed: the broker gets the message back" }
            : {
                text: `when all attempts have failed, it has expired or the app drops it: published to ${deadLetterTopic}`,
                from: first === undefined ? undefined : await places.of(first.origin, ["spec", "deadLetterTopic"]),
              },
          ...(deadLetterTopic === ""
            ? [{ text: "when the app drops it, no rule matches or it has expired: it is gone" }]
            : []),
        ],
      },
      { text: "the broker's own part", below: await explainFields(project, broker, manifest) },
    ],
  };
}

async function explainSubscription(project: Project, resource: SubscriptionResource): Promise<Explanation> {
  const { places } = project;
  const { origin, routes } = resource;
  const { bulk, rules } = subscriptionSpec(resource);
  const at = (...path: (string | number)[]): Promise<string> => places.of(origin, ["spec", ...path]);
  const ruled = await Promise.all(
    routes.rules.map(async ({ match, path }, index) => ({
      text: `${match === "" ? "everything" : match} → ${path}`,
      from: await at("routes", "rules", index),
    })),
  );
  const otherwise =
    routes.default === ""
      ? []
      : [
          {
            text: `${ruled.length === 0 ? "everything" : "everything else"} → ${routes.default}`,
            from: (await at("routes", "default")) === (await at()) ? await at("route") : await at("routes", "default"),
          },
        ];
  const unmatched = rules.some(({ match }) => match === "") ? [] : [{ text: "everything else is dropped" }];
  return {
    text: `subscription ${resource.name}`,
    from: await places.of(origin, ["metadata", "name"]),
    below: [
      ...ruled,
      ...otherwise,
      ...unmatched,
      ...(bulk.enabled
        ? [
            {
              text: `in bulks of up to ${bulk.maxMessagesCount}, waiting at most ${bulk.maxAwaitDurationMs} ms`,
              from: await at("bulkSubscribe"),
            },
          ]
        : []),
    ],
  };
}
