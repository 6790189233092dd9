import { createHash } from "node:crypto";
import type { RedisArgument, RedisReply } from "./client.ts";
import type { RedisConnection, SendOptions } from "./connection.ts";

/** A Lua script and the name under which a server remembers it. */
export interface Script {
  readonly text: string;
  readonly sha1: string;
}

export function script(text: string): Script {
  return { text, sha1: createHash("sha1").update(text).digest("hex") };
}

/** Runs a script by its name; a server that does not know it, new or restarted, is sent the text. */
export async function evaluate(
  connection: RedisConnection,
  { text, sha1 }: Script,
  keys: readonly RedisArgument[],
  args: readonly RedisArgument[],
  options?: SendOptions,
): Promise<RedisReply> {
  const rest = [String(keys.length), ...keys, ...args];
  try {
    return await connection.send(["EVALSHA", sha1, ...rest], options);
  } catch (error) {
    if (error instanceof Error && error.message.startsWith("NOSCRIPT")) {
      return await connection.send(["EVAL", text, ...rest], options);
    }
    throw error;
  }
}
