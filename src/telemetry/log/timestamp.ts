const MS_PER_MINUTE = 60_000;
const MINUTES_PER_HOUR = 60;

/** Minutes that local time is ahead of UTC at an instant given in milliseconds since the Unix epoch. */
export type UtcOffset = (epochMs: number) => number;

/** For sidecars without a place: logs in UTC. */
export const utc: UtcOffset = () => 0;

/**
 * Makes a writer of instants in Go's RFC 3339 form with trimmed fractions (`2006-01-02T15:04:05.12+02:00`), which
 * Dapr's log lines carry. The part down to the second is kept from one call to the next.
 */
export function timestampWriter(offset: UtcOffset): (epochMs: number) => string {
  let second = Number.NaN;
  let head = "";
  let zone = "";
  return (epochMs) => {
    const currentSecond = Math.floor(epochMs / 1000);
    if (currentSecond !== second) {
      const minutes = Math.round(offset(epochMs));
      second = currentSecond;
      head = new Date(currentSecond * 1000 + minutes * MS_PER_MINUTE).toISOString().slice(0, 19);
      zone = formatZone(minutes);
    }
    return head + formatFraction(epochMs - currentSecond * 1000) + zone;
  };
}

function formatFraction(milliseconds: number): string {
  const whole = Math.floor(milliseconds);
  if (whole === 0) {
    return "";
  }
  const digits = String(1000 + whole).slice(1);
  return `.${digits.replace(/0+$/, "")}`;
}

function formatZone(minutes: number): string {
  if (minutes === 0) {
    return "Z";
  }
  const size = Math.abs(minutes);
  const hours = String(Math.floor(size / MINUTES_PER_HOUR)).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${hours}:${String(size % MINUTES_PER_HOUR).padStart(2, "0")}`;
}
