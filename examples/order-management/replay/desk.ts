import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { goodsOf, type Invoice, valueOf } from "../model/invoice.ts";
import type { OpeningStock } from "../model/stock-methods.ts";
import { type Answer, type FacadeClient, GivenUpError } from "./facade-client.ts";
import type { Journal, Question } from "./journal.ts";
import type { Task } from "./plan.ts";

/** How long a confirmation may take until its cancellation is given up; a restart of everything is well below that. */
const CONFIRMATION_MS_MAX = 90_000;
const CONFIRMATION_POLL_MS = 100;

const CREATED = 201;
const ACCEPTED = 202;
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
      case "cancellation":
        return await this.#cancel(task.invoice, task.orderId);
      case "return":
        return await this.#move("/returns", "return", task.invoice);
      case "write-off":
        return await this.#move("/write-offs", "write-off", task.invoice);
    }
  }

  async #order({ invoice, fate }: Extract<Task, { kind: "order" }>): Promise<void> {
    const lines = goodsOf(invoice);
    const id = `R${invoice.id}`;
    const reserved = await this.#ask("POST", "/reservations", { id, lines }, { step: "reserve", id, asked: { lines } });
    if (reserved.status !== CREATED || fate === "abandoned") return;
    if (fate === "cancelled") {
      await this.#ask("DELETE", `/reservations/${id}`, undefined, { step: "cancel-reservation", id, asked: {} });
      return;
    }
    const asked = { reservationId: id, lines, value: valueOf(invoice) };
    const body = { invoice, reservationId: id };
    const placed = await this.#ask("POST", "/orders", body, { step: "place", id: invoice.id, asked });
    if (placed.status !== ACCEPTED)
      throw new Error(`order ${invoice.id} was not taken: ${JSON.stringify(placed.body)}`);
  }

  /** Cancels an order that may still be on its way: after its own task, and once it is confirmed. */
  async #cancel(invoice: Invoice, orderId: string): Promise<void> {
    await this.#orders.get(orderId)?.catch(() => undefined);
    const question: Question = {
      step: "cancel-order",
      id: invoice.id,
      asked: { orderId, lines: goodsOf(invoice) },
    };
    const giveUpMs = performance.now() + CONFIRMATION_MS_MAX;
    for (;;) {
      const answer = await this.#send("POST", `/orders/${orderId}/cancellation`, { invoice }, question);
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
