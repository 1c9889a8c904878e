import { activeProbes } from "./active-probes.ts";
import { alpn } from "./alpn.ts";
import { connectionPolicing } from "./connection-policing.ts";
import { dnsPoisoned } from "./dns-poisoned.ts";
import { dtls } from "./dtls.ts";
import { freeze16kAll } from "./freeze-16k-all.ts";
import { freeze16k } from "./freeze-16k.ts";
import { none } from "./none.ts";
import { onlyTcp443 } from "./only-tcp-443.ts";
import { popcount } from "./popcount.ts";
import { quic } from "./quic.ts";
import { randomResets } from "./random-resets.ts";
import { relaysKilled } from "./relays-killed.ts";
import type { Rule } from "./rule.ts";
import { sniListed } from "./sni-listed.ts";
import { sniMissing } from "./sni-missing.ts";
import { stringDrop } from "./string-drop.ts";
import { stringReset } from "./string-reset.ts";
import { throttleLoss } from "./throttle-loss.ts";
import { tlsFingerprint } from "./tls-fingerprint.ts";
import { udpDead } from "./udp-dead.ts";

/** Every rule, the plain ones first; those that spoil the room for the next come last. */
export const rules: readonly Rule[] = [
  none,
  stringDrop,
  stringReset,
  popcount,
  sniListed,
  sniMissing,
  alpn,
  quic,
  dnsPoisoned,
  udpDead,
  onlyTcp443,
  tlsFingerprint,
  dtls,
  freeze16k,
  freeze16kAll,
  connectionPolicing,
  randomResets,
  throttleLoss,
  activeProbes,
  relaysKilled,
];

/** What a run is made of: a rule from the beginning, or falling in mid-room. */
export interface Case {
  /** The rule's name, with `-midroom` where it falls there and need not. */
  readonly name: string;
  readonly rule: Rule;
  readonly isMidroom: boolean;
}

const suffix = "-midroom";

/** What only ever happens in mid-room needs no suffix. */
function midroomName({ name, start }: Rule): string {
  return start === undefined ? name : `${name}${suffix}`;
}

/** Every rule in every way that makes sense for it. */
export const cases: readonly Case[] = rules.flatMap((rule) => [
  ...(rule.start === undefined ? [] : [{ name: rule.name, rule, isMidroom: false }]),
  ...(rule.midroom === undefined ? [] : [{ name: midroomName(rule), rule, isMidroom: true }]),
]);

/** What `npm test` leaves to `npm run censor`: what takes long, and without root everything. */
export function casesNotRun(isRoot: boolean): readonly Case[] {
  return cases.filter((one) => !(isRoot && isShort(one)));
}

/** Cheap enough for `npm test`. */
export function isShort({ rule, isMidroom }: Case): boolean {
  return rule.isShort === true && !isMidroom;
}
