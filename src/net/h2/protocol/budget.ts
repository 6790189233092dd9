/**
 * What a peer may do for nothing: a bucket that its noise fills and that time and useful work empty. A budget that only
 * time refills would cut off honest peers who are busy.
 */
export class Budget {
  private readonly burst: number;
  private readonly perSecond: number;
  private spent = 0;

  constructor(burst: number, perSecond: number) {
    this.burst = burst;
    this.perSecond = perSecond;
  }

  /** @returns false when it is used up */
  spend(cost: number): boolean {
    this.spent += cost;
    return this.spent <= this.burst;
  }

  /** Useful work, in the units of `spend`. */
  earn(units: number): void {
    this.spent = this.spent > units ? this.spent - units : 0;
  }

  passed(elapsedMs: number): void {
    this.earn((this.perSecond * elapsedMs) / 1000);
  }
}
