import { describe, expect, it } from "vitest";
import { EMPTY_TRACEPARENT, SPAN_KIND } from "../../kit/trace-context.ts";
import { systemRandom } from "../../kit/random.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { TEXT_LENGTH_MAX } from "./limits.ts";
import type { RecordedSpan } from "./span.ts";
import { PassingTracer, SamplingTracer } from "./tracers.ts";

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const parent = (flags: string) => ({ traceparent: `00-${TRACE_ID}-00f067aa0ba902b7-${flags}`, tracestate: "a=1" });

function tracer(rate: number) {
  const ended: RecordedSpan[] = [];
  const ports = { random: systemRandom, clock: new VirtualClock() };
  return { ended, start: new SamplingTracer(rate, { spanEnded: (span) => void ended.push(span) }, ports) };
}

describe("a span below another", () => {
  it("is recorded as the parent is, whatever the rate", () => {
    const never = tracer(0);
    const span = never.start.start("a", SPAN_KIND.client, parent("01"));
    expect(span.recording).toBe(true);
    expect(span.traceparent).toMatch(new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-01$`));
    expect(span.traceparent).not.toBe(parent("01").traceparent);
    expect(span.tracestate).toBe("a=1");
    span.end();
    expect(never.ended[0]).toMatchObject({ traceId: TRACE_ID, parentId: "00f067aa0ba902b7" });
    const always = tracer(1).start.start("a", SPAN_KIND.client, parent("02"));
    expect(always.recording).toBe(false);
    expect(always.traceparent).toMatch(new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-00$`));
  });
});

describe("a span that begins a trace", () => {
  it("is recorded as the rate says", () => {
    expect(tracer(1).start.start("a", SPAN_KIND.client, undefined)).toMatchObject({ recording: true, parentId: "" });
    expect(tracer(0).start.start("a", SPAN_KIND.client, undefined).traceparent).toMatch(/-00$/);
  });

  it("has ids of its own", () => {
    const { start } = tracer(1);
    const contexts = new Set(
      Array.from({ length: 1_000 }, () => start.start("a", SPAN_KIND.client, undefined).traceparent),
    );
    expect(contexts.size).toBe(1_000);
  });

  it("begins one too below a context of zeros", () => {
    const context = { traceparent: EMPTY_TRACEPARENT, tracestate: "" };
    expect(tracer(1).start.start("a", SPAN_KIND.client, context)).toMatchObject({ parentId: "" });
  });
});

it("without a back end there are contexts and nothing is recorded", () => {
  const ports = { random: systemRandom, clock: new VirtualClock() };
  const span = new SamplingTracer(1, undefined, ports).start("a", SPAN_KIND.client, undefined);
  expect([span.recording, span.traceparent.slice(-3)]).toEqual([false, "-01"]);
});

it("where nothing is configured a context goes on as it came, and is zero where there is none", () => {
  const passing = new PassingTracer();
  expect(passing.start("a", SPAN_KIND.client, parent("01")).traceparent).toBe(parent("01").traceparent);
  expect(passing.start("a", SPAN_KIND.client, undefined).traceparent).toBe(EMPTY_TRACEPARENT);
});

it("a name longer than a limit is cut at the end of its span", () => {
  const { start, ended } = tracer(1);
  start.start("x".repeat(TEXT_LENGTH_MAX + 1), SPAN_KIND.client, undefined).end();
  expect(ended[0]?.name).toHaveLength(TEXT_LENGTH_MAX);
});
