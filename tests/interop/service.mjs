// What a story needs beside the SDK: the service's own API, signatures of its own, and calls of people who send.

import { spawn } from "node:child_process";
import { createHash, createHmac, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const DEADLINE_MS = 60_000;

/** Asks until what is told is ready; returns it. */
export async function poll(what, ready) {
  const until = Date.now() + DEADLINE_MS;
  while (Date.now() < until) {
    const told = await what();
    if (ready(told)) return told;
    await sleep(50);
  }
  throw new Error("it does not become ready");
}

/** The service that a connection string leads to. */
export class Service {
  constructor({ connection, reelgraph, tone }) {
    this.connection = readFileSync(connection, "utf8");
    const [, endpoint, key] = this.connection.match(/^endpoint=(.*)\/;accesskey=(.*)$/m);
    Object.assign(this, { endpoint, key, reelgraph, tone });
  }

  /** Asks with a signature; returns what is told. */
  async signed(method, path) {
    const url = new URL(this.endpoint + path);
    const date = new Date().toUTCString();
    const content = createHash("sha256").update("").digest("base64");
    const text = `${method}\n${url.pathname}${url.search}\n${date};${url.host};${content}`;
    const signature = createHmac("sha256", Buffer.from(this.key, "base64")).update(text).digest("base64");
    const headers = {
      "x-ms-date": date,
      "x-ms-content-sha256": content,
      Authorization: `HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${signature}`,
    };
    return this.#ask(url, { method, headers });
  }

  /** Asks the service's own API, with a key. */
  async own(method, path, body) {
    const headers = { Authorization: `Bearer ${this.key}`, "Content-Type": "application/json" };
    return this.#ask(this.endpoint + path, { method, headers, body: body && JSON.stringify(body) });
  }

  async #ask(url, options) {
    const answer = await fetch(url, { ...options, signal: AbortSignal.timeout(DEADLINE_MS) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${options.method} ${url}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  }

  /** What is stored of a recording, when there is something. */
  async resultOf(recording) {
    const result = () => this.signed("GET", `/calling/recordings/${recording}/result`);
    return poll(result, (told) => told.recordingStorageInfo.recordingChunks.length > 0);
  }
}

/** Whether a socket is connected with a port of this machine: what is sent there is, from then on. */
function isSending(port) {
  const remote = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return readFileSync("/proc/net/udp", "utf8").split("\n").slice(1).some((socket) => socket.trim().split(/\s+/)[2] === remote);
}

const senders = new Set();
process.on("exit", () => senders.forEach((sender) => sender.kill("SIGKILL")));

/** A call of two parties: Ada sends numbered frames, Bob a tone. */
export class Call {
  static async begin(service) {
    const call = new Call();
    const names = ["callKey", "callConnectionId", "groupCallId", "roomId"].map((name) => [name, `${name}-${randomUUID()}`]);
    Object.assign(call, { service, names: Object.fromEntries(names), senders: [] });
    call.id = (await service.own("POST", "/api/v1/calls", call.names)).id;
    const parties = [["8:acs:ada", ["--serial"]], ["4:+14255550123", [service.tone, "--loop"]]];
    const ports = [];
    for (const [participantId, what] of parties) {
      const path = `/api/v1/calls/${call.id}/participants`;
      const { rtp } = await service.own("POST", path, { participantId, track: "codec=pcmu" });
      const sender = spawn(service.reelgraph, ["send", ...what, "--to", `rtp://${rtp}`, "--codec", "pcmu"], { stdio: "ignore" });
      senders.add(sender);
      call.senders.push(sender);
      ports.push(Number(rtp.split(":").pop()));
    }
    await poll(() => ports.every(isSending), (all) => all);
    return call;
  }

  async recordings() {
    return (await this.service.own("GET", `/api/v1/calls/${this.id}`)).recordings;
  }

  async end() {
    await this.service.own("DELETE", `/api/v1/calls/${this.id}`);
    for (const sender of this.senders) {
      senders.delete(sender);
      sender.kill("SIGKILL");
    }
  }
}
