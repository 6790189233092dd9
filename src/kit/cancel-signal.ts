/**
 * What is used of an AbortSignal along the path of a call. An AbortSignal is one; a `Cancellation` costs a hundredth of it,
 * which shows on every call, since nearly none is cancelled.
 */
export interface CancelSignal {
  readonly aborted: boolean;
  /** What to fail with, once it is aborted. */
  readonly reason: Error;
  addEventListener(type: "abort", listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

const NOT_ABORTED = new Error("nothing was aborted");

/** A signal and its switch in one object. A listener hears of it once, whether it asked for that or not. */
export class Cancellation implements CancelSignal {
  aborted = false;
  reason: Error = NOT_ABORTED;
  private first: (() => void) | undefined = undefined;
  private others: (() => void)[] | undefined = undefined;

  addEventListener(_type: "abort", listener: () => void): void {
    if (this.aborted || this.first === listener || this.others?.includes(listener) === true) return;
    if (this.first === undefined) this.first = listener;
    else (this.others ??= []).push(listener);
  }

  removeEventListener(_type: "abort", listener: () => void): void {
    if (this.first === listener) {
      this.first = undefined;
      return;
    }
    const place = this.others?.indexOf(listener) ?? -1;
    if (place !== -1) this.others?.splice(place, 1);
  }

  /** Tells everybody who listens, once. */
  abort(reason: Error): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    const { first, others } = this;
    this.first = undefined;
    this.others = undefined;
    first?.();
    if (others !== undefined) for (const listener of others) listener();
  }
}

/** For calls that nobody can cancel: listeners are not kept, so that one signal serves all of them. */
export const NEVER_CANCELLED: CancelSignal = Object.freeze({
  aborted: false,
  reason: NOT_ABORTED,
  addEventListener: () => {},
  removeEventListener: () => {},
});
