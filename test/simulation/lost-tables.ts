import type { OpenPlacement, PlacementOrder, PlacementTables } from "../../src/mesh/placement-stream.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** Tables that are not looked at. */
const LOST_ODDS = 0.25;

/** A planted bug: some tables are taken for those that were there before. */
export function loseTables(open: OpenPlacement, random: SeededRandom): OpenPlacement {
  return (address) => {
    const stream = open(address);
    return { ...stream, orders: lossy(stream.orders, random) };
  };
}

async function* lossy(orders: AsyncIterable<PlacementOrder>, random: SeededRandom): AsyncGenerator<PlacementOrder> {
  let last: PlacementTables | undefined;
  for await (const order of orders) {
    if (order.operation !== "update") {
      yield order;
    } else if (last !== undefined && random.chance(LOST_ODDS)) {
      yield { ...order, tables: last };
    } else {
      last = order.tables;
      yield order;
    }
  }
}
