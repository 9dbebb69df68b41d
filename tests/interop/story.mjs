// Records calls by the unmodified SDK, in all the ways that it has, and tells what came of it as one JSON document.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

import { Call, Service } from "./service.mjs";

const names = ["sdk", "connection", "reelgraph", "tone", "out"];
const { values: args } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: "string" }])) });
const require = createRequire(`${args.sdk}/`);
const { CallAutomationClient } = require("@azure/communication-call-automation");
const manifest = `${args.sdk}/node_modules/@azure/communication-call-automation/package.json`;
const VERSION = JSON.parse(readFileSync(manifest, "utf8")).version;

const SERVICE = new Service(args);
const ADA = { communicationUserId: "8:acs:ada" };
const BOB = { phoneNumber: "+14255550123" };
// What has been done, as the matrix names it.
const DONE = new Set();

function client(connection = SERVICE.connection, options = {}) {
  return new CallAutomationClient(connection, options).getCallRecording();
}

/** Asserts that the SDK's own error comes, with status and code. */
async function refused(row, status, code, asked) {
  const error = await asked().then(() => assert.fail(`${row}: nothing is refused`), (error) => error);
  // Of files the SDK tells status and message alone.
  assert.equal(error.statusCode ?? error.status, status, `${row}: ${error.stack ?? JSON.stringify(error)}`);
  if (code) assert.equal(error.code, code, row);
  else assert.ok(error.message, row);
  DONE.add(row);
}

async function read(sdk, row, url, options = {}) {
  const data = await buffer(await sdk.downloadStreaming(url, options));
  DONE.add(row);
  return data;
}

/** A recording is paused and goes on, twice said each time. */
async function states(sdk, recording, play, paused) {
  const check = async (expected) => {
    assert.equal((await sdk.getState(recording)).recordingState, expected);
    DONE.add(`state: ${expected}`);
  };
  if (paused) {
    await check("inactive");
    await sleep(500);
    await sdk.resume(recording);
    DONE.add("start: paused");
  }
  await check("active");
  await sleep(play);
  await sdk.pause(recording);
  await sdk.pause(recording);
  DONE.add("pause, and again");
  await check("inactive");
  await sleep(700);
  await sdk.resume(recording);
  await sdk.resume(recording);
  DONE.add("resume, and again");
  await check("active");
}

/** What was recorded is loaded, whole and in parts, and deleted. */
async function files(sdk, name, recording) {
  const result = await SERVICE.resultOf(recording);
  assert.deepEqual([result.sessionEndReason, result.errors], ["InitiatorLeft", []]);
  const [chunk, ...more] = result.recordingStorageInfo.recordingChunks;
  assert.equal(more.length, 0);
  const whole = await read(sdk, "download", chunk.contentLocation);
  const part = await read(sdk, "download: range", chunk.contentLocation, { offset: 100, length: 50 });
  assert.ok(part.equals(whole.subarray(100, 150)), `${part.length} of ${whole.length}`);
  const rest = await read(sdk, "download: from", chunk.contentLocation, { offset: whole.length - 10 });
  // 1.5.1 asks for `bytes=5`, which is no range: all comes, and is more than was asked for.
  assert.ok(rest.equals(VERSION < "1.6" ? whole : whole.subarray(-10)), `${rest.length} of ${whole.length}`);
  const saved = `${args.out}/${name}.json`;
  await sdk.downloadToPath(chunk.metadataLocation, saved);
  DONE.add("download: metadata");
  const metadata = JSON.parse(readFileSync(saved, "utf8"));
  assert.equal(metadata.chunkDocumentId, chunk.documentId);
  const path = `${args.out}/${name}.${metadata.recordingInfo.format}`;
  writeFileSync(path, whole);
  await sdk.delete(chunk.deleteLocation);
  DONE.add("delete");
  await refused("404: deleted", 404, null, () => sdk.downloadStreaming(chunk.contentLocation));
  await refused("404: deleted", 404, null, () => sdk.downloadStreaming(chunk.metadataLocation));
  await refused("404: deleted", 404, null, () => sdk.delete(chunk.deleteLocation));
  return { name, path, metadata, result };
}

