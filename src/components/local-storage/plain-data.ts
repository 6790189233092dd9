/**
 * The bytes to keep of what a caller sent: a JSON string stands for its text, and a text that is base64 for what it
 * encodes. Everything else is kept as it is. HTTP callers can send bytes no other way.
 */
export function plainData(data: Uint8Array): Uint8Array {
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return fromBase64(data[0] === QUOTE ? unquote(text) : text);
}

const QUOTE = 0x22;

function unquote(quoted: Buffer): Buffer {
  try {
    const value: unknown = JSON.parse(quoted.toString());
    return typeof value === "string" ? Buffer.from(value) : quoted;
  } catch {
    return quoted;
  }
}

/** Padded standard base64, line breaks allowed, as Go's decoder takes it. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function fromBase64(text: Buffer): Buffer {
  const digits = text.toString("latin1").replace(/[\r\n]/g, "");
  return digits.length % 4 === 0 && BASE64.test(digits) ? Buffer.from(digits, "base64") : text;
}
