import { createHash } from "node:crypto";

const FILL_BYTES = 400;

/** The data of a numbered message, which shows by itself whether it is whole. */
export function bodyOf(number: number): Buffer {
  const text = `${number} ${"x".repeat(FILL_BYTES + (number % 97))}`;
  return Buffer.from(`${text} ${checksum(text)}`);
}

/** The number in a message's data; undefined when the data is not what was published. */
export function numberOf(data: Uint8Array): number | undefined {
  const body = Buffer.from(data).toString();
  const end = body.lastIndexOf(" ");
  const isWhole = end >= 0 && checksum(body.slice(0, end)) === body.slice(end + 1);
  return isWhole ? Number(body.slice(0, body.indexOf(" "))) : undefined;
}

function checksum(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
