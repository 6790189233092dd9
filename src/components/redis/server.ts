import { ComponentError } from "../spi/errors.ts";
import { REPEATABLE, type RedisConnection } from "./connection.ts";
import { replyText } from "./replies.ts";

const REPLICAS_LINE = /^connected_slaves:([0-9]+)/m;

/** How many replicas follow the server. */
export async function connectedReplicas(connection: RedisConnection): Promise<number> {
  const info = replyText(await connection.send(["INFO", "replication"], REPEATABLE)) ?? "";
  return Number(REPLICAS_LINE.exec(info)?.[1] ?? 0);
}

/** Whether the server has the RedisJSON module: it knows its commands, if only to complain about missing arguments. */
export async function hasJsonModule(connection: RedisConnection): Promise<boolean> {
  try {
    await connection.send(["JSON.GET"], REPEATABLE);
    return true;
  } catch (error) {
    if (error instanceof ComponentError && error.kind === "invalidRequest") {
      return !/^(ERR unknown command|NOPERM)/.test(error.message);
    }
    throw error;
  }
}
