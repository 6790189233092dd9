import { connect, type Socket } from "node:net";
import { FRAME } from "../../src/net/h2/protocol/frames.ts";
import { frame, HELLO } from "./h2-frames.ts";

/** How a connection ended for the one who wrote frames by hand. */
export interface Ending {
  /** What the other end's last GOAWAY said, or -1 without one. */
  readonly code: number;
  readonly text: string;
  /** Since the last call of `begin`. */
  readonly afterMs: number;
}

/** Frames of one connection that have come whole. */
export interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

/** One end of an HTTP/2 connection whose frames are written by hand, in either role. */
export class RawPeer {
  readonly socket: Socket;
  /** Resolves when the other end has closed or broken the connection. */
  readonly ended: Promise<Ending>;
  readonly frames: ReceivedFrame[] = [];
  /** Bytes of DATA that have come. */
  dataBytes = 0;
  onFrame: ((frame: ReceivedFrame) => void) | undefined;
  over = false;
  private began = performance.now();
  private rest: Buffer = Buffer.alloc(0);
  private skip: number;

  /** @param skip bytes before the other end's first frame: a client's preface */
  constructor(socket: Socket, skip = 0) {
    this.socket = socket;
    this.skip = skip;
    this.ended = new Promise((resolve) => {
      const end = (): void => {
        if (this.over) return;
        this.over = true;
        const goaway = this.frames.findLast((one) => one.type === FRAME.goaway)?.payload;
        resolve({
          code: goaway?.readUInt32BE(4) ?? -1,
          text: goaway?.toString("latin1", 8) ?? "",
          afterMs: performance.now() - this.began,
        });
        socket.destroy();
      };
      socket.on("error", end).on("end", end).on("close", end);
    });
    socket.on("data", (chunk: Buffer) => this.read(chunk));
  }

  /** A client's end that has sent preface and SETTINGS. */
  static async connect(port: number, hello: Buffer = HELLO): Promise<RawPeer> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const peer = new RawPeer(socket);
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    if (hello.length > 0) socket.write(hello);
    return peer;
  }

  /** The clock of `ended` starts here. */
  begin(): void {
    this.began = performance.now();
  }

  send(...parts: readonly Buffer[]): void {
    if (!this.over) this.socket.write(Buffer.concat(parts));
  }

  /** Writes again and again, as fast as the other end reads, until the connection is over or all is written. */
  async flood(next: (round: number) => Buffer, rounds = Number.POSITIVE_INFINITY): Promise<void> {
    for (let round = 0; round < rounds && !this.over; round += 1) {
      const room = this.socket.write(next(round));
      await new Promise<void>((resolve) => {
        if (room || this.over) setImmediate(resolve);
        else {
          this.socket.once("drain", resolve);
          void this.ended.then(() => resolve());
        }
      });
    }
  }

  /** Resolves with the first frame, also of those that have come, which is as wanted. */
  async frame(wanted: (frame: ReceivedFrame) => boolean): Promise<ReceivedFrame> {
    const come = this.frames.find(wanted);
    if (come !== undefined) return come;
    return await new Promise((resolve, reject) => {
      const before = this.onFrame;
      this.onFrame = (one) => {
        before?.(one);
        if (!wanted(one)) return;
        this.onFrame = before;
        resolve(one);
      };
      void this.ended.then(({ text }) => reject(new Error(`the connection ended before the frame came: ${text}`)));
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private read(chunk: Buffer): void {
    const skipped = Math.min(this.skip, chunk.length);
    this.skip -= skipped;
    this.rest = Buffer.concat([this.rest, chunk.subarray(skipped)]);
    let at = 0;
    while (this.rest.length - at >= 9) {
      const length = this.rest.readUIntBE(at, 3);
      if (this.rest.length - at < 9 + length) break;
      const one = {
        type: this.rest[at + 3] ?? 0,
        flags: this.rest[at + 4] ?? 0,
        id: this.rest.readUInt32BE(at + 5),
        payload: this.rest.subarray(at + 9, at + 9 + length),
      };
      at += 9 + length;
      if (one.type === FRAME.data) this.dataBytes += length;
      else if (this.frames.length < FRAMES_KEPT_MAX || one.type === FRAME.goaway) this.frames.push(one);
      this.onFrame?.(one);
    }
    this.rest = this.rest.subarray(at);
  }
}

/** Floods are answered with floods. */
const FRAMES_KEPT_MAX = 1_000;

/** Answers SETTINGS and PING as an honest peer must. */
export function answerHonestly(peer: RawPeer): void {
  peer.onFrame = ({ type, flags, payload }) => {
    if ((flags & 1) !== 0) return;
    if (type === FRAME.settings) peer.send(frame(FRAME.settings, 1, 0));
    if (type === FRAME.ping) peer.send(frame(FRAME.ping, 1, 0, payload));
  };
}
