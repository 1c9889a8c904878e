import type { EngineApi, Role } from "../api/engine.ts";
import type { InviteTerms } from "../api/room.ts";
import { parseDurationMs } from "./duration.ts";
import type { CliWorld } from "./world.ts";
import { list, quote, takes, text, usage, type OptionRule, type Values } from "./words.ts";

/** What a host may say of invites beside those that everybody gets, and of its door. */
export const invitingRules = {
  invite: { kind: "role", many: true },
  "invite-for": { kind: "duration" },
  "single-use": { kind: "flag" },
  "with-passphrase": { kind: "flag" },
  "lock-after": { kind: "duration" },
} as const satisfies Record<string, OptionRule>;

const roles = ["listener", "speaker", "moderator", "heir"] as const satisfies readonly Role[];
/** As long as those that every room begins with. */
const expiresInMsDefault = 7 * 24 * 3_600_000;

/** Invites of one's own terms, one of each role. */
export interface Inviting {
  readonly roles: readonly InviteTerms["role"][];
  readonly expiresInMs: number;
  readonly singleUse: boolean;
  /** It is read from the environment, so that it stands in no process list. */
  readonly withPassphrase: boolean;
  /** When nobody comes in any more; undefined: never. */
  readonly lockAfterMs: number | undefined;
}

/** Reads these options. Throws `TeahouseError("usage")` for terms of no invite. */
export function invitingOf(values: Values): Inviting {
  const given = list(values, "invite").map(roleOf);
  const terms = ["invite-for", "single-use", "with-passphrase"].find((name) => values[name] !== undefined);
  if (given.length === 0 && terms !== undefined) throw usage(`--${terms} says how --invite is, which is missing`);
  const duration = text(values, "invite-for");
  const lockAfter = text(values, "lock-after");
  return {
    roles: given,
    expiresInMs: duration === undefined ? expiresInMsDefault : parseDurationMs("--invite-for", duration),
    singleUse: values["single-use"] === true,
    withPassphrase: values["with-passphrase"] === true,
    lockAfterMs: lockAfter === undefined ? undefined : parseDurationMs("--lock-after", lockAfter),
  };
}

/** The terms of each invite; before any room is made. Throws when the environment holds no passphrase for them. */
export function termsOf(inviting: Inviting, { passphrase }: Pick<CliWorld, "passphrase">): readonly InviteTerms[] {
  const { expiresInMs, singleUse, withPassphrase } = inviting;
  if (withPassphrase && (passphrase === undefined || passphrase === ""))
    throw usage("--with-passphrase takes it from the environment variable TEAHOUSE_PASSPHRASE, which is empty");
  const locked = withPassphrase && passphrase !== undefined ? { passphrase } : {};
  return inviting.roles.map((role) => ({ role, expiresInMs, singleUse, ...locked }));
}

/** Makes the invites and prints each. */
export async function giveOut(engine: EngineApi, all: readonly InviteTerms[], world: CliWorld): Promise<void> {
  for (const { passphrase, ...terms } of all) {
    const invite = await engine.issueInvite(passphrase === undefined ? terms : { ...terms, passphrase });
    world.printer.print({ event: "issued", invite, ...terms, hasPassphrase: passphrase !== undefined });
  }
}

function roleOf(word: string): InviteTerms["role"] {
  const role = roles.find((each) => each === word);
  if (role === undefined) throw usage(`--invite ${takes.role}, not "${quote(word)}"`);
  return role;
}
