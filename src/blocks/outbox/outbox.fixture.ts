import type { ComponentError } from "../../components/spi/errors.ts";
import type { StateOperation } from "../../components/spi/state.ts";
import { type BlockFixture, createBlockFixture, settle } from "../pubsub/pubsub.fixture.ts";
import { createStateBlock, type StateBlock } from "../state/state-block.ts";
import { RecordingStore, StoreView } from "../state/state-block.fixture.ts";
import type { TransactionOperation } from "../state/types.ts";
import { createOutbox, type Outbox } from "./outbox.ts";

/** The internal topic of app `shop` in namespace `prod`. */
export const INTERNAL_TOPIC = "prodshopordersoutbox";
export const OUTBOX = { outboxPublishPubsub: "pubsub", outboxPublishTopic: "orders" };

/** A store whose transactions are done at once, or fail as a test says. */
export class TransactionalStore extends RecordingStore {
  /** Thrown instead of doing the transaction. */
  refusal: ComponentError | undefined;
  /** Thrown after the transaction was done: the answer got lost. */
  lostAnswer: ComponentError | undefined;
  /** Set: a transaction waits for it. */
  gate: Promise<void> | undefined;

  override transact = async (operations: readonly StateOperation[]): Promise<void> => {
    await this.gate;
    if (this.refusal !== undefined) {
      throw this.refusal;
    }
    for (const { kind, request } of operations) {
      if (kind === "upsert") {
        this.values.set(request.key, request.value);
      } else {
        this.values.delete(request.key);
      }
    }
    if (this.lostAnswer !== undefined) {
      throw this.lostAnswer;
    }
  };

  /** Keys and values as text. */
  get rows(): Record<string, string> {
    return Object.fromEntries([...this.values].map(([key, value]) => [key, Buffer.from(value).toString()]));
  }
}

export interface OutboxFixture extends BlockFixture {
  readonly state: StateBlock;
  readonly store: TransactionalStore;
  readonly stores: StoreView;
  readonly outbox: Outbox;
  /** Another sidecar of the app after a crash of this one: same store and broker, no memory. */
  restart(): Promise<OutboxFixture>;
  transact(...operations: readonly TransactionOperation[]): Promise<void>;
  /** Lets time pass in steps, so that what waits in turn gets its turn. */
  elapse(ms: number): Promise<void>;
}

/** A state store `mystore` with an outbox towards topic `orders` of the broker `pubsub`, started. */
export async function outboxFixture(
  metadata: Readonly<Record<string, string>> = {},
  secretNames: Readonly<Record<string, string>> = {},
): Promise<OutboxFixture> {
  const store = new TransactionalStore();
  const stores = new StoreView();
  stores.add("mystore", store, { metadata: { ...OUTBOX, ...metadata }, secretNames });
  return started(createBlockFixture(), store, stores);
}

async function started(parts: BlockFixture, store: TransactionalStore, stores: StoreView): Promise<OutboxFixture> {
  const { block: pubsub, clock, random, logger } = parts;
  const shared = { appId: "shop", namespace: "prod", stores, clock, random, logger };
  const outbox = createOutbox({ ...shared, pubsub });
  await outbox.start();
  const state = createStateBlock({ ...shared, outbox });
  return {
    ...parts,
    state,
    store,
    stores,
    outbox,
    restart: () => started(parts, store, stores),
    transact: (...operations) => state.transaction({ store: "mystore", operations, metadata: {} }),
    async elapse(ms) {
      for (let step = 0; step < ms; step += 500) {
        clock.advance(500);
        await settle();
      }
    },
  };
}

/** An upsert as HTTP callers send it: the value is JSON. */
export function upsert(
  key: string,
  json: string,
  metadata: Readonly<Record<string, string>> = {},
): TransactionOperation {
  const value = Buffer.from(json);
  const item = { key, value, valueIsJson: true, etag: undefined, metadata, concurrency: "", consistency: "" };
  return { kind: "upsert", item };
}

/** A delete of a key. */
export function removal(key: string, metadata: Readonly<Record<string, string>> = {}): TransactionOperation {
  return { ...upsert(key, "null", metadata), kind: "delete" };
}
