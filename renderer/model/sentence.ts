import type { ErrorCode } from "../../p2p/api/errors.ts";
import type { JoinStep, Role } from "../../p2p/api/engine.ts";
import type { Reaction } from "../../p2p/api/room.ts";
import type { ProbeVerdict, Rung } from "../../p2p/api/way.ts";
import type { SoundFaultCode } from "../audio/types.ts";
import type { SpeakingRule } from "./voice/speaking-rules.ts";

/** What goes wrong in the window itself, beside what the engine reports. */
export type WindowFault =
  | "paste-empty"
  | "paste-unknown"
  | "paste-too-long"
  | "paste-is-card"
  | "paste-is-invite"
  | "card-missing"
  | "proxy-missing"
  | "file-too-big"
  | "file-unreadable"
  | "text-empty"
  | "text-too-long"
  | "passphrase-short"
  | "copy-refused"
  | "second-window"
  | "replaced"
  | "token-wrong"
  | "engine-gone"
  | "line-lost"
  | "line-broken";

/** Names a sentence of the translations. The compiler holds every language to this list. */
export type SentenceKey =
  | `fault.${ErrorCode}`
  | `fault.${WindowFault}`
  | `sound.${SoundFaultCode}`
  | `step.${JoinStep}`
  | `role.${Role}`
  | `way.${Rung}`
  | "way.failed-straight"
  | "way.failed-udp"
  | "way.failed-proxy"
  | "way.failed-some"
  | `probe.verdict-${ProbeVerdict}`
  | "probe.now"
  | "probe.now-waiting"
  | "notice.copied"
  | "announce.entered"
  | "announce.joined-stage"
  | "announce.left-stage"
  | "announce.hand-up"
  | "announce.hand-mine"
  | "announce.hand-lowered"
  | "announce.on-stage"
  | "announce.off-stage"
  | "announce.muted"
  | "announce.live"
  | "announce.talks-muted"
  | "announce.paused"
  | "announce.stays-muted"
  | "announce.slept"
  | "announce.deaf"
  | "announce.hearing"
  | "announce.text"
  | "announce.recording"
  | "announce.invited"
  | `announce.react-${Reaction}`
  | `speaking.${Exclude<SpeakingRule, "free">}`
  | "link.good"
  | "link.waiting"
  | "link.moving"
  | "link.stalled"
  | "link.restarting";

/** Text for a person, before it has a language: what translations are looked up by. Values come from others: isolate them. */
export interface Sentence {
  readonly key: SentenceKey;
  readonly values?: Readonly<Record<string, string | number>>;
}

/** Makes a sentence. */
export function sentence(key: SentenceKey, values?: Readonly<Record<string, string | number>>): Sentence {
  return values === undefined ? { key } : { key, values };
}
