import { useRef, useState, type ReactElement } from "react";
import type { ProbeModel } from "../model/probe.ts";
import type { RoomModel } from "../model/room.ts";
import type { WayModel } from "../model/way.ts";
import { ControlBar } from "./control-bar.tsx";
import { Action, Problem } from "./controls.tsx";
import { HandsPanel } from "./hands-panel.tsx";
import { KeysSheet } from "./keys-sheet.tsx";
import { useTexts } from "./language.ts";
import { PlacePanel } from "./place-panel.tsx";
import { WhyButton } from "./probe-view.tsx";
import { SettingsSheet } from "./settings-sheet.tsx";
import { ShareSheet } from "./share-sheet.tsx";
import { StageView } from "./stage-view.tsx";
import { TextsPanel } from "./texts-panel.tsx";
import { TreeSheet } from "./tree-sheet.tsx";
import { useRoomKeys } from "./use-room-keys.ts";
import { useValue } from "./use-value.ts";
import { WayWords } from "./way-facts.tsx";
import type { Settings } from "../model/settings.ts";

interface RoomViewProps {
  readonly model: RoomModel;
  readonly settings: Settings;
  readonly way: WayModel;
  readonly probe: ProbeModel;
}

/** The room. */
export function RoomView({ model, settings, way, probe }: RoomViewProps): ReactElement {
  const [sheet, setSheet] = useState<"share" | "settings" | "keys" | "tree" | undefined>(undefined);
  const composer = useRef<HTMLInputElement>(null);
  const close = (): void => setSheet(undefined);
  useRoomKeys(model, { onHelp: () => setSheet("keys"), onType: () => composer.current?.focus() });
  const state = useValue(model.voice.state);
  const role = useValue(model.session.role);
  return (
    <div className="room" data-voice={state}>
      <RoomHead
        model={model}
        way={way}
        probe={probe}
        onShare={() => setSheet("share")}
        onSettings={() => setSheet("settings")}
        onKeys={() => setSheet("keys")}
      />
      {/* Focusable, so that a full stage can be scrolled with keys. */}
      <div className="room-main" role="group" aria-labelledby="stage-title" tabIndex={0}>
        <SoundProblems model={model} />
        <StageView model={model} />
      </div>
      <aside className="room-side">
        {role === "host" && <HandsPanel model={model} />}
        <TextsPanel model={model} composer={composer} />
        <PlacePanel model={model} way={way} onLook={() => setSheet("tree")} />
      </aside>
      <ControlBar model={model} onType={() => composer.current?.focus()} />
      <ShareSheet model={model} isOpen={sheet === "share"} onClose={close} />
      <SettingsSheet settings={settings} voice={model.voice} way={way} isOpen={sheet === "settings"} onClose={close} />
      <KeysSheet isOpen={sheet === "keys"} onClose={close} />
      <TreeSheet model={model} way={way} isOpen={sheet === "tree"} onClose={close} />
    </div>
  );
}

interface RoomHeadProps {
  readonly model: RoomModel;
  readonly way: WayModel;
  readonly probe: ProbeModel;
  readonly onShare: () => void;
  readonly onSettings: () => void;
  readonly onKeys: () => void;
}

function RoomHead({ model, way, probe, onShare, onSettings, onKeys }: RoomHeadProps): ReactElement {
  const { text } = useTexts();
  const { title } = useValue(model.session.stage);
  const trouble = useValue(model.session.trouble);
  return (
    <header className="room-head">
      <div className="room-name">
        <h1 className="room-title" tabIndex={-1} dir="auto">
          {title === "" ? text("room.untitled") : <bdi>{title}</bdi>}
        </h1>
        <ConnectionPill model={model} way={way} />
        <WhyButton probe={probe} trouble={trouble} />
      </div>
      <div className="room-tools">
        <Action icon="share" label={text("room.share")} onPress={onShare} />
        <Action look="bare" icon="keys" iconOnly label={text("keys.title")} onPress={onKeys} />
        <Action look="bare" icon="settings" iconOnly label={text("settings.title")} onPress={onSettings} />
      </div>
    </header>
  );
}

/** How the connection is: a colour, and always words. It never stands in the way. */
function ConnectionPill({ model, way }: Pick<RoomHeadProps, "model" | "way">): ReactElement {
  const { say } = useTexts();
  const { mood, sentence } = useValue(model.connection);
  return (
    <p className="pill" data-mood={mood} role="status">
      <span className="pill-dot" aria-hidden="true" />
      <span>{say(sentence)}</span>
      {mood === "good" && <WayWords way={way} />}
    </p>
  );
}

function SoundProblems({ model }: { readonly model: RoomModel }): ReactElement {
  const { text, say } = useTexts();
  const state = useValue(model.voice.state);
  const microphone = useValue(model.voice.microphoneFault);
  const speakers = useValue(model.voice.speakersFault);
  const blocked = speakers?.key === "sound.speaker-blocked";
  return (
    <>
      <Problem>{state === "shut" || microphone === undefined ? undefined : say(microphone)}</Problem>
      <Problem>{speakers && say(speakers)}</Problem>
      {blocked && (
        <Action
          look="main"
          icon="volume"
          label={text("room.let-sound-in")}
          onPress={() => void model.voice.listen().catch(() => undefined)}
        />
      )}
    </>
  );
}
