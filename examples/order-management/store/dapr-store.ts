import { CommunicationProtocolEnum, type DaprClient, StateConcurrencyEnum, StateConsistencyEnum } from "@dapr/dapr";
import { bulkItems } from "./bulk-items.ts";
import { type Change, EtagConflictError, type Versioned, type VersionedStore } from "./versioned-store.ts";

/** A transaction with a stale ETag is answered like any other failure: only the text tells them apart. */
const ETAG_MISMATCH_TEXT = "possible etag mismatch";

/** The SDK does not export its own name of it. */
type Operation = NonNullable<Parameters<DaprClient["state"]["transaction"]>[1]>[number];

/** A Dapr state store; every write is a transaction, also that of a single record. */
export class DaprVersionedStore implements VersionedStore {
  readonly #client: DaprClient;
  readonly #name: string;
  readonly #valueOf: (value: object) => unknown;

  constructor(client: DaprClient, name: string) {
    this.#client = client;
    this.#name = name;
    // The SDK's HTTP client puts the value into JSON itself, its gRPC client sends text.
    const http = client.options.communicationProtocol === CommunicationProtocolEnum.HTTP;
    this.#valueOf = http ? (value) => value : (value) => JSON.stringify(value);
  }

  async read(keys: readonly string[]): Promise<Map<string, Versioned>> {
    return bulkItems(await this.#client.state.getBulk(this.#name, [...keys]));
  }

  async write(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return;
    try {
      await this.#client.state.transaction(
        this.#name,
        changes.map((change) => this.#operation(change)),
      );
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes(ETAG_MISMATCH_TEXT)) throw error;
      throw new EtagConflictError(`${this.#name}: a record has changed`, { cause: error });
    }
  }

  #operation({ key, value, etag }: Change): Operation {
    const request = {
      key,
      options: {
        concurrency: StateConcurrencyEnum.CONCURRENCY_FIRST_WRITE,
        consistency: StateConsistencyEnum.CONSISTENCY_STRONG,
      },
      ...(etag === undefined ? {} : { etag: transactionEtag(etag) }),
    };
    return value === undefined
      ? { operation: "delete", request }
      : { operation: "upsert", request: { ...request, value: this.#valueOf(value) } };
  }
}

/** The SDK's type asks for `{ value }`, but its gRPC client sends what `toString` gives and its HTTP client the JSON. */
function transactionEtag(etag: string): { value: string } {
  return Object.assign({ value: etag }, { toString: () => etag, toJSON: () => etag });
}
