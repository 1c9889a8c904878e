import type { HostOptions } from "../../../api/engine.ts";
import { cut } from "../../utf8.ts";
import type { RoomKeys } from "../rights/keys.ts";
import {
  branchBytes,
  emptyState,
  type Keeper,
  nameBytesMax,
  type RoomState,
  type StagePerson,
  titleBytesMax,
} from "./state.ts";

/** Makes the stage's entry for a host. */
export function hostPerson(voiceKey: Uint8Array, identityKey: Uint8Array, name: string): StagePerson {
  return { voiceKey, identityKey, role: "host", name: cut(name, nameBytesMax), branch: new Uint8Array(branchBytes) };
}

/** A room as it begins: its host, alone on stage. */
export function firstState(keys: RoomKeys, options: HostOptions, host: StagePerson): RoomState {
  const { identityKey, name } = host;
  const keeper: Keeper = { key: keys.session.key, identityKey, role: "host", name, office: undefined };
  return {
    ...emptyState,
    title: cut(options.title ?? "", titleBytesMax),
    openStage: options.letEverybodySpeak,
    stage: [host],
    keepers: [keeper],
  };
}
