import { describe, expect, it } from "vitest";
import type { HostOptions, Role } from "../../../../p2p/api/engine.ts";
import { type Millis, millis, type VoiceKey } from "../../../../p2p/api/ids.ts";
import { limits } from "../../../../p2p/api/limits.ts";
import { toHex } from "../../../../p2p/core/bytes.ts";
import { openRecord } from "../../../../p2p/core/discovery/record.ts";
import { voiceIdOf } from "../../../../p2p/core/packet/format.ts";
import { Rng } from "../../../../p2p/core/rng.ts";
import { answerToHand, removalOf } from "../../../../p2p/core/room/asking/deeds.ts";
import { Authority } from "../../../../p2p/core/room/keeper/authority.ts";
import { hostPerson } from "../../../../p2p/core/room/state/first-state.ts";
import { issueCapability, rights, verifyChain } from "../../../../p2p/core/room/rights/capability.ts";
import { openHints } from "../../../../p2p/core/room/invite/hints.ts";
import { createKeyPair, createRoomKeys, type KeyPair } from "../../../../p2p/core/room/rights/keys.ts";
import { sealPetition, type Wish } from "../../../../p2p/core/room/asking/petition.ts";
import { openState } from "../../../../p2p/core/room/state/sealed-state.ts";
import type { RoomState } from "../../../../p2p/core/room/state/state.ts";
import { cut } from "../../../../p2p/core/utf8.ts";
import { parseView, verifyView } from "../../../../p2p/core/room/state/view.ts";
import { peerOf } from "../../../../p2p/core/session/frames.ts";
import { sampleAddress, seededCrypto, testNow, knowing, sealingBy } from "../../fixtures.ts";

const crypto = seededCrypto("authority");
const rng = new Rng("authority");
const secret = rng.bytes(32);
const relays = [1, 2, 3].map(() => ({ address: sampleAddress(rng), secret: rng.bytes(16) }));
const [first, second, third] = relays.map((relay) => peerOf(relay.address));

interface Bench {
  readonly authority: Authority;
  readonly host: KeyPair;
  ask(person: Person, wish?: Wish, changes?: { id?: Uint8Array; voiceKey?: Uint8Array; name?: string }): string;
  stage(): string[];
  state(): RoomState;
}

interface Person {
  readonly identity: KeyPair;
  readonly voice: KeyPair;
  readonly role: Exclude<Role, "host">;
}

function person(role: Person["role"] = "listener"): Person {
  return { identity: createKeyPair(crypto), voice: createKeyPair(crypto), role };
}

/** What somebody in charge says of a hand or a voice, and what that changes. */
function rule(
  authority: Authority,
  said: { kind: "admit" | "dismiss"; hand: string } | { kind: "remove"; voice: VoiceKey },
): string {
  const { state } = authority;
  const deed =
    said.kind === "remove"
      ? removalOf(state, said.voice)
      : answerToHand(crypto, state, said.hand, said.kind === "admit");
  if (deed.kind !== "events") return "known";
  const [event] = deed.events;
  if (!event || authority.write(event, testNow) !== undefined) return "known";
  return event.kind === "lower" ? "hands" : "stage";
}

function bench(options: Partial<HostOptions> = {}): Bench {
  const keys = createRoomKeys(crypto, testNow);
  const host = createKeyPair(crypto);
  const full = { via: [], letEverybodySpeak: true, title: "Tea", ...options };
  const people = hostPerson(host.key, createKeyPair(crypto).key, "Host");
  const authority = new Authority(crypto, keys, full, relays, undefined, people, sealingBy(secret));
  const state = (): RoomState => {
    const opened = openState(crypto, knowing(secret), keys.carriage.key, authority.issueState(testNow));
    if (!opened || opened === "closed") throw new Error("no state");
    return opened;
  };
  let asked = 0;
  const ask: Bench["ask"] = ({ identity, voice, role }, wish = "speak", changes = {}) => {
    const invite = authority.issueInvites(testNow)[role];
    const bearer = invite.chain[0]!;
    const { notBefore, expires } = bearer;
    const terms = { role: bearer.role, rights: bearer.rights & ~rights.grant, notBefore, expires, sequence: 0 };
    const own = issueCapability(crypto, keys.root.key, invite.inviteSeed, { ...terms, grantee: identity.key }, bearer);
    const petition = {
      id: crypto.randomBytes(8),
      wish,
      at: millis(testNow + ++asked),
      voiceKey: voice.key,
      door: crypto.randomBytes(8),
      name: "",
      chain: [bearer, own],
      ...changes,
    };
    const bytes = sealPetition(crypto, { number: 1, secret }, keys.root.key, identity.seed, petition);
    return authority.handlePetition(bytes, testNow);
  };
  const stage = (): string[] => authority.issueView(testNow).voices.map((voice) => toHex(voice.key));
  return { authority, host, ask, stage, state };
}

