import { parseArgs } from "node:util";

const CHANNELS_DEFAULT = 8;
const CHANNELS_MAX = 64;
const RATE_MAX = 10_000;
const SEED_DEFAULT = 1;

export const USAGE = `npm start -- [--once] [--orders FILE…] [--channels N] [--rate N] [--seed N] [--separate-sidecars]

  --once               end after the replay: 0 when the books are in order, 1 when they are not
  --orders FILE        files to replay instead of the sample, in the columns of the Online Retail data set
  --channels N         orders on their way at a time, 1 to ${CHANNELS_MAX} (${CHANNELS_DEFAULT})
  --rate N             orders a second, 1 to ${RATE_MAX} (as many as the channels take)
  --seed N             which orders are cancelled or abandoned, which stock codes are short (${SEED_DEFAULT})
  --separate-sidecars  every sidecar is a process of its own
  --run-file FILE      another run file than the example's dapr.yaml`;

export interface Options {
  readonly once: boolean;
  /** Empty for the sample. */
  readonly orders: readonly string[];
  readonly channels: number;
  /** Undefined: as many as the channels take. */
  readonly ratePerSecond: number | undefined;
  readonly seed: number;
  readonly separateSidecars: boolean;
  /** Undefined for the example's own. */
  readonly runFile: string | undefined;
}

/** Thrown for arguments that cannot be understood; the message says which. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/**
 * Reads the command line. Every file after the first `--orders` may stand alone, as a shell expands `*.csv`.
 * @throws UsageError
 */
export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parsed(args);
  const orders = [...(values.orders ?? []), ...positionals];
  if (values.orders === undefined && positionals.length > 0) {
    throw new UsageError(`${positionals.join(" ")}: files of orders follow --orders`);
  }
  return {
    once: values.once ?? false,
    orders,
    channels: integer("--channels", values.channels ?? String(CHANNELS_DEFAULT), 1, CHANNELS_MAX),
    ratePerSecond: values.rate === undefined ? undefined : integer("--rate", values.rate, 1, RATE_MAX),
    seed: integer("--seed", values.seed ?? String(SEED_DEFAULT), 0, 2 ** 31),
    separateSidecars: values["separate-sidecars"] ?? false,
    runFile: values["run-file"],
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        once: { type: "boolean" },
        orders: { type: "string", multiple: true },
        channels: { type: "string" },
        rate: { type: "string" },
        seed: { type: "string" },
        "separate-sidecars": { type: "boolean" },
        "run-file": { type: "string" },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function integer(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new UsageError(`${name} takes a whole number from ${min} to ${max}, not ${text}`);
}
