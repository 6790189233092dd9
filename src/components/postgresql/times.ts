import { ValueError, type ValueWriter } from "./scalars.ts";

/** Milliseconds of 2000-01-01, where PostgreSQL begins to count. */
const EPOCH_MS = Date.UTC(2000, 0, 1);
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

const DAYS_MAX = 2 ** 31 - 1;
const DAYS_MIN = -(2 ** 31);
const MICROS_PER_SECOND = 1_000_000n;
const MICROS_MAX = 2n ** 63n - 1n;
const MICROS_MIN = -(2n ** 63n);

/** Years that Go writes as JSON: 0 to 9999. */
const YEAR_ZERO_MS = Date.UTC(-1, 11, 31) + DAY_MS;
const YEAR_10000_MS = Date.UTC(10_000, 0, 1);

export const writeDate: ValueWriter = (value) => {
  const days = value.readInt32BE(0);
  if (days === DAYS_MAX || days === DAYS_MIN) {
    return infinite(days > 0);
  }
  return rfc3339(EPOCH_MS + days * DAY_MS, 0, 0);
};

export const writeTimestamp: ValueWriter = (value) => instant(value.readBigInt64BE(0), false);

/** In the local time zone of the process, as Go writes moments. */
export const writeTimestamptz: ValueWriter = (value) => instant(value.readBigInt64BE(0), true);

export const writeTime: ValueWriter = (value) => `{"Microseconds":${value.readBigInt64BE(0)},"Valid":true}`;

export const writeInterval: ValueWriter = (value) =>
  `{"Microseconds":${value.readBigInt64BE(0)},"Days":${value.readInt32BE(8)},"Months":${value.readInt32BE(12)},"Valid":true}`;

function infinite(positive: boolean): string {
  return positive ? "1" : "-1";
}

function instant(micros: bigint, local: boolean): string {
  if (micros === MICROS_MAX || micros === MICROS_MIN) {
    return infinite(micros > 0n);
  }
  const remainder = Number(micros % MICROS_PER_SECOND);
  const rest = remainder < 0 ? remainder + Number(MICROS_PER_SECOND) : remainder;
  const ms = EPOCH_MS + Number((micros - BigInt(rest)) / MICROS_PER_SECOND) * 1_000;
  // Go cuts the seconds off that some zones had before they were standardised.
  const offsetMinutes = local ? -Math.ceil(new Date(ms).getTimezoneOffset()) : 0;
  return rfc3339(ms, rest, Number.isNaN(offsetMinutes) ? 0 : offsetMinutes);
}

/** `ms` are whole seconds. @throws ValueError for years that RFC 3339 cannot name */
function rfc3339(ms: number, micros: number, offsetMinutes: number): string {
  const localMs = ms + offsetMinutes * MINUTE_MS;
  if (localMs < YEAR_ZERO_MS || localMs >= YEAR_10000_MS) {
    throw new ValueError(
      "serializing",
      "json: error calling MarshalJSON for type time.Time: Time.MarshalJSON: year outside of range [0,9999]",
    );
  }
  const fraction = micros === 0 ? "" : `.${String(micros).padStart(6, "0").replace(/0+$/, "")}`;
  return `"${new Date(localMs).toISOString().slice(0, 19)}${fraction}${zone(offsetMinutes)}"`;
}

function zone(offsetMinutes: number): string {
  if (offsetMinutes === 0) {
    return "Z";
  }
  const magnitude = Math.abs(offsetMinutes);
  const pair = (value: number): string => String(value).padStart(2, "0");
  return `${offsetMinutes < 0 ? "-" : "+"}${pair(Math.floor(magnitude / 60))}:${pair(magnitude % 60)}`;
}
