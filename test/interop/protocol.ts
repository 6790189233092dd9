/** What a peer is told on a line of its input; README.md says what it does with it. */
export interface Command {
  readonly id: number;
  readonly do: "serve" | "stop" | "dial" | "hangup" | "call" | "cancelled";
  readonly address?: string;
  readonly server?: number;
  readonly channel?: number;
  readonly windowBytes?: number;
  readonly streamsMax?: number;
  readonly headerBytesMax?: number;
  readonly keepaliveMs?: number;
  readonly keepaliveTimeoutMs?: number;
  readonly kind?: Kind;
  /** Instead of the kind's own. */
  readonly path?: string;
  /** Values of keys ending in -bin are base64. */
  readonly metadata?: readonly (readonly [key: string, value: string])[];
  readonly size?: number;
  readonly count?: number;
  readonly timeoutMs?: number;
  readonly cancelAfterMs?: number;
  readonly gzip?: boolean;
  readonly parallel?: number;
  readonly forMs?: number;
}

/** What a peer answers on a line of its output. */
export interface Outcome {
  readonly id: number;
  readonly error?: string;
  readonly server: number;
  readonly port: number;
  readonly channel: number;
  readonly cancelled: number;
  /** Of the first call that failed, or of the last one; so are message, details, headers and trailers. */
  readonly code: number;
  readonly message: string;
  /** An encoded google.rpc.Status, base64. */
  readonly details: string;
  readonly headers: readonly (readonly [key: string, value: string])[];
  readonly trailers: readonly (readonly [key: string, value: string])[];
  /** Of all calls together, and how many of them were not as expected. */
  readonly replies: number;
  readonly faults: number;
  /** How many calls ended with each status. */
  readonly codes: Readonly<Record<string, number>>;
}

/** The four kinds of call, and what streams in them. */
export const KINDS = {
  unary: { requestStream: false, responseStream: false },
  collect: { requestStream: true, responseStream: false },
  repeat: { requestStream: false, responseStream: true },
  chat: { requestStream: true, responseStream: true },
} as const;

export type Kind = keyof typeof KINDS;

export function pathOf(kind: Kind): string {
  return `/interop.Echo/${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
}

/** A message that says which one it is: its number, then the number's last byte over and over. */
export function pattern(index: number, size: number): Buffer {
  const message = Buffer.alloc(Math.max(size, 4), index & 0xff);
  message.writeUInt32BE(index);
  return message.subarray(0, size);
}

/** Lets callers through when as many as they name stand before it: proof that they are there at the same time. */
export class Gate {
  private waiting: (() => void)[] = [];

  async wait(wanted: number): Promise<void> {
    if (wanted === 0) return;
    const open = new Promise<void>((resolve) => {
      this.waiting.push(resolve);
    });
    if (this.waiting.length === wanted) for (const resolve of this.waiting.splice(0)) resolve();
    await open;
  }
}
