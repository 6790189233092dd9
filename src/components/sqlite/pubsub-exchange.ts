import type { Row, Step, WriteResult } from "../../storage/engine.ts";
import type { Held } from "./pubsub-hand.ts";
import type { PubSubStatement } from "./pubsub-schema.ts";

/** What becomes of a message that is not acknowledged. */
export type Settlement =
  | { readonly kind: "giveBack"; readonly held: Held; readonly dueMs: number }
  | { readonly kind: "release"; readonly held: Held; readonly dueMs: number }
  | { readonly kind: "park"; readonly held: Held; readonly parkedMs: number; readonly reason: string };

/** Whose exchange it is. */
export interface ExchangeKeys {
  readonly subscriptionId: number;
  readonly topicId: number;
  readonly deadLetterTopic: string;
}

/**
 * One write of a consumer, and what became of it: settles, then renews, then claims, so that what the consumer holds is
 * renewed before its own claim could take it. A settlement names the due time that its message has when the write is made.
 */
export class Exchange {
  readonly acknowledged: readonly Held[];
  readonly settlements: readonly Settlement[];
  readonly steps: Step<PubSubStatement>[] = [];
  /** Claimed messages are ours until then. */
  dueMs = 0;
  /** How many messages were asked for; 0: it does not claim. */
  claims = 0;
  renewed: readonly Held[] = [];
  readonly #keys: ExchangeKeys;
  #acknowledgements = 0;
  #acknowledgeStep = -1;
  #renewStep = -1;

  constructor(keys: ExchangeKeys, acknowledged: readonly Held[], settlements: readonly Settlement[]) {
    this.#keys = keys;
    this.acknowledged = acknowledged;
    this.settlements = settlements;
    for (const settlement of settlements) {
      if (settlement.held.state !== "lost") {
        this.#settle(settlement);
      }
    }
    const taken = acknowledged.filter((held) => held.state !== "lost");
    if (taken.length > 0) {
      const list = listOf(taken);
      this.#acknowledgements = taken.length;
      this.#acknowledgeStep = this.steps.length;
      this.steps.push(
        { statement: "acknowledge", params: [keys.subscriptionId, list] },
        { statement: "removeTaken", params: [keys.topicId, list] },
      );
    }
  }

  /** Whether a dead letter may be among what it settles. */
  get hasDeadLetters(): boolean {
    return this.settlements.some(({ kind }) => kind === "park");
  }

  renew(messages: readonly Held[], dueMs: number): void {
    if (messages.length === 0) {
      return;
    }
    this.renewed = messages;
    this.dueMs = dueMs;
    this.#renewStep = this.steps.length;
    this.steps.push({ statement: "renew", params: [this.#keys.subscriptionId, listOf(messages), dueMs] });
  }

  claim(nowMs: number, dueMs: number, room: number): void {
    const { subscriptionId, topicId } = this.#keys;
    this.claims = room;
    this.dueMs = dueMs;
    this.steps.push(
      { statement: "claimAgain", params: [subscriptionId, nowMs, dueMs, room] },
      { statement: "claimNew", params: [subscriptionId, topicId, nowMs, dueMs, room] },
      { statement: "moveCursor", params: [subscriptionId, topicId] },
    );
  }

  /** Message and attempts of what was claimed. */
  claimedOf({ rows }: WriteResult): readonly Row[] {
    return this.claims === 0 ? [] : [...(rows.at(-3) ?? []), ...(rows.at(-2) ?? [])];
  }

  /** Notes how long the renewed messages are ours. @returns those that were not ours any more */
  noteRenewed({ rows }: WriteResult): Held[] {
    const renewed = new Set(rows[this.#renewStep]?.map(([id]) => Number(id)));
    const lost: Held[] = [];
    for (const held of this.renewed) {
      if (renewed.has(held.id)) {
        held.dueMs = this.dueMs;
      } else {
        lost.push(held);
      }
    }
    return lost;
  }

  /** How many acknowledgements came too late: the message was not ours any more. */
  lateAcknowledgements({ changes }: WriteResult): number {
    return this.#acknowledgements - (changes[this.#acknowledgeStep] ?? 0);
  }

  #settle(settlement: Settlement): void {
    const { subscriptionId, deadLetterTopic } = this.#keys;
    const key = [subscriptionId, settlement.held.dueMs, settlement.held.id] as const;
    switch (settlement.kind) {
      case "giveBack":
        this.steps.push({ statement: "giveBack", params: [...key, settlement.dueMs] });
        break;
      case "release":
        this.steps.push({ statement: "release", params: [...key, settlement.dueMs] });
        break;
      case "park":
        this.steps.push(
          { statement: "deadLetter", params: [...key, deadLetterTopic, settlement.parkedMs] },
          { statement: "park", params: [...key, settlement.reason, settlement.parkedMs] },
        );
    }
  }
}

function listOf(messages: readonly Held[]): string {
  return JSON.stringify(messages.map(({ dueMs, id }) => [dueMs, id]));
}
