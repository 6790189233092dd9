import type { Clock, Timer } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Random } from "../../kit/random.ts";

/** Milliseconds that a vote holds at the member that gave it, also after a restart of that member. */
export const VOTE_MS = 2_600;
/**
 * Milliseconds that a majority of votes is worth to the one who leads, from when it asked for them. Shorter than a vote by
 * more than a tick and what two clocks may differ in that time, so that it has stopped before another one can begin.
 */
export const LEASE_MS = 2_000;
/** Milliseconds between looks at the own vote and lease. */
export const TICK_MS = 100;
/** Milliseconds between renewals: several may be lost before the lease runs out. */
const RENEW_MS = 400;
/** Milliseconds that a candidate waits for its majority. */
export const CAMPAIGN_MS = 1_000;
/** The most milliseconds, drawn by lot, until a candidate that has lost tries again. */
export const BACKOFF_MS_MAX = 800;

/** What a member asks another one for; with `release` it gives the vote back. */
export interface VoteRequest {
  readonly candidate: string;
  /** A name that no other campaign has, of this member or another. */
  readonly campaign: string;
  readonly release: boolean;
}

export interface Vote {
  readonly granted: boolean;
  /** Who has it, empty for nobody. */
  readonly holder: string;
}

export interface ElectionOptions {
  readonly id: string;
  /** The ids of all members, this one among them. */
  readonly members: readonly string[];
  /** Asks another member; rejects when it does not answer in time. */
  readonly ask: (member: string, request: VoteRequest) => Promise<Vote>;
  /** Told at once when leadership is won or has gone. */
  readonly onChange: (leads: boolean) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * Agrees on one leader among the members of `--initial-cluster`, by votes that run out and nothing else: no log, no terms,
 * nothing on disk. A member gives its vote to one campaign at a time and keeps to it for `VOTE_MS`; who has a majority
 * leads for `LEASE_MS` after it has asked, and asks again in time. A member that starts gives no vote before one of its
 * former life has run out. A vote goes back only by the name of its campaign: giving back an old one late takes nothing
 * from a new one. So two never lead at once, whatever is lost, late or stopped, as long as clocks run about equally fast.
 * A single member leads at once.
 */
export class Election {
  readonly #options: ElectionOptions;
  readonly #others: readonly string[];
  readonly #majority: number;
  #role: "follower" | "candidate" | "leader" = "follower";
  /** The campaign that has this member's vote, and whose it is. */
  #voteFor = { campaign: "", candidate: "" };
  #voteUntilMs: number;
  /** When each member was asked that has since granted, in this campaign and the leadership that follows. */
  readonly #grants = new Map<string, number>();
  /** Members that have refused their vote in this campaign. */
  readonly #refusals = new Set<string>();
  /** Answers to an earlier campaign mean nothing: its votes have been given back. */
  #campaign = "";
  #campaignUntilMs = 0;
  #nextTryMs: number;
  #nextRenewalMs = 0;
  #leaseUntilMs = 0;
  #ticks: Timer | undefined;

  constructor(options: ElectionOptions) {
    this.#options = options;
    this.#others = options.members.filter((member) => member !== options.id);
    this.#majority = Math.floor(options.members.length / 2) + 1;
    this.#voteUntilMs = options.clock.monotonicMs() + VOTE_MS;
    this.#nextTryMs = this.#voteUntilMs + this.#backoff();
  }

  /** Whether this member leads now: also false as soon as its time is over, before anything has been told. */
  get leads(): boolean {
    return this.#role === "leader" && this.#options.clock.monotonicMs() < this.#leaseUntilMs;
  }

  start(): void {
    if (this.#others.length === 0) {
      this.#leaseUntilMs = Number.POSITIVE_INFINITY;
      this.#win();
      return;
    }
    this.#ticks = this.#options.clock.every(TICK_MS, () => this.#tick());
  }

  /** Gives leadership and votes back, so that the others need not wait for them to run out. */
  async stop(): Promise<void> {
    this.#ticks?.cancel();
    this.#ticks = undefined;
    if (this.#role !== "follower") {
      await this.#resign();
    }
  }

