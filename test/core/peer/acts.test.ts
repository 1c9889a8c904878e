import { describe, expect, it } from "vitest";
import { KeptRoom } from "./kept-room.ts";

describe("what may be done in a room", () => {
  it("[RM34] moderators take their office by their invite, and keep the stage with the host", () => {
    const room = new KeptRoom("moderators");
    const [one, two] = [room.enter("moderator"), room.enter("moderator")];
    const guest = room.enter();
    expect(room.facts(one).rights).toContain("moderate");
    expect(room.facts(two).role).toBe("moderator");
    expect(room.facts(guest).rights).toEqual([]);
    const identity = room.bringOnStage(guest, one);
    expect(room.events(guest, "role").at(-1)).toMatchObject({ role: "speaker" });
    expect(room.seen(two, identity)?.voice).not.toBeNull();
    expect(room.act(two, { kind: "to-audience", identity })).toBeUndefined();
    expect(room.events(guest, "role").at(-1)).toMatchObject({ role: "listener" });
  });

  it("[RM34] a muted speaker is heard by nobody until a keeper ends it, and stays on stage", () => {
    const room = new KeptRoom("mute");
    const [moderator, guest, listener] = [room.enter("moderator"), room.enter(), room.enter()];
    const identity = room.bringOnStage(guest);
    room.talk(guest, 400);
    expect(room.marks(listener, guest).length).toBeGreaterThan(5);
    expect(room.act(moderator, { kind: "mute", identity })).toBeUndefined();
    expect(room.seen(listener, identity)?.muted).toBe("keeper");
    const before = room.marks(listener, guest).length;
    room.talk(guest, 400, 100);
    expect(room.marks(listener, guest)).toHaveLength(before);
    expect(room.events(guest, "role").at(-1)).toMatchObject({ role: "speaker" });
    expect(room.act(guest, { kind: "unmute", identity })).toBeUndefined();
    room.run(5000);
    expect(room.seen(listener, identity)?.muted).toBe("keeper");
    expect(room.act(moderator, { kind: "unmute", identity })).toBeUndefined();
    room.talk(guest, 400, 200);
    expect(room.marks(listener, guest).length).toBeGreaterThan(before + 5);
  });

  it("[RM34] who lacks the right is refused where they sit, and nothing is sent", () => {
    const room = new KeptRoom("rights");
    const [moderator, guest, other] = [room.enter("moderator"), room.enter(), room.enter()];
    const identity = room.bringOnStage(guest);
    const host = room.facts(guest).people.find(({ role }) => role === "host")!.identity;
    const keeper = room.facts(guest).people.find(({ role }) => role === "moderator")!.identity;
    let sent = 0;
    room.filter = ({ bytes }) => {
      if (bytes[0] === 7 && bytes[6] === 24) sent++;
      return true;
    };
    expect(room.act(other, { kind: "mute", identity })).toBe("not-allowed");
    expect(room.act(guest, { kind: "ban", identity: keeper, branch: false })).toBe("not-allowed");
    expect(room.act(guest, { kind: "end-room" })).toBe("not-allowed");
    expect(room.act(other, { kind: "set-room", title: "mine" })).toBe("not-allowed");
    expect(room.act(moderator, { kind: "end-room" })).toBe("not-allowed");
    expect(room.act(moderator, { kind: "set-room", access: "locked" })).toBe("not-allowed");
    expect(room.act(moderator, { kind: "kick", identity: host })).toBe("not-allowed");
    expect(room.act(moderator, { kind: "set-role", identity, role: "moderator" })).toBe("not-allowed");
    expect(room.act(moderator, { kind: "replace-link" })).toBe("not-allowed");
    expect(sent).toBe(0);
    expect(room.peer(moderator).stats(room.now).packetsRejected["act-not-allowed"]).toBe(5);
  });

  it("[RM34] an invitation to the stage is taken or declined by whoever it is for", () => {
    const room = new KeptRoom("invitation");
    const guests = [room.enter(), room.enter()] as const;
    const [yes, no] = guests.map((guest) => {
      room.command(guest, { kind: "raise-hand" });
      room.run(600);
      const { id, identity } = room.facts(room.keeper).hands.at(-1)!;
      room.command(room.keeper, { kind: "dismiss", hand: id });
      room.run(600);
      expect(room.act(room.keeper, { kind: "invite-to-stage", identity })).toBeUndefined();
      return identity;
    }) as [string, string];
    expect(room.seen(guests[0], yes)?.invitedToStage).toBe(true);
    expect(room.act(guests[0], { kind: "accept-stage" })).toBeUndefined();
    expect(room.act(guests[1], { kind: "decline-stage" })).toBeUndefined();
    expect(room.stage(room.keeper)).toEqual(["Host", `person ${guests[0]}`]);
    expect(room.seen(room.keeper, no)?.invitedToStage ?? false).toBe(false);
  });

  it("[RM34] a kick and a ban put somebody out at once; only the ban is for good, and takes the invite's others with it", () => {
    const room = new KeptRoom("out");
    const [kicked, banned, sibling, listener] = [room.enter(), room.enter(), room.enter(), room.enter()];
    const one = room.bringOnStage(kicked);
    expect(room.act(room.keeper, { kind: "kick", identity: one })).toBeUndefined();
    expect(room.troubles(kicked)).toEqual(["kicked"]);
    expect(room.isOut(kicked)).toBe(true);
    room.join(kicked, room.invite(room.keeper));
    room.run(1000);
    expect(room.events(kicked, "joined")).toHaveLength(2);
    const two = room.bringOnStage(banned);
    room.bringOnStage(sibling);
    expect(room.act(room.keeper, { kind: "ban", identity: two, branch: true })).toBeUndefined();
    expect(room.troubles(banned)).toEqual(["banned"]);
    expect(room.stage(listener)).toEqual(["Host"]);
    // By that invite nobody speaks any more, and nobody comes in; who was in listens on.
    expect(room.isOut(sibling)).toBe(false);
    room.command(sibling, { kind: "raise-hand" });
    room.run(3000);
    expect(room.facts(listener).hands).toEqual([]);
    const late = room.enter();
    expect(room.troubles(late)).toEqual(["invite-revoked"]);
  });

  it("[RM39] a locked room lets nobody in, and who is in stays", () => {
    const room = new KeptRoom("locked");
    const inside = room.enter();
    expect(room.act(room.keeper, { kind: "set-room", access: "locked" })).toBeUndefined();
    expect(room.facts(inside).access).toBe("locked");
    const late = room.enter();
    expect(room.troubles(late)).toEqual(["locked"]);
    expect(room.isOut(inside)).toBe(false);
    expect(room.act(room.keeper, { kind: "set-room", access: "link-only", title: "open again" })).toBeUndefined();
    expect(room.events(room.enter(), "joined")).toHaveLength(1);
    expect(room.facts(inside).title).toBe("open again");
  });

  it("[RM39] a replaced link is over for who comes now; who is in goes on by the new one", () => {
    const room = new KeptRoom("link");
    const inside = room.enter();
    expect(room.act(room.keeper, { kind: "replace-link" })).toBeUndefined();
    const late = room.enter();
    expect(room.troubles(late)).toEqual(["invite-revoked"]);
    const replaced = room.events(inside, "link-replaced").at(-1)!.invite;
    const friend = room.addPerson();
    room.join(friend, { ...replaced, hints: room.invite(room.keeper).hints });
    room.run(1000);
    expect(room.events(friend, "joined")).toHaveLength(1);
    room.bringOnStage(inside);
    expect(room.stage(friend)).toEqual(["Host", `person ${inside}`]);
  });

  it("[RM39] an invite for one lets one in, an invite that was taken back nobody", () => {
    const room = new KeptRoom("once");
    const issue = (singleUse: boolean, id: number) => {
      const terms = { role: "listener", expiresInMs: 3_600_000, singleUse } as const;
      room.command(room.keeper, { kind: "invite", id, terms });
      return room.events(room.keeper, "answered").find((event) => event.id === id)!.invite!;
    };
    const once = issue(true, 901);
    const [first, second] = [room.addPerson(), room.addPerson()];
    room.join(first, once);
    room.run(3000);
    room.join(second, once);
    room.run(3000);
    expect(room.events(first, "joined")).toHaveLength(1);
    expect(room.troubles(second)).toEqual(["invite-used"]);
    const open = issue(false, 902);
    const issued = room.events(room.keeper, "invites-issued").at(-1)!.invites;
    expect(issued.map(({ singleUse }) => singleUse)).toEqual([true, false]);
    expect(room.act(room.keeper, { kind: "revoke-invite", id: issued[1]!.id })).toBeUndefined();
    const third = room.addPerson();
    room.join(third, open);
    room.run(2000);
    expect(room.troubles(third)).toEqual(["invite-revoked"]);
    expect(room.events(room.keeper, "invites-issued").at(-1)!.invites[1]?.revoked).toBe(true);
  });

  it("[RM38] texts come no faster than the room allows, and not from whom it silenced, at sender, relay and receiver", () => {
    const room = new KeptRoom("slow");
    const [guest, listener] = [room.enter(), room.enter()];
    const identity = room.bringOnStage(guest);
    expect(room.act(room.keeper, { kind: "set-room", slowModeS: 10 })).toBeUndefined();
    room.command(guest, { kind: "say", text: "one" });
    room.command(guest, { kind: "say", text: "two" });
    room.run(500);
    expect(room.events(listener, "text").map(({ text }) => text)).toEqual(["one"]);
    expect(room.troubles(guest)).toEqual(["slow-mode"]);
    room.run(10_000);
    expect(room.act(room.keeper, { kind: "silence-text", identity })).toBeUndefined();
    room.command(guest, { kind: "say", text: "three" });
    expect(room.act(guest, { kind: "react", reaction: "clap" })).toBe("silenced");
    expect(room.troubles(guest)).toEqual(["slow-mode", "silenced"]);
    expect(room.act(room.keeper, { kind: "allow-text", identity })).toBeUndefined();
    expect(room.act(guest, { kind: "react", reaction: "clap" })).toBeUndefined();
    expect(room.act(guest, { kind: "record", on: true })).toBeUndefined();
    expect(room.events(listener, "reaction")).toMatchObject([{ reaction: "clap", identity, self: false }]);
    expect(room.seen(listener, identity)?.records).toBe(true);
  });

  it("[RM34] the host names moderators and heirs, takes it back, and who steps down stays", () => {
    const room = new KeptRoom("roles");
    const guest = room.enter();
    const identity = room.bringOnStage(guest);
    expect(room.act(room.keeper, { kind: "set-role", identity, role: "moderator" })).toBeUndefined();
    expect(room.facts(guest)).toMatchObject({ role: "moderator" });
    expect(room.act(room.keeper, { kind: "set-role", identity, role: "heir" })).toBeUndefined();
    expect(room.facts(guest).rights).toEqual(["speak", "moderate", "appoint", "direct"]);
    expect(room.act(guest, { kind: "step-down" })).toBeUndefined();
    expect(room.facts(guest)).toMatchObject({ role: "speaker", rights: ["speak"] });
    expect(room.stage(room.keeper)).toContain(`person ${guest}`);
    expect(room.isOut(guest)).toBe(false);
  });

  it("[RM34] a room that is ended is over for everybody, and for who comes later", () => {
    const room = new KeptRoom("end");
    const guest = room.enter();
    const invite = room.invite(room.keeper);
    expect(room.act(room.keeper, { kind: "end-room" })).toBeUndefined();
    room.run(3000);
    for (const node of [guest, room.keeper]) {
      expect(room.troubles(node)).toEqual(["ended"]);
      expect(room.isOut(node)).toBe(true);
    }
    const late = room.addPerson();
    room.join(late, invite);
    room.run(2000);
    expect(room.troubles(late)).toEqual(["ended"]);
  });

  it("[RM50] two people see the same code for each other, and another for everybody else", () => {
    const room = new KeptRoom("codes");
    const [one, two] = [room.enter(), room.enter()];
    const [first, second] = [room.bringOnStage(one), room.bringOnStage(two)];
    const code = room.seen(one, second)!.comparison;
    expect(code).toMatch(/^(?:\d{5} ){7}\d{5}$/);
    expect(room.seen(two, first)!.comparison).toBe(code);
    expect(room.seen(one, first)!.comparison).toBe("");
    expect(room.seen(room.keeper, first)!.comparison).not.toBe(code);
  });

  it("[RM53] no more invites for one are given out than the room can remember, and taking one back makes room", () => {
    const room = new KeptRoom("many invites");
    let id = 1000;
    const issue = (): (typeof answers)[number] => {
      const terms = { role: "listener", expiresInMs: 3_600_000, singleUse: true } as const;
      room.command(room.keeper, { kind: "invite", id: ++id, terms });
      return room.events(room.keeper, "answered").find((event) => event.id === id)!;
    };
    const answers = room.events(room.keeper, "answered");
    let given = 0;
    while (issue().code === undefined) given++;
    expect(given).toBe(192);
    expect(issue().code).toBe("list-full");
    const first = room.events(room.keeper, "invites-issued").at(-1)!.invites[0]!;
    expect(room.act(room.keeper, { kind: "revoke-invite", id: first.id })).toBeUndefined();
    expect(issue().code).toBeUndefined();
  });
});
