import { createClient, RESP_TYPES } from "redis";
import type { RedisSettings } from "./settings.ts";

/** Commands and their arguments as they go out; bytes must be Buffers. */
export type RedisArgument = string | Buffer;

/** A reply: bulk strings are Buffers, status lines strings. */
export type RedisReply = null | string | number | Buffer | RedisReply[];

const AS_BYTES = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };

/** A client for one connection: it never connects again by itself, and whoever made it destroys it. */
export function createRedisClient(settings: RedisSettings) {
  const { host, port, tls, username, password, database, dialTimeoutMs } = settings;
  return createClient({
    RESP: 2,
    socket: {
      host,
      port,
      connectTimeout: dialTimeoutMs,
      reconnectStrategy: false,
      ...(tls === undefined
        ? {}
        : {
            tls: true as const,
            rejectUnauthorized: tls.rejectUnauthorized,
            ...(tls.cert === undefined ? {} : { cert: tls.cert }),
            ...(tls.key === undefined ? {} : { key: tls.key }),
          }),
    },
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    database,
    maintNotifications: "disabled",
    disableClientInfo: true,
    // The connection watches over replies itself; the library's own timeout costs a timer per command.
    commandOptions: { timeout: 0 },
  });
}

export type RedisClient = ReturnType<typeof createRedisClient>;

/** @throws ErrorReply what the server answered, or an Error of the connection */
export function sendRaw(client: RedisClient, args: readonly RedisArgument[]): Promise<RedisReply> {
  return client.sendCommand<RedisReply>(args, AS_BYTES);
}