  /** Answers another member, or this one. */
  vote({ candidate, campaign, release }: VoteRequest): Vote {
    const { clock, members } = this.#options;
    const now = clock.monotonicMs();
    const holds = now < this.#voteUntilMs;
    const same = campaign !== "" && this.#voteFor.campaign === campaign;
    if (release) {
      if (holds && same) {
        this.#voteUntilMs = now;
        this.#nextTryMs = now + this.#backoff();
      }
    } else if ((!holds || same) && campaign !== "" && members.includes(candidate)) {
      this.#voteFor = { campaign, candidate };
      this.#voteUntilMs = now + VOTE_MS;
      this.#nextTryMs = this.#voteUntilMs + this.#backoff();
      return { granted: true, holder: candidate };
    }
    return { granted: false, holder: now < this.#voteUntilMs ? this.#voteFor.candidate : "" };
  }

  #tick(): void {
    const now = this.#options.clock.monotonicMs();
    switch (this.#role) {
      case "leader":
        if (now < this.#leaseUntilMs) {
          if (now >= this.#nextRenewalMs) {
            this.#askAll();
          }
        } else {
          this.#options.logger.warn("lost leadership: a majority of the members has not answered in time");
          void this.#resign();
        }
        return;
      case "candidate":
        if (now >= this.#campaignUntilMs) {
          void this.#resign();
        }
        return;
      case "follower":
        if (now >= this.#voteUntilMs && now >= this.#nextTryMs) {
          this.#role = "candidate";
          this.#campaign = this.#options.random.uuid();
          this.#campaignUntilMs = now + CAMPAIGN_MS;
          this.#grants.clear();
          this.#refusals.clear();
          this.#askAll();
        }
    }
  }

  #askAll(): void {
    const { id, clock } = this.#options;
    const campaign = this.#campaign;
    const request: VoteRequest = { candidate: id, campaign, release: false };
    const askedMs = clock.monotonicMs();
    this.#nextRenewalMs = askedMs + RENEW_MS;
    const onVote = (member: string, { granted }: Vote): void => {
      if (campaign !== this.#campaign) {
        return;
      }
      if (granted) {
        this.#grants.set(member, Math.max(askedMs, this.#grants.get(member) ?? askedMs));
        this.#count();
      } else {
        this.#refusals.add(member);
        this.#giveUp();
      }
    };
    onVote(id, this.vote(request));
    for (const member of this.#others) {
      this.#options.ask(member, request).then(
        (vote) => onVote(member, vote),
        (error: unknown) => this.#options.logger.debug(`member ${member} does not answer: ${String(error)}`),
      );
    }
  }

  /** The lease runs from when the slowest of the best majority was asked. */
  #count(): void {
    const asked = [...this.#grants.values()].sort((a, b) => b - a)[this.#majority - 1];
    if (asked === undefined) {
      return;
    }
    this.#leaseUntilMs = asked + LEASE_MS;
    if (this.#role === "candidate" && this.#options.clock.monotonicMs() < this.#leaseUntilMs) {
      this.#win();
    }
  }

  /** A campaign that is lost gives its votes back at once: others may need them. */
  #giveUp(): void {
    if (this.#role === "candidate" && this.#refusals.size > this.#options.members.length - this.#majority) {
      void this.#resign();
    }
  }

  #win(): void {
    this.#role = "leader";
    this.#options.onChange(true);
  }

  async #resign(): Promise<void> {
    const { id, clock, onChange, ask } = this.#options;
    const led = this.#role === "leader";
    const request: VoteRequest = { candidate: id, campaign: this.#campaign, release: true };
    this.#role = "follower";
    this.#campaign = "";
    if (led) {
      onChange(false);
    }
    this.vote(request);
    this.#nextTryMs = clock.monotonicMs() + this.#backoff();
    await Promise.allSettled(this.#others.map((member) => ask(member, request)));
  }

  #backoff(): number {
    return this.#options.random.next() * BACKOFF_MS_MAX;
  }
}