describe("what a host session decides", () => {
  it("[RM31] is signed by a new session 6 h before the old one ends, and counts on", () => {
    const { authority } = bench();
    const before = authority.issueView(testNow);
    const later = millis(testNow + limits.hostSessionMsMax - 6 * 3_600_000 + 1000);
    expect(authority.renew(millis(later - 2000))).toBe(false);
    expect(authority.renew(later)).toBe(true);
    expect(authority.renew(later)).toBe(false);
    const after = authority.issueView(later);
    expect(toHex(after.session.key)).not.toBe(toHex(before.session.key));
    expect(after.sequence).toBeGreaterThan(before.sequence);
    const twoDays = millis(testNow + 40 * 3_600_000);
    expect(verifyView(crypto, after, twoDays).ok).toBe(true);
    const state = openState(crypto, knowing(secret), after.tag, authority.issueState(testNow));
    if (!state || state === "closed") throw new Error("no state");
    expect(verifyChain(crypto, authority.keys.root.key, state.chain, twoDays)).toMatchObject({ ok: true });
  });

  it("[RM27] in an open room everybody who asks is let on stage, in view and state alike, and leaves it again", () => {
    const { ask, stage, state, host } = bench();
    const guest = person();
    expect(stage()).toEqual([toHex(host.key)]);
    expect(ask(guest)).toBe("stage");
    expect(stage()).toEqual([toHex(host.key), toHex(guest.voice.key)]);
    expect(state().stage.map((each) => each.role)).toEqual(["host", "speaker"]);
    expect(ask(guest)).toBe("known");
    expect(ask(guest, "leave-stage")).toBe("stage");
    expect(stage()).toEqual([toHex(host.key)]);
    expect(ask(guest, "leave-stage")).toBe("known");
  });

  it("[RM27] otherwise a listener's hand waits in the state, and who was invited to speak speaks", () => {
    const { ask, stage, state } = bench({ letEverybodySpeak: false });
    const [listener, speaker] = [person(), person("speaker")];
    const id = crypto.randomBytes(8);
    expect(ask(listener, "speak", { id })).toBe("hands");
    expect(ask(listener, "speak", { id })).toBe("known");
    expect(stage()).toHaveLength(1);
    expect(state().hands).toMatchObject([{ id, person: { name: "" } }]);
    expect(ask(speaker)).toBe("stage");
    expect(stage()).toHaveLength(2);
  });

  it("[RM27] a person has one hand; 64 may be up, who came first stays, and more get in when there is room", () => {
    const { authority, ask, state } = bench({ letEverybodySpeak: false });
    const [first, late] = [person(), person()];
    const id = crypto.randomBytes(8);
    expect(ask(first)).toBe("hands");
    expect(ask(first, "speak", { id, name: "first" })).toBe("hands");
    expect(state().hands).toMatchObject([{ id, person: { name: "first" } }]);
    for (let hand = 1; hand < 64; hand++) expect(ask(person())).toBe("hands");
    const lateId = crypto.randomBytes(8);
    expect(ask(late, "speak", { id: lateId })).toBe("known");
    expect(state().hands).toHaveLength(64);
    expect(state().hands[0]).toMatchObject({ id, person: { name: "first" } });
    expect(rule(authority, { kind: "dismiss", hand: toHex(id) })).toBe("hands");
    expect(ask(late, "speak", { id: lateId })).toBe("hands");
    expect(state().hands.at(-1)?.id).toEqual(lateId);
  });

  it("[RM22] a hand that was lowered, dismissed or raised anew is not raised by its old petition", () => {
    const { authority, ask, state } = bench({ letEverybodySpeak: false });
    const guest = person();
    const [lowered, dismissed, old] = [1, 2, 3].map(() => crypto.randomBytes(8));
    ask(guest, "speak", { id: lowered! });
    expect(ask(guest, "leave-stage")).toBe("hands");
    ask(guest, "speak", { id: dismissed! });
    expect(rule(authority, { kind: "dismiss", hand: toHex(dismissed!) })).toBe("hands");
    for (const id of [lowered!, dismissed!]) expect(ask(guest, "speak", { id })).toBe("known");
    expect(state().hands).toEqual([]);
    ask(guest, "speak", { id: old! });
    ask(guest);
    expect(ask(guest, "speak", { id: old! })).toBe("known");
    expect(state().hands).toHaveLength(1);
  });

  it("[RM27] the host admits a hand, once; unknown hands change nothing", () => {
    const { authority, ask, stage, state } = bench({ letEverybodySpeak: false });
    const guest = person();
    const id = crypto.randomBytes(8);
    ask(guest, "speak", { id, name: "guest" });
    for (const kind of ["admit", "dismiss"] as const) {
      expect(rule(authority, { kind, hand: "0011223344556677" })).toBe("known");
      expect(rule(authority, { kind, hand: "no hand" })).toBe("known");
    }
    expect(rule(authority, { kind: "admit", hand: toHex(id) })).toBe("stage");
    expect(rule(authority, { kind: "admit", hand: toHex(id) })).toBe("known");
    expect(state()).toMatchObject({ hands: [], stage: [{ role: "host" }, { role: "speaker", name: "guest" }] });
    expect(stage()).toContain(toHex(guest.voice.key));
  });

  it("[RM27] who waits with somebody else's voice is not admitted after it", () => {
    const { authority, ask, stage, state } = bench({ letEverybodySpeak: false });
    const [honest, thief] = [person(), person()];
    const [own, stolen] = [crypto.randomBytes(8), crypto.randomBytes(8)];
    ask(honest, "speak", { id: own });
    ask(thief, "speak", { id: stolen, voiceKey: honest.voice.key });
    expect(rule(authority, { kind: "admit", hand: toHex(own) })).toBe("stage");
    expect(rule(authority, { kind: "admit", hand: toHex(stolen) })).toBe("hands");
    expect(stage()).toHaveLength(2);
    expect(state().hands).toEqual([]);
  });

  it("[RM27] the host takes anybody off the stage but itself", () => {
    const { authority, ask, stage, host } = bench();
    const guest = person();
    ask(guest);
    const remove = (key: Uint8Array): string => rule(authority, { kind: "remove", voice: toHex(key) as VoiceKey });
    expect(remove(host.key)).toBe("known");
    expect(remove(rng.bytes(32))).toBe("known");
    expect(remove(guest.voice.key)).toBe("stage");
    expect(remove(guest.voice.key)).toBe("known");
    expect(stage()).toEqual([toHex(host.key)]);
  });

  it("[RM27] nobody gets a voice that somebody else has, also not the host's", () => {
    const { ask, stage, host } = bench();
    const [one, two] = [person(), person()];
    ask(one);
    expect(ask(two, "speak", { voiceKey: host.key })).toBe("refused");
    expect(ask(two, "speak", { voiceKey: one.voice.key })).toBe("refused");
    expect(stage()).toHaveLength(2);
    // One's own, a new one for the old, is fine.
    const fresh = createKeyPair(crypto).key;
    expect(ask(one, "speak", { voiceKey: fresh })).toBe("stage");
    expect(stage()).toEqual([toHex(host.key), toHex(fresh)]);
    expect(ask(two)).toBe("stage");
  });

  it("[PK13] no second voice gets a voice id that is taken", () => {
    const colliding = { ...crypto, sha256: (data: Uint8Array) => crypto.sha256(data).fill(7, 0, 4) };
    expect(voiceIdOf(colliding, rng.bytes(32))).toBe(voiceIdOf(colliding, rng.bytes(32)));
    const keys = createRoomKeys(crypto, testNow);
    const host = hostPerson(createKeyPair(crypto).key, createKeyPair(crypto).key, "");
    const authority = new Authority(
      colliding,
      keys,
      { via: [], letEverybodySpeak: true },
      relays,
      undefined,
      host,
      sealingBy(secret),
    );
    const invite = authority.issueInvites(testNow).listener;
    const guest = createKeyPair(crypto);
    const bearer = invite.chain[0]!;
    const terms = { ...bearer, rights: 0, grantee: guest.key };
    const own = issueCapability(colliding, keys.root.key, invite.inviteSeed, terms, bearer);
    const petition = {
      id: rng.bytes(8),
      wish: "speak",
      at: testNow,
      voiceKey: rng.bytes(32),
      door: rng.bytes(8),
      name: "",
      chain: [bearer, own],
    } as const;
    const bytes = sealPetition(colliding, { number: 1, secret }, keys.root.key, guest.seed, petition);
    expect(authority.handlePetition(bytes, testNow)).toBe("refused");
  });

  it("[RM22] a petition that changed the stage changes it once, however often it is seen", () => {
    const { ask, stage } = bench();
    const guest = person();
    const id = crypto.randomBytes(8);
    expect(ask(guest, "speak", { id })).toBe("stage");
    expect(ask(guest, "leave-stage")).toBe("stage");
    expect(ask(guest, "speak", { id })).toBe("known");
    expect(stage()).toHaveLength(1);
    expect(ask(guest)).toBe("stage");
  });

  it("[RM27] the stage holds 32; who came first after the host makes room, and the host never", () => {
    const { ask, stage, host } = bench();
    const people = Array.from({ length: 32 }, () => person());
    for (const each of people) ask(each);
    const voices = stage();
    expect(voices).toHaveLength(32);
    expect(voices[0]).toBe(toHex(host.key));
    expect(voices).not.toContain(toHex(people[0]!.voice.key));
    expect(voices).toContain(toHex(people[1]!.voice.key));
  });

  it("garbage is refused", () => {
    expect(bench().authority.handlePetition(rng.bytes(300), testNow)).toBe("refused");
    expect(bench().authority.handlePetition(new Uint8Array(0), testNow)).toBe("refused");
  });

  it("[RM17] views name the relays that carry, in the order of their cards, each newer than the last", () => {
    const { authority } = bench({ coreSize: 3, relayFanout: 2 });
    expect(authority.setCarrying(second!, true)).toBe(true);
    expect(authority.setCarrying(second!, true)).toBe(false);
    expect(authority.setCarrying(first!, true)).toBe(true);
    expect(authority.setCarrying(toHex(rng.bytes(32)) as typeof first & string, true)).toBe(false);
    const view = authority.issueView(testNow);
    expect(view.relays.map(peerOf)).toEqual([first, second]);
    expect([view.coreSize, view.relayFanout]).toEqual([3, 2]);
    const parsed = parseView(view.encoded);
    expect(parsed.ok && verifyView(crypto, parsed.value, testNow).ok).toBe(true);
    authority.setCarrying(first!, false);
    const next = authority.issueView(testNow);
    expect(next.relays.map(peerOf)).toEqual([second]);
    expect(next.sequence).toBe(view.sequence + 1);
    expect(authority.candidates).toEqual([first, second, third]);
  });

  it("[RM20] proves itself to relays it has a card of, and to nobody else", () => {
    const { authority } = bench();
    const self = toHex(rng.bytes(32)) as NonNullable<typeof first>;
    expect(authority.proof(first!, self, rng.bytes(16))?.cardSecret).toEqual(relays[0]!.secret);
    expect(authority.proof(self, self, rng.bytes(16))).toBeUndefined();
  });

  it("invites of every role hold now, by clocks that are behind, and for a week, an heir's for a year", () => {
    const { authority } = bench();
    const invites = authority.issueInvites(testNow);
    for (const [role, { chain, roomKey }] of Object.entries(invites)) {
      const at = (ms: number): boolean => verifyChain(crypto, roomKey, chain, millis(testNow + ms)).ok;
      expect(chain[0]?.role).toBe(role);
      const lasts = (role === "heir" ? 365 : 7) * 86_400_000;
      expect([at(0), at(-26 * 3_600_000), at(lasts), at(lasts + 1000)]).toEqual([true, true, true, false]);
    }
    expect(() => authority.issueInvites(millis(0))).not.toThrow();
  });

  it("[RM24] records of this hour and the next, three replicas each, every ten minutes or when relays change", () => {
    const { authority } = bench();
    const { keys } = authority;
    expect(authority.publish(testNow)).toEqual([]);
    expect(authority.publishAt).toBeUndefined();
    authority.setCarrying(first!, true);
    const records = authority.publish(testNow);
    expect(records).toHaveLength(6);
    expect(new Set(records.map(({ key }) => toHex(key))).size).toBe(6);
    const hours = records.map(({ value }) => {
      const opened = openRecord(crypto, keys.secret, value);
      if (!opened.ok) throw new Error(opened.reason);
      const hints = openHints(crypto, keys.root.key, keys.carriage.key, opened.value.payload, testNow);
      expect(hints?.relays.map(peerOf)).toEqual([first]);
      return opened.value.hour;
    });
    const hour = Math.floor(testNow / 3_600_000);
    expect(hours).toEqual([hour, hour, hour, hour + 1, hour + 1, hour + 1]);
    const later = (ms: number): Millis => millis(testNow + ms);
    expect(authority.publish(later(599_999))).toEqual([]);
    expect(authority.publish(later(600_000))).toHaveLength(6);
    authority.setCarrying(second!, true);
    expect(authority.publish(later(600_001))).toHaveLength(6);
  });

  it("titles and names are cut at a character's border", () => {
    expect(cut("茶館", 6)).toBe("茶館");
    expect(cut("茶館", 5)).toBe("茶");
    expect(cut("aé", 2)).toBe("a");
    expect(cut("\u{1f375}\u{1f375}", 7)).toBe("\u{1f375}");
    expect(cut("abc", 0)).toBe("");
    const { state } = bench({ title: "題".repeat(200) });
    expect(state().title).toBe("題".repeat(80));
    expect(hostPerson(rng.bytes(32), rng.bytes(32), "x".repeat(200)).name).toHaveLength(96);
  });
});
