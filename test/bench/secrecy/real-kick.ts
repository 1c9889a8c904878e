import type { EngineApi } from "../../../p2p/api/engine.ts";
import { createHost } from "../../../p2p/host.ts";
import { readAudio } from "../../audio/sounds.ts";
import { fixturePath } from "../../audio/sounds.ts";
import { packetSamples } from "../../../p2p/core/jitter/voice-codec.ts";
import { createVoiceEncoder } from "../../../p2p/io/audio/opus.ts";
import { millis } from "../../../p2p/api/ids.ts";

const nobody = {
  listen: [],
  announce: [],
  bootstrap: [],
  dht: "off",
  tls: undefined,
  seed: undefined,
  blind: false,
} as const;
/** Everybody has enrolled after this. */
const enrolMs = 11_000;
const talkMs = 4_000;

/** A kick over real links on loopback. */
export interface RealKick {
  /** From the host's word to the last packet that the kicked engine opened, ms. */
  readonly heardForMs: number;
  /** And to its being told. */
  readonly toldMs: number;
  /** Packets that who stayed heard from the kick on, of those said. */
  readonly heard: number;
  readonly said: number;
}

/** A relay, a host who talks, one who is put out and one who stays: whole engines with real links. */
export async function kickOverRealLinks(): Promise<RealKick> {
  const relay = await createHost({ ...nobody, profile: "wss", listen: ["/ip4/127.0.0.1/tcp/0/tls/ws"] });
  const engines = [relay];
  const add = async (): Promise<EngineApi> => {
    const engine = await createHost({ ...nobody, profile: "wss" });
    engines.push(engine);
    await engine.start();
    return engine;
  };
  try {
    await relay.start();
    const card = await relay.volunteer({});
    const [host, kicked, stays] = [await add(), await add(), await add()];
    const invites = await host.host({ title: "Tea", name: "Ana", via: [card], letEverybodySpeak: true });
    await kicked.join(invites.listener, { name: "Bahar" });
    await stays.join(invites.listener, { name: "Chiyo" });
    const identity = await onStage(host, kicked, "Bahar");
    await new Promise((resolve) => setTimeout(resolve, enrolMs));
    return await kickWhileTalking(host, kicked, stays, identity);
  } finally {
    await Promise.all(engines.map((engine) => engine.stop()));
  }
}

/** The guest asks for the stage; its identity, as the room then knows it. */
async function onStage(host: EngineApi, guest: EngineApi, name: string): Promise<string> {
  const known = new Promise<string>((resolve) => {
    host.subscribe((event) => {
      const person = event.event === "stage" ? event.people.find((each) => each.name === name) : undefined;
      if (person) resolve(person.identity);
    });
  });
  guest.raiseHand();
  return known;
}

async function kickWhileTalking(
  host: EngineApi,
  kicked: EngineApi,
  stays: EngineApi,
  identity: string,
): Promise<RealKick> {
  let [lastAt, told, heard, said] = [0, 0, 0, 0];
  const talk = await talker(host, () => said++);
  try {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const begunAt = performance.now();
    kicked.hear(() => (lastAt = performance.now() - begunAt));
    kicked.subscribe((event) => {
      if (event.event === "left" || event.event === "refused" || event.event === "error")
        told ||= performance.now() - begunAt;
    });
    stays.hear(() => heard++);
    said = 0;
    await host.act({ kind: "kick", identity });
    await new Promise((resolve) => setTimeout(resolve, talkMs));
  } finally {
    talk.stop();
  }
  return { heardForMs: lastAt, toldMs: told, heard, said };
}

/** Says the clip of the tree, a packet every 40 ms. */
async function talker(host: EngineApi, onSaid: () => void): Promise<{ stop(): void }> {
  const speech = await readAudio(fixturePath("speech.flac"));
  const encoder = await createVoiceEncoder();
  let at = 0;
  const timer = setInterval(() => {
    const pcm = speech.subarray(at, at + packetSamples);
    at = at + 2 * packetSamples > speech.length ? 0 : at + packetSamples;
    host.speak({ ...encoder.encode(pcm), capturedAt: millis(Date.now()) });
    onSaid();
  }, 40);
  return {
    stop: () => {
      clearInterval(timer);
      encoder.free();
    },
  };
}
