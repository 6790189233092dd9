import { H2_ERROR } from "../transport.ts";
import { ConnectionError } from "./errors.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { FLAG } from "./frames.ts";
import type { Offences } from "./offences.ts";

const PING_BYTES = 8;

/** PING and SETTINGS that want an answer: ours from the peer, and the peer's PINGs from us. */
export class Acknowledgements {
  private readonly writer: FrameWriter;
  private readonly offences: Offences;
  private settingsUnanswered = 0;
  private pingsUnanswered = 0;
  private onPingAnswer: (() => void) | undefined = undefined;

  constructor(writer: FrameWriter, offences: Offences) {
    this.writer = writer;
    this.offences = offences;
  }

  /** Sends a PING; without a function of its own it keeps the one that still waits for an answer. */
  ping(onAnswer: (() => void) | undefined = this.onPingAnswer): void {
    this.onPingAnswer = onAnswer;
    this.pingsUnanswered += 1;
    this.writer.ping();
  }

  sentSettings(): void {
    this.settingsUnanswered += 1;
  }

  /** An acknowledgement that nobody asked for is noise. @throws ConnectionError */
  gotSettingsAck(length: number): void {
    if (length !== 0) throw new ConnectionError(H2_ERROR.frameSize, "an acknowledgement of SETTINGS with content");
    if (this.settingsUnanswered === 0) this.offences.countNoise();
    else this.settingsUnanswered -= 1;
  }

  /** The payload of PING. @throws ConnectionError */
  gotPing(flags: number, id: number, payload: Buffer, start: number, end: number): void {
    if (id !== 0) throw new ConnectionError(H2_ERROR.protocol, "PING on a stream");
    if (end - start !== PING_BYTES) throw new ConnectionError(H2_ERROR.frameSize, "PING is not 8 bytes long");
    if ((flags & FLAG.ack) === 0) {
      this.offences.countNoise();
      this.writer.pingAck(payload, start, end);
      return;
    }
    if (this.pingsUnanswered === 0) this.offences.countNoise();
    else this.pingsUnanswered -= 1;
    const onAnswer = this.onPingAnswer;
    this.onPingAnswer = undefined;
    onAnswer?.();
  }
}
