import type { EngineApi, HostOptions, JoinOptions, Power, VolunteerOptions } from "../api/engine.ts";
import { type Act, type InviteTerms, reactions } from "../api/room.ts";
import type { VoiceKey } from "../api/ids.ts";
import { limits } from "../api/limits.ts";
import type { WayChoice } from "../api/way.ts";
import { capsuleBytesMax } from "./events.ts";
import { fromHex } from "./hex.ts";
import type { RequestMethod, TellMethod } from "./protocol.ts";
import { count, exact, flag, hex, list, nullable, oneOf, optional, text, tuple, type Shape } from "./shape.ts";

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
  hours: optional(exact({ fromMinute: count(1440), toMinute: count(1440) })),
  notOnBattery: optional(flag),
  notOnMetered: optional(flag),
});

const power: Shape<Power> = exact({ onBattery: flag, metered: flag });

const hostOptions: Shape<HostOptions> = exact({
  title: optional(words),
  name: optional(words),
  via: list(card, cardsMax),
  letEverybodySpeak: flag,
  coreSize: optional(count(64)),
  relayFanout: optional(count(1024)),
  volunteer: optional(volunteerOptions),
});

const joinOptions: Shape<JoinOptions> = exact({ name: optional(words), passphrase: optional(words) });

const wayChoice: Shape<WayChoice> = exact({
  rung: oneOf("auto", "lan", "wss", "webrtc", "proxy"),
  proxy: optional(words),
  proxyUse: optional(oneOf("always", "fallback")),
});

const guestRole = oneOf("listener", "speaker", "moderator", "heir");

const inviteTerms: Shape<InviteTerms> = exact({
  role: guestRole,
  expiresInMs: count(),
  singleUse: flag,
  passphrase: optional(words),
});

const ofPerson = { identity: id } as const;
const acts: Readonly<Record<Act["kind"], (value: unknown) => boolean>> = {
  "invite-to-stage": exact({ kind: oneOf("invite-to-stage"), ...ofPerson }),
  uninvite: exact({ kind: oneOf("uninvite"), ...ofPerson }),
  "accept-stage": exact({ kind: oneOf("accept-stage") }),
  "decline-stage": exact({ kind: oneOf("decline-stage") }),
  "to-audience": exact({ kind: oneOf("to-audience"), ...ofPerson }),
  mute: exact({ kind: oneOf("mute"), ...ofPerson }),
  unmute: exact({ kind: oneOf("unmute"), ...ofPerson }),
  kick: exact({ kind: oneOf("kick"), ...ofPerson }),
  ban: exact({ kind: oneOf("ban"), ...ofPerson, branch: flag }),
  unban: exact({ kind: oneOf("unban"), ...ofPerson }),
  "set-role": exact({ kind: oneOf("set-role"), ...ofPerson, role: guestRole }),
  "step-down": exact({ kind: oneOf("step-down") }),
  "set-room": exact({
    kind: oneOf("set-room"),
    title: optional(words),
    rules: optional(words),
    links: optional(list(words, cardsMax)),
    access: optional(oneOf("open", "link-only", "locked")),
    slowModeS: optional(count(86_400)),
    pushToTalkOnly: optional(flag),
  }),
  "silence-text": exact({ kind: oneOf("silence-text"), ...ofPerson }),
  "allow-text": exact({ kind: oneOf("allow-text"), ...ofPerson }),
  "replace-link": exact({ kind: oneOf("replace-link") }),
  "revoke-invite": exact({ kind: oneOf("revoke-invite"), id }),
  react: exact({ kind: oneOf("react"), reaction: oneOf(...reactions) }),
  record: exact({ kind: oneOf("record"), on: flag }),
  "end-room": exact({ kind: oneOf("end-room") }),
};

/** Any act of the contract. */
const anyAct: Shape<Act> = (value): value is Act => {
  const kind: unknown = typeof value === "object" && value !== null && "kind" in value ? value.kind : undefined;
  return typeof kind === "string" && Object.hasOwn(acts, kind) && acts[kind as Act["kind"]](value);
};

const actArguments = tuple(anyAct);
const inviteArguments = tuple(inviteTerms);
const wayArguments = tuple(wayChoice);
const volunteerArguments = tuple(volunteerOptions);
const lendArguments = tuple(nullable(volunteerOptions));
const powerArguments = tuple(power);
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
    case "lend":
      return lendArguments(given) ? () => engine.lend(given[0]) : undefined;
    case "host":
      return hostArguments(given) ? () => engine.host(given[0]) : undefined;
    case "join":
      return joinArguments(given) ? () => engine.join(given[0], given[1]) : undefined;
    case "chooseWay":
      return wayArguments(given) ? () => engine.chooseWay(given[0]) : undefined;
    case "probe":
      return wordsArguments(given) ? () => engine.probe(given[0]) : undefined;
    case "act":
      return actArguments(given) ? () => engine.act(given[0]) : undefined;
    case "issueInvite":
      return inviteArguments(given) ? () => engine.issueInvite(given[0]) : undefined;
    case "openRooms":
      return none(given) ? () => engine.openRooms() : undefined;
    case "wipe":
      return none(given) ? () => engine.wipe() : undefined;
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
    case "power":
      return powerArguments(given) ? () => engine.power(given[0]) : undefined;
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
