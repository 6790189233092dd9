import { component } from "./component.ts";
import { configurationDocument } from "./configuration-document.ts";
import { httpEndpoint } from "./http-endpoint.ts";
import { resiliency } from "./resiliency.ts";
import { subscriptionV1alpha1, subscriptionV2alpha1 } from "./subscription.ts";

const V1ALPHA1 = "dapr.io/v1alpha1";
const V2ALPHA1 = "dapr.io/v2alpha1";

/**
 * The resource kinds that files may hold, by `kind`, with the reader of each `apiVersion`. `namespaced`: resources of
 * other namespaces are left out and names are unique; Dapr does that for these kinds only. `anyVersion`: Dapr reads the
 * kind without looking at `apiVersion`.
 */
export const resourceKinds = {
  Component: { namespaced: true, anyVersion: false, versions: { [V1ALPHA1]: component } },
  Subscription: {
    namespaced: false,
    anyVersion: false,
    versions: { [V1ALPHA1]: subscriptionV1alpha1, [V2ALPHA1]: subscriptionV2alpha1 },
  },
  HTTPEndpoint: { namespaced: true, anyVersion: false, versions: { [V1ALPHA1]: httpEndpoint } },
  Resiliency: { namespaced: false, anyVersion: true, versions: { [V1ALPHA1]: resiliency } },
  Configuration: { namespaced: false, anyVersion: false, versions: { [V1ALPHA1]: configurationDocument } },
} as const;

export type ResourceKind = keyof typeof resourceKinds;

/** Dapr's kinds that mean nothing in a resources folder, or not yet: passed over without a hint about their name. */
export const otherKinds = ["MCPServer", "WorkflowAccessPolicy"] as const;
