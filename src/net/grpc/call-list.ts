/** Something that can stand in one `CallList`; its links are its own, so that entering it allocates nothing. */
export interface ListedCall<T> {
  listed: boolean;
  nextCall: T | undefined;
  previousCall: T | undefined;
}

/** The calls under way at a server, in no particular order. */
export class CallList<T extends ListedCall<T>> {
  /** Called each time the last call has gone. */
  onEmpty: (() => void) | undefined = undefined;
  private first: T | undefined = undefined;

  get empty(): boolean {
    return this.first === undefined;
  }

  add(call: T): void {
    const { first } = this;
    call.listed = true;
    call.nextCall = first;
    if (first !== undefined) first.previousCall = call;
    this.first = call;
  }

  /** Does nothing for a call that has been removed already. */
  remove(call: T): void {
    if (!call.listed) return;
    const { nextCall, previousCall } = call;
    call.listed = false;
    call.nextCall = undefined;
    call.previousCall = undefined;
    if (previousCall === undefined) this.first = nextCall;
    else previousCall.nextCall = nextCall;
    if (nextCall !== undefined) nextCall.previousCall = previousCall;
    if (this.first === undefined) this.onEmpty?.();
  }

  /** Those under way now; calls may end meanwhile. */
  all(): T[] {
    const calls: T[] = [];
    for (let call = this.first; call !== undefined; call = call.nextCall) calls.push(call);
    return calls;
  }
}
