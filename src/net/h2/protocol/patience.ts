import type { ResolvedTransportOptions } from "../limits.ts";
import { H2_ERROR } from "../transport.ts";
import { ConnectionError } from "./errors.ts";

/** What of a connection shows whether its peer keeps us waiting. */
export interface Watched {
  readonly settingsReceived: boolean;
  /** It has open streams. */
  readonly busy: boolean;
  /** The frame or header block that was begun and is not finished, by any number of its own; 0: none is. */
  readonly unfinished: number;
  /** Bytes that wait in streams which are not open yet: no window holds them back. */
  unopenedBytes(): number;
  sendKeepalive(): void;
}

/** What goes out to the peer; `SendTurns` counts it. */
export interface Sending {
  readonly blocked: boolean;
  readonly queuedBytes: number;
  sentBytes: number;
  progressed: boolean;
}

/** Counts how long the peer of a connection makes us wait, for each thing that we wait for. */
export class Patience {
  /** Something has been read since the last `passed`. */
  heard = false;
  private readonly options: ResolvedTransportOptions;
  private readonly watched: Watched;
  private readonly sending: Sending;
  private ageMs = 0;
  private silentMs = 0;
  private pinged = false;
  private unfinished = 0;
  private unfinishedMs = 0;
  private stalledMs = 0;
  private slowMs = 0;

  constructor(options: ResolvedTransportOptions, watched: Watched, sending: Sending) {
    this.options = options;
    this.watched = watched;
    this.sending = sending;
  }

  /** Time has passed. @returns what the peer is to be cut off for, if its time is up */
  passed(elapsedMs: number): ConnectionError | undefined {
    this.ageMs += elapsedMs;
    return (
      this.watchHandshake() ?? this.keepAlive(elapsedMs) ?? this.watchFrame(elapsedMs) ?? this.watchReader(elapsedMs)
    );
  }

  private watchHandshake(): ConnectionError | undefined {
    const { handshakeTimeoutMs } = this.options;
    if (this.watched.settingsReceived || this.ageMs < handshakeTimeoutMs) return undefined;
    return new ConnectionError(
      H2_ERROR.settingsTimeout,
      `no SETTINGS within ${handshakeTimeoutMs} ms`,
      "handshake_timeout",
    );
  }

  private keepAlive(elapsedMs: number): ConnectionError | undefined {
    const { keepaliveMs, keepaliveTimeoutMs } = this.options;
    this.silentMs = this.heard ? 0 : this.silentMs + elapsedMs;
    this.heard = false;
    if (keepaliveMs === 0) return undefined;
    if (this.silentMs === 0) this.pinged = false;
    if (this.pinged) {
      if (this.silentMs < keepaliveTimeoutMs) return undefined;
      const reason = `no answer to a PING within ${keepaliveTimeoutMs} ms`;
      return new ConnectionError(H2_ERROR.noError, reason, "keepalive_timeout");
    }
    if (this.silentMs >= keepaliveMs && this.watched.busy) {
      this.pinged = true;
      this.silentMs = 1;
      this.watched.sendKeepalive();
    }
    return undefined;
  }

  /** A frame or header block that was begun must be finished in time. */
  private watchFrame(elapsedMs: number): ConnectionError | undefined {
    const { unfinished } = this.watched;
    this.unfinishedMs = unfinished !== 0 && unfinished === this.unfinished ? this.unfinishedMs + elapsedMs : 0;
    this.unfinished = unfinished;
    const { frameTimeoutMs } = this.options;
    if (this.unfinishedMs < frameTimeoutMs) return undefined;
    return new ConnectionError(
      H2_ERROR.enhanceYourCalm,
      `a frame unfinished for ${frameTimeoutMs} ms`,
      "frame_timeout",
    );
  }

  /** What waits must find some room in time, and much of it a good deal of room. */
  private watchReader(elapsedMs: number): ConnectionError | undefined {
    const { stallTimeoutMs, slowReaderTimeoutMs, slowReaderBytesPerS, sendQueueBytesMax } = this.options;
    const { sending } = this;
    const queued = sending.queuedBytes === 0 ? 0 : sending.queuedBytes - this.watched.unopenedBytes();
    this.stalledMs = sending.progressed || !(sending.blocked || queued > 0) ? 0 : this.stalledMs + elapsedMs;
    sending.progressed = false;
    const slow = queued > sendQueueBytesMax && sending.sentBytes * 1000 < slowReaderBytesPerS * elapsedMs;
    this.slowMs = slow ? this.slowMs + elapsedMs : 0;
    sending.sentBytes = 0;
    if (this.stalledMs >= stallTimeoutMs) return slowReader(`no room to send for ${stallTimeoutMs} ms`);
    return this.slowMs >= slowReaderTimeoutMs
      ? slowReader(`too little room to send for ${slowReaderTimeoutMs} ms`)
      : undefined;
  }
}

function slowReader(reason: string): ConnectionError {
  return new ConnectionError(H2_ERROR.enhanceYourCalm, reason, "slow_reader");
}
