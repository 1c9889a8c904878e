import type { EngineApi, HostOptions, JoinOptions, VolunteerOptions } from "../api/engine.ts";
import type { VoiceKey } from "../api/ids.ts";
import { limits } from "../api/limits.ts";
import type { WayChoice } from "../api/way.ts";
import { capsuleBytesMax } from "./events.ts";
import { fromHex } from "./hex.ts";
import type { RequestMethod, TellMethod } from "./protocol.ts";
import { count, exact, flag, hex, list, oneOf, optional, text, tuple, type Shape } from "./shape.ts";

/** What a window asks, as calls on the engine; what does not fit the contract is no call. */

/** Names, titles and lines: what members may write is at most 280 characters; the engine refuses or cuts the rest. */
const wordsMax = 16_384;
const cardsMax = 16;

const none: Shape<readonly []> = tuple();
const words = text(wordsMax);
const card = text(limits.inviteCharactersMax);
const id = text(256);

const volunteerOptions: Shape<VolunteerOptions> = exact({
  maxChildren: optional(count()),
  maxKbps: optional(count()),
  only: optional(flag),
});

const hostOptions: Shape<HostOptions> = exact({
  title: optional(words),
  name: optional(words),
  via: list(card, cardsMax),
  letEverybodySpeak: flag,
  coreSize: optional(count(64)),
  relayFanout: optional(count(1024)),
  volunteer: optional(volunteerOptions),
});

const joinOptions: Shape<JoinOptions> = exact({ name: optional(words) });

const wayChoice: Shape<WayChoice> = exact({
  rung: oneOf("auto", "lan", "wss", "webrtc", "proxy"),
  proxy: optional(words),
  proxyUse: optional(oneOf("always", "fallback")),
});

const wayArguments = tuple(wayChoice);
const volunteerArguments = tuple(volunteerOptions);
const hostArguments = tuple(hostOptions);
// An invite that is too long is one sentence from the engine, as a short damaged one is.
const joinArguments = tuple(words, joinOptions);
const resumeArguments = tuple(text(2 * capsuleBytesMax));
const idArguments = tuple(id);
const voiceArguments = tuple(hex<VoiceKey>(32));
const layerArguments = tuple(oneOf("normal", "low"));
const wordsArguments = tuple(words);

/** The call behind a request: it resolves to what crosses the port. Undefined when the arguments do not fit. */
export function requestCall(
  engine: EngineApi,
  method: RequestMethod,
  given: readonly unknown[],
): (() => Promise<unknown>) | undefined {
  switch (method) {
    case "start":
      return none(given) ? () => engine.start() : undefined;
    case "volunteer":
      return volunteerArguments(given) ? () => engine.volunteer(given[0]) : undefined;
    case "host":
      return hostArguments(given) ? () => engine.host(given[0]) : undefined;
    case "join":
      return joinArguments(given) ? () => engine.join(given[0], given[1]) : undefined;
    case "chooseWay":
      return wayArguments(given) ? () => engine.chooseWay(given[0]) : undefined;
    case "probe":
      return wordsArguments(given) ? () => engine.probe(given[0]) : undefined;
    case "leave":
      return none(given) ? () => engine.leave() : undefined;
    case "resume": {
      const capsule = resumeArguments(given) ? fromHex(given[0]) : undefined;
      return capsule && (() => engine.resume(capsule));
    }
    case "stop":
      return none(given) ? () => engine.stop() : undefined;
    default:
      return method satisfies never;
  }
}

/** The call behind a command without an answer. Undefined when the arguments do not fit. */
export function tellCall(engine: EngineApi, method: TellMethod, given: readonly unknown[]): (() => void) | undefined {
  switch (method) {
    case "raiseHand":
      return none(given) ? () => engine.raiseHand() : undefined;
    case "lowerHand":
      return none(given) ? () => engine.lowerHand() : undefined;
    case "preferLayer":
      return layerArguments(given) ? () => engine.preferLayer(given[0]) : undefined;
    case "admit":
      return idArguments(given) ? () => engine.admit(given[0]) : undefined;
    case "dismiss":
      return idArguments(given) ? () => engine.dismiss(given[0]) : undefined;
    case "removeFromStage":
      return voiceArguments(given) ? () => engine.removeFromStage(given[0]) : undefined;
    case "say":
      return wordsArguments(given) ? () => engine.say(given[0]) : undefined;
    case "stopProbe":
      return none(given) ? () => engine.stopProbe() : undefined;
    default:
      return method satisfies never;
  }
}
