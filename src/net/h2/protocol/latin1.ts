/** Methods of Node's buffers that its types leave out; half the cost of `toString("latin1")` for short strings. */
interface Latin1Buffer {
  latin1Slice(start: number, end: number): string;
  latin1Write(text: string, at: number): number;
}

/** The octets of a part, a character each. */
export function readLatin1(bytes: Buffer, start: number, end: number): string {
  return (bytes as unknown as Latin1Buffer).latin1Slice(start, end);
}

/** Writes a character per octet. @returns how many */
export function writeLatin1(bytes: Buffer, text: string, at: number): number {
  return (bytes as unknown as Latin1Buffer).latin1Write(text, at);
}
