import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Clock } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import { ComponentError } from "../spi/errors.ts";
import { connectionText, dialText, isServerError, serverErrorText } from "./errors.ts";
import { PgSession } from "./pg-session.ts";
import type { Endpoint, PostgresSettings, SessionTarget } from "./settings-types.ts";
import { ExtendedStatement } from "./statement.ts";

/** Codes after which no other endpoint is tried: the server has been found and does not let us in. */
const FINAL_CODES: ReadonlySet<string> = new Set(["28P01", "3D000", "42501"]);

/** One endpoint at one address. */
interface Attempt {
  readonly endpoint: Endpoint;
  readonly address: string;
}

/** Why one attempt failed. */
class AttemptError extends Error {
  readonly final: boolean;
  /** Set when a server answered that will do where there is no better one. */
  readonly secondBest: boolean;

  constructor(message: string, { final = false, secondBest = false } = {}) {
    super(message);
    this.final = final;
    this.secondBest = secondBest;
  }
}

/**
 * Connects to the first endpoint that takes us, in their order, at each of its addresses.
 * @throws ComponentError `unavailable` with everything that was tried, in pgx's form
 */
export async function dial(settings: PostgresSettings, clock: Clock, signal: AbortSignal): Promise<PgSession> {
  const failures: string[] = [];
  const attempts = await resolve(settings.endpoints, failures);
  if (attempts.length === 0) {
    throw notConnected(settings, [`hostname resolving error: ${failures.join("\n")}`]);
  }
  let secondBest: Attempt | undefined;
  for (const attempt of attempts) {
    try {
      return await connect(settings, attempt, settings.target, clock, signal);
    } catch (error) {
      failures.push(errorMessage(error));
      if (signal.aborted || (error instanceof AttemptError && error.final)) {
        throw notConnected(settings, failures);
      }
      if (error instanceof AttemptError && error.secondBest) {
        secondBest ??= attempt;
      }
    }
  }
  if (secondBest !== undefined) {
    return await connect(settings, secondBest, "any", clock, signal);
  }
  throw notConnected(settings, failures);
}

function notConnected({ user, database }: PostgresSettings, failures: readonly string[]): ComponentError {
  const details = failures.join("\n");
  const text = details.includes("\n") ? `\n\t${details.replaceAll("\n", "\n\t")}` : ` ${details}`;
  return new ComponentError("unavailable", `failed to connect to \`user=${user} database=${database}\`:${text}`);
}

async function resolve(endpoints: readonly Endpoint[], failures: string[]): Promise<Attempt[]> {
  const attempts: Attempt[] = [];
  for (const endpoint of endpoints) {
    const { host } = endpoint;
    if (host.startsWith("/") || isIP(host) !== 0) {
      attempts.push({ endpoint, address: host });
      continue;
    }
    try {
      for (const { address } of await lookup(host, { all: true })) {
        attempts.push({ endpoint, address });
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      failures.push(`lookup ${host}: ${code === "ENOTFOUND" ? "no such host" : errorMessage(error)}`);
    }
  }
  return attempts;
}

async function connect(
  settings: PostgresSettings,
  { endpoint, address }: Attempt,
  target: SessionTarget,
  clock: Clock,
  signal: AbortSignal,
): Promise<PgSession> {
  const { host, port } = endpoint;
  const place = address.startsWith("/") ? `${address}/.s.PGSQL.${port}` : hostAndPort(address, port);
  const session = new PgSession(settings, endpoint, address);
  let broken: unknown;
  // pg tells of a loss both here and to whoever is waiting; without a listener it would end the process.
  session.client.on("error", (error: unknown) => {
    broken ??= error;
  });
  const give = (reason: string) => (): void => {
    broken ??= Object.assign(new Error(reason), { code: "ETIMEDOUT" });
    session.destroy();
  };
  const timer = clock.after(settings.connectMs, give("timeout: context deadline exceeded"));
  const onAbort = give("timeout: context deadline exceeded");
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    if (signal.aborted) {
      onAbort();
    }
    await session.client.connect();
    await checkTarget(session, target);
    return session;
  } catch (error) {
    session.destroy();
    throw error instanceof AttemptError
      ? new AttemptError(`${place} (${host}): ValidateConnect failed: ${error.message}`, error)
      : attemptError(`${place} (${host})`, place, broken ?? error, session);
  } finally {
    timer.cancel();
    signal.removeEventListener("abort", onAbort);
  }
}

const NO_TLS = "The server does not support SSL connections";

function attemptError(where: string, place: string, error: unknown, session: PgSession): AttemptError {
  if (isServerError(error)) {
    const step = session.usesSasl && error.code.startsWith("28") ? "failed SASL auth" : "server error";
    return new AttemptError(`${where}: ${step}: ${serverErrorText(error)}`, { final: FINAL_CODES.has(error.code) });
  }
  const text = errorMessage(error);
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (syscall === "connect" || code === "ETIMEDOUT") {
    return new AttemptError(`${where}: dial error: ${dialText(error, place)}`);
  }
  if (text === NO_TLS || text === "There was an error establishing an SSL connection") {
    return new AttemptError(`${where}: tls error: server refused TLS connection`);
  }
  if (text.startsWith("SASL")) {
    return new AttemptError(`${where}: failed SASL auth: ${text}`);
  }
  const isTls = code !== undefined && /CERT|SSL|TLS|ISSUER|SELF_SIGNED|ALTNAME/.test(code);
  return new AttemptError(`${where}: ${isTls ? "tls error" : "failed to receive message"}: ${connectionText(error)}`);
}

function hostAndPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** What a server is asked, and what it must answer. */
interface TargetCheck {
  readonly sql: string;
  readonly answer: string;
  readonly otherwise: string;
}

const READ_ONLY = "show transaction_read_only";
const IN_RECOVERY = "select pg_is_in_recovery()";

const TARGET_CHECKS: Readonly<Record<Exclude<SessionTarget, "any">, TargetCheck>> = {
  "read-write": { sql: READ_ONLY, answer: '[["off"]]', otherwise: "read only connection" },
  "read-only": { sql: READ_ONLY, answer: '[["on"]]', otherwise: "connection is not read only" },
  primary: { sql: IN_RECOVERY, answer: "[[false]]", otherwise: "server is in standby mode" },
  standby: { sql: IN_RECOVERY, answer: "[[true]]", otherwise: "server is not in hot standby mode" },
  "prefer-standby": { sql: IN_RECOVERY, answer: "[[true]]", otherwise: "server is not in hot standby mode" },
};

async function checkTarget(session: PgSession, target: SessionTarget): Promise<void> {
  if (target === "any") {
    return;
  }
  const { sql, answer, otherwise } = TARGET_CHECKS[target];
  const statement = new ExtendedStatement({
    sql,
    values: [],
    name: "",
    description: undefined,
    dispose: [],
    parameters: undefined,
    countError: () => "",
    onDescription: () => {},
  });
  session.run(statement);
  const { rows } = await statement.outcome;
  if (rows !== answer) {
    const secondBest = target === "prefer-standby";
    throw new AttemptError(secondBest ? `standby server not found: ${otherwise}` : otherwise, { secondBest });
  }
}
