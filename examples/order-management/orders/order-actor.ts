import { ORDER_STATE, orderOwner, TOPICS } from "../model/names.ts";
import { nothingSchema } from "../model/nothing.ts";
import { orderRecordSchema } from "../model/order.ts";
import {
  type FindAnswer,
  type OrderAnswer,
  type OrderCommands,
  placeRequestSchema,
  refundRequestSchema,
} from "../model/order-commands.ts";
import type { StockCommands } from "../model/stock-commands.ts";
import type { Actors } from "../sdk/actors.ts";
import { tell } from "../sdk/messages.ts";
import { TurnActor } from "../sdk/turn-actor.ts";
import { goodsOfOwner } from "./goods.ts";
import { OrderLife } from "./order-life.ts";

export interface OrderActorOptions {
  readonly stock: Actors<StockCommands>;
  /** How long goods stay reserved for an order that is not paid, in milliseconds. */
  readonly lifetimeMs: () => number;
}

/** The class of the order actors. The SDK makes its instances by itself: what they need besides is given here. */
export function orderActorClass({ stock, lifetimeMs }: OrderActorOptions) {
  return class OrderActor extends TurnActor implements OrderCommands {
    readonly #life = new OrderLife({
      id: this.name,
      load: async () => await this.read(ORDER_STATE, orderRecordSchema),
      save: async (order) => await this.write({ [ORDER_STATE]: order }),
      move: goodsOfOwner(stock, orderOwner(this.name)),
      announce: async (order) => await tell(this.getDaprClient(), TOPICS.orderPaid, order),
      remind: async (afterMs, everyMs) => await this.remind(afterMs, everyMs),
      forget: async () => await this.forget(),
      now: Date.now,
      lifetimeMs,
    });

    async place(request: unknown): Promise<OrderAnswer> {
      return await this.turn("place", placeRequestSchema, request, async (order) => await this.#life.place(order));
    }

    async pay(request: unknown): Promise<OrderAnswer> {
      return await this.turn("pay", nothingSchema, request, async () => await this.#life.pay());
    }

    async confirm(request: unknown): Promise<OrderAnswer> {
      return await this.turn("confirm", nothingSchema, request, async () => await this.#life.confirm());
    }

    async cancel(request: unknown): Promise<OrderAnswer> {
      return await this.turn("cancel", nothingSchema, request, async () => await this.#life.cancel());
    }

    async refund(request: unknown): Promise<OrderAnswer> {
      return await this.turn("refund", refundRequestSchema, request, async (back) => await this.#life.refund(back));
    }

    async find(request: unknown): Promise<FindAnswer> {
      return await this.turn("find", nothingSchema, request, async () => await this.#life.find());
    }

    protected override async carryOn(): Promise<void> {
      await this.turn("the reminder", nothingSchema, {}, async () => await this.#life.carryOn());
    }
  };
}
