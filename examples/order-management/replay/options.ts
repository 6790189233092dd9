import { parseArgs } from "node:util";

const CHANNELS_DEFAULT = 8;
const CHANNELS_MAX = 64;
const SEED_DEFAULT = 1;

export const USAGE = `npm start -- [--once] [--orders FILE…] [--channels N] [--seed N]

  --once         end after the replay: 0 when the books are right, 1 when they are not
  --orders FILE  files to replay instead of the sample, in the columns of the Online Retail data set
  --channels N   orders on their way at a time, 1 to ${CHANNELS_MAX} (${CHANNELS_DEFAULT})
  --seed N       which stock codes are short (${SEED_DEFAULT})`;

export interface Options {
  readonly once: boolean;
  /** Empty for the sample. */
  readonly orders: readonly string[];
  readonly channels: number;
  readonly seed: number;
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
    channels: integer("--channels", values.channels, CHANNELS_DEFAULT, 1, CHANNELS_MAX),
    seed: integer("--seed", values.seed, SEED_DEFAULT, 0, 2 ** 31),
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
        seed: { type: "string" },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function integer(name: string, text: string | undefined, fallback: number, min: number, max: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new UsageError(`${name} takes a whole number from ${min} to ${max}, not ${text}`);
}
