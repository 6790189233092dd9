import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { goodsOf, type Invoice, valueOf } from "../model/invoice.ts";
import type { OpeningStock } from "../model/stock-commands.ts";
import { type Answer, type FacadeClient, GivenUpError } from "./facade-client.ts";
import type { Journal, Question } from "./journal.ts";
import type { Task } from "./plan.ts";

/** How long a confirmation may take until its refund is given up; a restart of everything is well below that. */
const CONFIRMATION_MS_MAX = 90_000;
const CONFIRMATION_POLL_MS = 100;

const CREATED = 201;
const CONFLICT = 409;

/** What one task, or a request of it, has cost. */
export interface Timing {
  /** Milliseconds from a request to its answer, of those that the first attempt was answered. */
  readonly latenciesMs: number[];
  /** Requests that had to be sent more than once. */
  retried: number;
}

/** The customers: what they ask of the façade for each task, each answer in the journal before the next question. */
export class Desk {
  readonly timing: Timing = { latenciesMs: [], retried: 0 };
  readonly #facade: Pick<FacadeClient, "send">;
  readonly #journal: Pick<Journal, "write">;
  readonly #signal: AbortSignal;
  /** Tasks of orders by their invoice's number, for those that have begun. */
  readonly #orders = new Map<string, Promise<void>>();

  constructor(facade: Pick<FacadeClient, "send">, journal: Pick<Journal, "write">, signal: AbortSignal) {
    this.#facade = facade;
    this.#journal = journal;
    this.#signal = signal;
  }

  /** Fills the shelves. @throws Error when that is refused */
  async open(stock: OpeningStock): Promise<void> {
    const answer = await this.#ask("POST", "/opening-stock", stock, { step: "open", id: "opening-stock", asked: {} });
    if (answer.status !== 200) throw new Error(`the shelves were not filled: ${JSON.stringify(answer.body)}`);
  }

  /** @throws GivenUpError when the system did not answer; it is in the journal as well */
  async perform(task: Task): Promise<void> {
    switch (task.kind) {
      case "order": {
        const ended = this.#order(task);
        this.#orders.set(task.invoice.id, ended);
        return await ended;
      }
      case "refund":
        return await this.#refund(task.invoice, task.orderId);
      case "return":
        return await this.#move("/returns", "return", task.invoice);
      case "write-off":
        return await this.#move("/write-offs", "write-off", task.invoice);
    }
  }

  async #order({ invoice, fate }: Extract<Task, { kind: "order" }>): Promise<void> {
    const { id } = invoice;
    const asked = { lines: goodsOf(invoice), value: valueOf(invoice) };
    const placed = await this.#ask("POST", "/orders", { invoice }, { step: "place", id, asked });
    if (placed.status === CREATED && fate === "cancelled") {
      await this.#ask("DELETE", `/orders/${id}`, undefined, { step: "cancel", id, asked: {} });
    } else if (placed.status === CREATED && fate === "paid") {
      await this.#ask("POST", `/orders/${id}/payment`, undefined, { step: "pay", id, asked: {} });
    }
  }

  /** Has an order refunded that may still be on its way: after its own task, and once it is confirmed. */
  async #refund(invoice: Invoice, orderId: string): Promise<void> {
    await this.#orders.get(orderId)?.catch(() => undefined);
    const question: Question = { step: "refund", id: invoice.id, asked: { orderId, lines: goodsOf(invoice) } };
    const giveUpMs = performance.now() + CONFIRMATION_MS_MAX;
    for (;;) {
      const answer = await this.#send("POST", `/orders/${orderId}/refund`, { invoice }, question);
      if (!isTooEarly(answer)) return this.#journal.write(question, outcomeOf(answer));
      if (performance.now() > giveUpMs) {
        const { attempts, ms } = answer;
        this.#journal.write(question, { status: 0, error: "never confirmed", attempts, ms });
        throw new Error(`order ${orderId} was never confirmed`);
      }
      await delay(CONFIRMATION_POLL_MS, undefined, { signal: this.#signal });
    }
  }

  async #move(path: string, step: "return" | "write-off", invoice: Invoice): Promise<void> {
    await this.#ask("POST", path, { invoice }, { step, id: invoice.id, asked: { lines: goodsOf(invoice) } });
  }

  async #ask(method: "POST" | "DELETE", path: string, body: object | undefined, question: Question): Promise<Answer> {
    const answer = await this.#send(method, path, body, question);
    this.#journal.write(question, outcomeOf(answer));
    return answer;
  }

  async #send(method: "POST" | "DELETE", path: string, body: object | undefined, question: Question): Promise<Answer> {
    try {
      const answer = await this.#facade.send(method, path, body);
      if (answer.attempts === 1) this.timing.latenciesMs.push(answer.ms);
      else this.timing.retried++;
      return answer;
    } catch (error) {
      if (error instanceof GivenUpError) {
        const { message, attempts, ms } = error;
        this.#journal.write(question, { status: 0, error: message, attempts, ms });
      }
      throw error;
    }
  }
}

const tooEarlySchema = z.object({ error: z.object({ code: z.literal("not-confirmed-yet") }) });

function isTooEarly({ status, body }: Answer): boolean {
  return status === CONFLICT && tooEarlySchema.safeParse(body).success;
}

function outcomeOf({ status, body, attempts, ms }: Answer) {
  return { status, answer: body, attempts, ms: Math.round(ms * 10) / 10 };
}
