import type { ResourceError } from "./error.ts";
import type { ComponentResource } from "./component.ts";
import type { ConfigurationDocument } from "./configuration-document.ts";
import type { HttpEndpointResource } from "./http-endpoint.ts";
import type { ResiliencyResource } from "./resiliency.ts";
import type { SubscriptionResource } from "./subscription.ts";

/** What a source of resources gives: everything that is for this app, in the order it was written. */
export interface LoadedResources {
  readonly components: readonly ComponentResource[];
  readonly subscriptions: readonly SubscriptionResource[];
  readonly httpEndpoints: readonly HttpEndpointResource[];
  readonly resiliencies: readonly ResiliencyResource[];
  /** Not in effect; only files that are named as Configuration are. */
  readonly configurations: readonly ConfigurationDocument[];
  /** Documents that could not be read and were left out, as Dapr leaves them out; they have been logged already. */
  readonly problems: readonly ResourceError[];
}