/** Records a call as `options` say, with a pause; loads what it made, and deletes it. */
async function record(sdk, name, by, rows, options = {}, play = 1_500) {
  const call = await Call.begin(SERVICE);
  await sleep(500);
  const kinds = { callKey: "serverCallLocator", groupCallId: "groupCallLocator", roomId: "roomCallLocator" };
  const id = call.names[by];
  const locator = by in kinds ? { callLocator: { kind: kinds[by], id } } : { callConnectionId: id };
  const { recordingId: recording, recordingState: state } = await sdk.start({ ...locator, ...options });
  assert.equal(state, "inactive");
  [`start: ${by}`, ...rows].forEach((row) => DONE.add(row));
  await states(sdk, recording, play, options.pauseOnStart);
  const callLocator = { kind: "serverCallLocator", id: call.names.callKey };
  await refused("400: started twice", 400, "8559", () => sdk.start({ callLocator }));
  await sleep(play);
  await sdk.stop(recording);
  DONE.add("stop");
  await refused("404: state after stop", 404, "8522", () => sdk.getState(recording));
  await refused("404: stop twice", 404, "8522", () => sdk.stop(recording));
  const told = await files(sdk, name, recording);
  await call.end();
  return told;
}

/** What is refused comes as the SDK's own errors. */
async function mistakes(sdk) {
  const call = await Call.begin(SERVICE);
  const callLocator = { kind: "serverCallLocator", id: call.names.callKey };
  const start = (options) => sdk.start({ callLocator, ...options });
  const key = Buffer.from("another key, as long as those of the service").toString("base64");
  const wrong = client(SERVICE.connection.replace(SERVICE.key, key));
  await refused("401: key", 401, "7509", () => wrong.start({ callLocator }));
  await refused("404: call", 404, "8522", () => start({ callLocator: { ...callLocator, id: "nobody" } }));
  await refused("404: recording", 404, "8522", () => sdk.pause("nobody"));
  await refused("400: formats", 400, "8557", () => start({ recordingChannel: "unmixed", recordingFormat: "mp3" }));
  await refused("400: word", 400, "8523", () => start({ recordingFormat: "flac" }));
  await refused("400: video", 400, "8557", () => start({ recordingContent: "audioVideo" }));
  const recordingDestinationContainerUrl = "https://a.blob.core.windows.net/r";
  const recordingStorage = { recordingStorageKind: "azureBlobStorage", recordingDestinationContainerUrl };
  await refused("405: storage elsewhere", 405, "8520", () => start({ recordingStorage }));
  await call.end();
}

/** A start whose answers are lost is sent again by the SDK, and is done once. */
async function retried() {
  const call = await Call.begin(SERVICE);
  let count = 2;
  const lost = {
    name: "lost",
    async sendRequest(request, next) {
      const response = await next(request);
      count -= 1;
      return count >= 0 ? { ...response, status: 503 } : response;
    },
  };
  const options = { additionalPolicies: [{ policy: lost, position: "perRetry" }], retryOptions: { retryDelayInMs: 50 } };
  const sdk = client(SERVICE.connection, options);
  const { recordingId } = await sdk.start({ callLocator: { kind: "serverCallLocator", id: call.names.callKey } });
  assert.equal(count, -1);
  assert.deepEqual(await call.recordings(), [recordingId]);
  DONE.add("start: retried, one recording");
  await call.end();
  for (const chunk of (await SERVICE.resultOf(recordingId)).recordingStorageInfo.recordingChunks) {
    await sdk.delete(chunk.deleteLocation);
  }
}

const sdk = client();
const unmixed = { recordingContent: "audio", recordingChannel: "unmixed", recordingFormat: "wav" };
const mixed = {
  recordingContent: "audio",
  recordingChannel: "mixed",
  recordingFormat: "wav",
  recordingStateCallbackEndpointUrl: "https://127.0.0.1:9/states",
  recordingStorage: { recordingStorageKind: "azureCommunicationServices" },
};
const channelAffinity = [{ channel: 2, targetParticipant: ADA }];
const rows = ["start: mixed wav", "start: callback", "start: storage of the service"];
const [, ...recordings] = await Promise.all([
  retried(),
  record(sdk, "defaults", "callKey", []),
  record(sdk, "mixed", "groupCallId", rows, mixed),
  record(sdk, "pinned", "callConnectionId", ["start: unmixed wav", "start: affinity"], { ...unmixed, pauseOnStart: true, channelAffinity }),
  record(sdk, "ordered", "roomId", ["start: ordering"], { ...unmixed, audioChannelParticipantOrdering: [BOB, ADA] }),
]);
await mistakes(sdk);
console.log(JSON.stringify({ version: VERSION, recordings, done: [...DONE].sort() }));
process.exit(0);
