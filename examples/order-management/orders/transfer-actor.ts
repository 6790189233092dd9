import { TRANSFER_STATE, transferOwner } from "../model/names.ts";
import { nothingSchema } from "../model/nothing.ts";
import type { StockCommands } from "../model/stock-commands.ts";
import {
  type TransferAnswer,
  type TransferCommands,
  transferRequestSchema,
  transferSchema,
} from "../model/transfer.ts";
import type { Actors } from "../sdk/actors.ts";
import { TurnActor } from "../sdk/turn-actor.ts";
import { goodsOfOwner } from "./goods.ts";
import { TransferLife } from "./transfer-life.ts";

/** The class of the transfer actors; see `orderActorClass`. */
export function transferActorClass(stock: Actors<StockCommands>) {
  return class TransferActor extends TurnActor implements TransferCommands {
    readonly #life = new TransferLife({
      id: this.name,
      load: async () => await this.read(TRANSFER_STATE, transferSchema),
      save: async (transfer) => await this.write({ [TRANSFER_STATE]: transfer }),
      move: goodsOfOwner(stock, transferOwner(this.name)),
      remind: async (afterMs, everyMs) => await this.remind(afterMs, everyMs),
      forget: async () => await this.forget(),
    });

    async move(request: unknown): Promise<TransferAnswer> {
      return await this.turn("move", transferRequestSchema, request, async (goods) => await this.#life.move(goods));
    }

    protected override async carryOn(): Promise<void> {
      await this.turn("the reminder", nothingSchema, {}, async () => await this.#life.carryOn());
    }
  };
}
