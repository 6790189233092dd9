import { moveAnswerSchema, type StockCommands } from "../model/stock-commands.ts";
import type { Actors } from "../sdk/actors.ts";
import { forEach } from "../sdk/lanes.ts";
import type { MoveGoods } from "./legs.ts";

/** Stock actors that one order or transfer asks at a time. */
const LANES = 8;

/** Moves goods of one owner: a command to the actor of each stock code, in the order of the codes. */
export function goodsOfOwner(stock: Actors<StockCommands>, owner: string): MoveGoods {
  return async (kind, lines) => {
    const short: string[] = [];
    await forEach(lines, LANES, async ({ code, quantity }) => {
      // What is short ends the order anyway: the rest need not be asked.
      if (short.length > 0) return;
      const { status } = await stock.ask(code, "move", { owner, kind, quantity }, moveAnswerSchema);
      if (status === "refused") short.push(code);
    });
    return short.sort()[0];
  };
}
