/** Tags of the elements that certificates are made of (X.690 section 8). */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
} as const;

const LONG_FORM = 0x80;

/** One element in DER: tag, length in its shortest form, content. */
export function element(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const length = content.reduce((sum, { length: bytes }) => sum + bytes, 0);
  if (length < LONG_FORM) {
    return Buffer.concat([Buffer.from([tag, length]), ...content]);
  }
  const digits: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) {
    digits.unshift(rest % 256);
  }
  return Buffer.concat([Buffer.from([tag, LONG_FORM | digits.length, ...digits]), ...content]);
}

export function oid(hex: string): Buffer {
  return element(TAG.oid, Buffer.from(hex, "hex"));
}

const UTC_TIME_FROM = Date.UTC(1950, 0);
const UTC_TIME_UNTIL = Date.UTC(2050, 0);

/** A point in time as certificates have it, without fractions (RFC 5280 section 4.1.2.5). */
export function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  const isShort = ms >= UTC_TIME_FROM && ms < UTC_TIME_UNTIL;
  return element(
    isShort ? TAG.utcTime : TAG.generalizedTime,
    Buffer.from(isShort ? digits.slice(2) : digits, "latin1"),
  );
}
