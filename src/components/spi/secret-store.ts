import type { Component } from "./component.ts";
import type { RequestMetadata } from "./request-metadata.ts";

/** A secret's parts by name; a single value stands under the secret's own name. */
export type Secret = Readonly<Record<string, string>>;

/** A secret store. */
export interface SecretStore extends Component {
  /** @throws ComponentError `notFound` with the store's own text when there is no such secret */
  getSecret(name: string, metadata: RequestMetadata): Promise<Secret>;
  bulkGetSecret(metadata: RequestMetadata): Promise<Readonly<Record<string, Secret>>>;
}
