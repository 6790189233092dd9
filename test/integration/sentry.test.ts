import { X509Certificate } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { systemRandom } from "../../src/kit/random.ts";
import { systemClock } from "../../src/kit/system-clock.ts";
import { certificatesOf } from "../../src/control-plane/sentry/issuer/pem.ts";
import { generateIssuer } from "../../src/control-plane/sentry/issuer/generate.ts";
import { makeCertificateRequest } from "../../src/security/certificate-request.ts";
import { type SentryProgram, type SentryProgramOptions, startSentryProgram } from "../harness/sentry-program.ts";
import { until } from "../harness/until.ts";

let sentry: SentryProgram | undefined;
afterEach(async () => {
  await sentry?.[Symbol.asyncDispose]();
  sentry = undefined;
});

async function start(options?: SentryProgramOptions): Promise<SentryProgram> {
  sentry = await startSentryProgram(options);
  return sentry;
}

function ask(facts: object = {}) {
  const { request } = makeCertificateRequest();
  return { id: "myapp", namespace: "default", certificateSigningRequest: Buffer.from(request), ...facts };
}

/** The certificate that the port shows now. */
function shown(port: number): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["h2"] }, () => {
      resolve(new X509Certificate(socket.getPeerCertificate().raw));
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

describe("outrigger sentry", () => {
  it("signs for whoever asks, is healthy, and counts", async () => {
    const { sign, healthPort, port, metric, mtls } = await start();
    const answer = await sign(ask());
    const [leaf, issuer] = certificatesOf(Buffer.from(answer.workloadCertificate).toString()) as [
      X509Certificate,
      X509Certificate,
    ];
    expect(leaf.subjectAltName).toBe("URI:spiffe://public/ns/default/myapp");
    expect(leaf.verify(issuer.publicKey)).toBe(true);
    expect(answer.trustChainCertificates.map((one) => Buffer.from(one).toString())).toEqual([mtls.trustAnchors]);
    expect(Number(answer.validUntil?.seconds)).toBe(leaf.validToDate.getTime() / 1000);
    expect(answer.jwt).toBeUndefined();
    expect((await shown(port)).subjectAltName).toBe("URI:spiffe://localhost/ns/default/dapr-sentry");
    expect((await shown(port)).publicKey.asymmetricKeyType).toBe("ed25519");

    await expect(sign(ask({ namespace: "" }))).rejects.toMatchObject({
      code: 7,
      details: "invalid request: namespace is required",
    });
    expect((await fetch(`http://127.0.0.1:${healthPort}/healthz`)).status).toBe(200);
    expect(await metric("dapr_sentry_cert_sign_request_received_total")).toBe(2);
    expect(await metric("dapr_sentry_cert_sign_success_total")).toBe(1);
    expect(await metric('dapr_sentry_cert_sign_failure_total{reason="sign"}')).toBe(1);
    expect(await metric("dapr_sentry_issuercert_changed_total")).toBe(1);
    expect(await metric("dapr_sentry_issuercert_expiry_timestamp")).toBe(issuer.validToDate.getTime() / 1000);
  });

  it("renews its own certificate while it serves", async () => {
    const { port, sign } = await start({ spec: "  mtls:\n    workloadCertTTL: 2s\n    allowedClockSkew: 1s" });
    const first = await shown(port);
    await until(
      "another certificate is shown",
      async () => (await shown(port)).serialNumber !== first.serialNumber,
      20_000,
    );
    // One that was held up shows an old certificate until it has renewed it.
    await until("it signs", async () => (await sign(ask())).workloadCertificate.length > 0);
  });

  it("takes new credentials over without closing its port, and keeps the old ones when they are useless", async () => {
    const { folder, sign, program, port } = await start();
    const old = await shown(port);
    const made = await generateIssuer({
      trustDomain: "localhost",
      namespace: "default",
      skewMs: 0,
      clock: systemClock,
      random: systemRandom,
    });
    const write = async (name: string, text: string): Promise<void> => await writeFile(join(folder.path, name), text);
    const root = await readFile(join(folder.path, "ca.crt"), "utf8");
    await rm(join(folder.path, "issuer.key"));
    await program.says("Changed issuer credentials cannot be used, and those from before stay in use");
    expect(program.output).toContain("credentials are missing in the local file system");
    expect(await readFile(join(folder.path, "ca.crt"), "utf8")).toBe(root);
    await write("issuer.key", "rubbish");
    await program.says(`${join(folder.path, "issuer.key")}: key is not PEM encoded`);
    await sign(ask());
    expect((await shown(port)).checkIssued(made.chain[0] as X509Certificate)).toBe(false);

    await write("ca.crt", made.trustAnchorsPem);
    await write("issuer.crt", made.chainPem);
    await write("issuer.key", made.keyPem);
    await until("its own certificate is of the new root", async () => {
      const now = await shown(port);
      return now.serialNumber !== old.serialNumber && now.verify((made.chain[0] as X509Certificate).publicKey);
    });
    const answer = await sign(ask());
    const [leaf] = certificatesOf(Buffer.from(answer.workloadCertificate).toString());
    expect(leaf?.verify((made.chain[0] as X509Certificate).publicKey)).toBe(true);
  });

  it.each([
    ["a Configuration that is not there", ["--config=/no/such/file"], "couldn't find config name"],
    ["no cluster", ["--mode=kubernetes"], "'NAMESPACE' environment variable not set"],
    ["a bad flag", ["--jwt-issuer=x"], "Invalid options: jwt-issuer cannot be set when jwt-enabled is false"],
    [
      "a folder that is not there",
      ["--issuer-credentials=/no/such/folder"],
      "failed to write file /no/such/folder/ca.crt",
    ],
    ["a trust domain that is none", ["--trust-domain=A B"], "trust domain characters are limited to"],
  ])("ends with 1 and says why with %s", async (_what, flags, message) => {
    await expect(startSentryProgram({ flags })).rejects.toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^sentry ended with 1; /) as string }) as Error,
    );
    await expect(startSentryProgram({ flags })).rejects.toThrow(message);
  });

  it("ends well when it is told to", async () => {
    const { program } = await start();
    expect(await program.signal("SIGTERM")).toMatchObject({ code: 0 });
    expect(program.output).toContain("Sentry shut down gracefully");
  });
});
