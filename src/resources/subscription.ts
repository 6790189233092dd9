import { objectFields, toResource } from "./object.ts";
import type { Resource } from "./resource.ts";
import { boolean, dictionary, integer, list, struct, text } from "./shape.ts";
import type { Shape } from "./shape.ts";

/** `kind: Subscription` of both versions, in the shape of v2alpha1 (compatibility.md 4.3). */
export interface SubscriptionResource extends Resource {
  readonly pubsubName: string;
  readonly topic: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly routes: {
    /** `match` is CEL; empty matches everything. */
    readonly rules: readonly { readonly match: string; readonly path: string }[];
    /** Empty: none. */
    readonly default: string;
  };
  /** Empty: none. */
  readonly deadLetterTopic: string;
  /** The limits are 0 where none was written. */
  readonly bulkSubscribe: {
    readonly enabled: boolean;
    readonly maxMessagesCount: number;
    readonly maxAwaitDurationMs: number;
  };
}

const commonSpec = {
  topic: text,
  pubsubname: text,
  metadata: dictionary(text),
  deadLetterTopic: text,
  bulkSubscribe: struct({ enabled: boolean, maxMessagesCount: integer, maxAwaitDurationMs: integer }),
} as const;

const v1alpha1Shape = struct({ ...objectFields, spec: struct({ ...commonSpec, route: text }) });
const v2alpha1Shape = struct({
  ...objectFields,
  spec: struct({ ...commonSpec, routes: struct({ rules: list(struct({ match: text, path: text })), default: text }) }),
});

type CommonSpec = NonNullable<ReturnType<typeof v2alpha1Shape>["spec"]>;

export const subscriptionV1alpha1: Shape<SubscriptionResource> = (node, reading, path) => {
  const written = v1alpha1Shape(node, reading, path);
  return {
    ...toResource(written, node),
    ...toSpec(written.spec),
    routes: { rules: [], default: written.spec?.route ?? "" },
  };
};

export const subscriptionV2alpha1: Shape<SubscriptionResource> = (node, reading, path) => {
  const written = v2alpha1Shape(node, reading, path);
  const routes = written.spec?.routes;
  return {
    ...toResource(written, node),
    ...toSpec(written.spec),
    routes: {
      rules: (routes?.rules ?? []).map((rule) => ({ match: rule.match ?? "", path: rule.path ?? "" })),
      default: routes?.default ?? "",
    },
  };
};

function toSpec(spec: Omit<CommonSpec, "routes"> | undefined): Omit<SubscriptionResource, keyof Resource | "routes"> {
  return {
    pubsubName: spec?.pubsubname ?? "",
    topic: spec?.topic ?? "",
    metadata: Object.fromEntries(spec?.metadata ?? []),
    deadLetterTopic: spec?.deadLetterTopic ?? "",
    bulkSubscribe: {
      enabled: spec?.bulkSubscribe?.enabled ?? false,
      maxMessagesCount: spec?.bulkSubscribe?.maxMessagesCount ?? 0,
      maxAwaitDurationMs: spec?.bulkSubscribe?.maxAwaitDurationMs ?? 0,
    },
  };
}
