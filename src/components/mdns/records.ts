import { isIPv6 } from "node:net";
import type { Instance } from "../spi/name-resolution.ts";
import type { DnsPacket, DnsRecord } from "./multicast.ts";

/** Seconds that records live, as the library behind daprd's resolver sets them; addresses less. */
const RECORD_TTL_S = 3_200;
const ADDRESS_TTL_S = 120;

const SERVICE_LIST = "_services._dns-sd._udp.local";

/** The names under which one sidecar is announced: the app id is the service, without the usual underscores and protocol. */
export interface ServiceNames {
  readonly service: string;
  readonly instance: string;
  readonly host: string;
}

/** An address heard of, or, with `gone`, taken back. */
export interface Heard {
  readonly appId: string;
  readonly address: string;
  readonly gone: boolean;
}

/** `label` must be unique on the network for its app, or browsers take two sidecars for one. */
export function serviceNames(appId: string, label: string, hostName: string): ServiceNames {
  return { service: `${appId}.local`, instance: `${label}.${appId}.local`, host: `${hostName}.local` };
}

/** The question that finds all sidecars of an app. */
export function browseQuestion(appId: string): DnsPacket {
  return { questions: [{ type: "PTR", name: `${appId}.local` }] };
}

/** The unsolicited answer at start, and with `goodbye` at the end (RFC 6762 sections 8.3 and 10.1). */
export function announcement(names: ServiceNames, instance: Instance, goodbye: boolean): DnsPacket {
  const ttl = goodbye ? 0 : RECORD_TTL_S;
  const records = recordsOf(names, instance, ttl, true);
  return { answers: [...records, pointer(names, ttl), { type: "PTR", name: SERVICE_LIST, ttl, data: names.service }] };
}

/** The answer to a question, undefined when it is not about us or the asker knows it already. */
export function answerTo(query: DnsPacket, names: ServiceNames, instance: Instance): DnsPacket | undefined {
  if ((query.authorities?.length ?? 0) > 0) {
    return undefined;
  }
  for (const question of query.questions ?? []) {
    const name = question.name.toLowerCase();
    if (name === names.service.toLowerCase()) {
      return isKnown(query, names)
        ? undefined
        : { answers: [pointer(names, RECORD_TTL_S)], additionals: recordsOf(names, instance, RECORD_TTL_S, false) };
    }
    if (name === names.instance.toLowerCase()) {
      return announcement(names, instance, false);
    }
    if (name === SERVICE_LIST) {
      return { answers: [{ type: "PTR", name: SERVICE_LIST, ttl: RECORD_TTL_S, data: names.service }] };
    }
  }
  return undefined;
}

/** What a response says of sidecars: entries with a port, a text that names the app, and an address, IPv4 first. */
export function heardIn(response: DnsPacket): readonly Heard[] {
  const records = [...(response.answers ?? []), ...(response.authorities ?? []), ...(response.additionals ?? [])];
  const heard: Heard[] = [];
  for (const record of records) {
    if (record.type !== "TXT") {
      continue;
    }
    const appId = textOf(record);
    if (!record.name.toLowerCase().endsWith(`.${appId}.local`.toLowerCase())) {
      continue;
    }
    const service = records.find((other) => other.type === "SRV" && sameName(other.name, record.name));
    const { port, target } = (service?.data ?? {}) as { port?: number; target?: string };
    if (service === undefined || port === undefined || target === undefined) {
      continue;
    }
    const host = addressOf(records, target);
    if (host !== undefined) {
      heard.push({ appId, address: `${host}:${port}`, gone: service.ttl === 0 });
    }
  }
  return heard;
}

function addressOf(records: readonly DnsRecord[], target: string): string | undefined {
  const v4 = records.find((record) => record.type === "A" && sameName(record.name, target))?.data;
  if (typeof v4 === "string") {
    return v4;
  }
  const v6 = records.find((record) => record.type === "AAAA" && sameName(record.name, target))?.data;
  return typeof v6 === "string" ? `[${v6}]` : undefined;
}

function recordsOf(names: ServiceNames, instance: Instance, ttl: number, flush: boolean): DnsRecord[] {
  const { address, appId, internalGrpcPort } = instance;
  return [
    {
      type: "SRV",
      name: names.instance,
      ttl,
      flush,
      data: { priority: 0, weight: 0, port: internalGrpcPort, target: names.host },
    },
    { type: "TXT", name: names.instance, ttl, flush, data: [appId] },
    { type: isIPv6(address) ? "AAAA" : "A", name: names.host, ttl: ttl === 0 ? 0 : ADDRESS_TTL_S, data: address },
  ];
}

function pointer(names: ServiceNames, ttl: number): DnsRecord {
  return { type: "PTR", name: names.service, ttl, data: names.instance };
}

/** RFC 6762 section 7.1: known-answer suppression. */
function isKnown(query: DnsPacket, names: ServiceNames): boolean {
  return (query.answers ?? []).some(
    (known) => known.type === "PTR" && known.data === names.instance && (known.ttl ?? 0) >= RECORD_TTL_S / 2,
  );
}

function textOf(record: DnsRecord): string {
  const texts = Array.isArray(record.data) ? (record.data as readonly unknown[]) : [record.data];
  const [first] = texts;
  if (first instanceof Uint8Array) {
    return Buffer.from(first).toString();
  }
  return typeof first === "string" ? first : "";
}

function sameName(one: string, other: string): boolean {
  return one === other || one.toLowerCase() === other.toLowerCase();
}
